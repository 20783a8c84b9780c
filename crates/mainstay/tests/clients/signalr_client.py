"""Speaks to a hub with the Python client that others wrote: the node's URL is the argument, the credential is in
MAINSTAY_KEY. Prints a line for each thing that worked."""

import asyncio
import json
import os
import sys
import urllib.request

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


async def listen(url: str, name: str, protocol) -> None:
    headers = {"Authorization": f"Bearer {os.environ['MAINSTAY_KEY']}"}
    opened, joined = asyncio.Event(), asyncio.Event()
    client = SignalRClient(f"{url}/hubs/chat", headers=headers, protocol=protocol)
    told: asyncio.Queue = asyncio.Queue()

    async def on_open() -> None:
        opened.set()

    async def room_joined(_: list) -> None:
        joined.set()

    client.on_open(on_open)
    client.on("RoomJoined", room_joined)
    client.on("ReceiveMessage", told.put)
    running = asyncio.create_task(client.run())
    await asyncio.wait_for(opened.wait(), 20)
    await client.send("JoinRoom", [name])
    await asyncio.wait_for(joined.wait(), 20)
    event = {"type": "chat_message", "room": f"request:{name}", "payload": {"content": "grün"}}
    request = urllib.request.Request(
        f"{url}/v1/events/chat",
        json.dumps(event).encode(),
        headers | {"Content-Type": "application/json"},
    )
    await asyncio.to_thread(urllib.request.urlopen, request, timeout=20)
    assert await asyncio.wait_for(told.get(), 20) == [{"content": "grün"}]
    print(f"{name} chat: ok")
    running.cancel()


async def main() -> None:
    url = sys.argv[1]
    await speak(url, "json", JSONProtocol())
    await speak(url, "messagepack", MessagepackProtocol())
    await listen(url, "json", JSONProtocol())
    await listen(url, "messagepack", MessagepackProtocol())


asyncio.run(main())
