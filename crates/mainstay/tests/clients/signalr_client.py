"""Speaks to a hub with the Python client that others wrote: the node's URL is the argument, the credential is in
MAINSTAY_KEY. Prints a line for each thing that worked."""

import asyncio
import os
import sys

from pysignalr.client import SignalRClient
from pysignalr.messages import CompletionMessage
from pysignalr.protocol.json import JSONProtocol
from pysignalr.protocol.messagepack import MessagepackProtocol


async def speak(url: str, name: str, protocol) -> None:
    headers = {"Authorization": f"Bearer {os.environ['MAINSTAY_KEY']}"}
    client = SignalRClient(f"{url}/hubs/events", headers=headers, protocol=protocol)
    opened = asyncio.Event()
    answered, failed = (asyncio.get_running_loop().create_future() for _ in range(2))

    async def probe(arguments: list) -> object:
        return {"back": arguments[0]}

    async def on_open() -> None:
        opened.set()

    async def on_error(message: CompletionMessage) -> None:
        failed.set_result(message.error)

    async def result(message: CompletionMessage) -> None:
        answered.set_result(message.result)

    client.on_open(on_open)
    client.on_error(on_error)
    client.on("Probe", probe)
    running = asyncio.create_task(client.run())
    await asyncio.wait_for(opened.wait(), 20)
    await client.send("Probe", [{"text": "grün", "n": 2**40}], result)
    assert await asyncio.wait_for(answered, 20) == {"back": {"text": "grün", "n": 2**40}}, answered
    print(f"{name} invoke: ok")

    await client.send("nothing", [], result)
    assert await asyncio.wait_for(failed, 20) == "Unknown hub method 'nothing'", failed
    print(f"{name} unknown: ok")

    running.cancel()


async def main() -> None:
    url = sys.argv[1]
    await speak(url, "json", JSONProtocol())
    await speak(url, "messagepack", MessagepackProtocol())


asyncio.run(main())
