"""Two agents, on the official Python client of the Model Context Protocol, against a running Mainstay.

    mcp_client.py stdio -- mainstay mcp          # one process an agent; the store is chosen by the environment
    mcp_client.py http http://127.0.0.1:7799/mcp # MAINSTAY_KEY holds the owner key

Every routine runs with the current protocol and with the earlier one. Prints one line for each step and exits with 0
only if all of them went well. Needs `mcp` 2.3 or later.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import uuid

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

# Far above what any step takes.
SOON_SECONDS = 20
MODES = ("auto", "legacy")
LEGACY_TOOLS = [
    "coord_publish_message",
    "coord_check_messages",
    "coord_ack_message",
    "coord_get_presence",
    "coord_get_notifications",
    "coord_register_presence",
    "coord_deregister_presence",
    "coord_heartbeat",
]


def target(options, instance):
    """How to reach the server as an instance."""
    if options.transport == "stdio":
        command, *arguments = options.target
        environment = {**os.environ, "MAINSTAY_INSTANCE": instance}
        return StdioServerParameters(command=command, args=arguments, env=environment)
    headers = {"Authorization": f"Bearer {os.environ['MAINSTAY_KEY']}", "Mainstay-Instance": instance}
    timeout = httpx2.Timeout(30, read=90)
    return streamable_http_client(options.target[0], http_client=httpx2.AsyncClient(headers=headers, timeout=timeout))


class Agent:
    """One client with the notifications it was given."""

    def __init__(self, client, name, notified):
        self.client = client
        self.name = name
        self.notified = notified

    async def done(self, tool, **arguments):
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error is False, (tool, result.content)
        assert json.loads(result.content[0].text) == result.structured_content, tool
        return result.structured_content

    async def told(self, tool, **arguments):
        """The JSON of a coord_* tool."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, (tool, result.content)
        return json.loads(result.content[0].text)

    async def failed(self, tool, **arguments):
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error is True, (tool, result.content)
        return result.content[0].text


@contextlib.asynccontextmanager
async def agent(options, mode, name):
    notified = asyncio.Queue()

    async def handle(message):
        message = getattr(message, "root", message)
        uri = getattr(getattr(message, "params", None), "uri", None)
        if uri is not None:
            notified.put_nowait(str(uri))

    async with Client(target(options, name), mode=mode, message_handler=handle) as client:
        yield Agent(client, name, notified)


def step(mode, text):
    print(f"{mode}: {text}", flush=True)


async def introduce(mode, one):
    assert one.client.server_info.name == "mainstay", one.client.server_info
    assert one.client.server_capabilities.resources.subscribe is True
    tools = [tool.name for tool in (await one.client.list_tools()).tools]
    assert tools[:8] == LEGACY_TOOLS, tools
    assert "mail_send" in tools and tools[-1] == "whoami", tools
    assert (await one.done("whoami"))["instance"] == one.name
    prompts = [prompt.name for prompt in (await one.client.list_prompts()).prompts]
    assert prompts == ["check_mail", "request_review", "hand_over", "standup"], prompts
    step(mode, f"speaks {one.client.protocol_version}, lists {len(tools)} tools and {len(prompts)} prompts")


async def exchange(mode, one, other):
    start = await other.done("mail_wait", after="now", wait_ms=0)
    waiting = asyncio.create_task(other.done("mail_wait", after=start["position"], wait_ms=60_000))
    sent = await one.done("mail_send", to=[other.name], subject="API is ready", body="Please look.")
    woken = await asyncio.wait_for(waiting, SOON_SECONDS)
    assert [message["id"] for message in woken["messages"]] == [sent["id"]], woken
    listed = await one.done("mail_list", recipient=other.name, pending=True)
    assert sent["id"] in [message["id"] for message in listed["messages"]], listed
    read = await other.done("mail_read", id=sent["id"])
    assert read["body"] == "Please look." and read["from"] == one.name, read
    ack = await other.done("mail_ack", id=sent["id"], comment="Looks good")
    assert ack["by"] == other.name and ack["already"] is False, ack
    receipt = (await one.done("mail_read", id=sent["id"]))["receipts"][0]
    assert receipt["ack"]["comment"] == "Looks good", receipt
    step(mode, "a message was sent, waited for, read and acknowledged")


async def older_tools(mode, one, other):
    published = await one.told(
        "coord_publish_message", msg_type="GENERAL", subject="s", description="d", to_instance=other.name
    )
    checked = await other.told("coord_check_messages", to_instance=other.name, pending_only=True)
    assert published["message_id"] in [message["id"] for message in checked["messages"]], checked
    notified = await other.told("coord_get_notifications")
    assert published["message_id"] in [event["message_id"] for event in notified["notifications"]], notified
    acknowledged = await other.told("coord_ack_message", message_id=published["message_id"])
    assert acknowledged["acknowledged_by"] == other.name, acknowledged
    assert "Message not found: msg-nope" in await one.failed("coord_ack_message", message_id="msg-nope")
    step(mode, "the coord_* tools agree")


async def failures(mode, one):
    assert "mail_list" in await one.failed("mail_read", id="msg-nope")
    try:
        await one.client.call_tool("nope", {})
    except Exception as error:  # noqa: BLE001 - each version of the package has its own class
        assert "Unknown tool" in str(error), error
    else:
        raise AssertionError("an unknown tool was called")
    step(mode, "failures are told as failures")


async def resources(mode, one, other):
    uris = [str(resource.uri) for resource in (await other.client.list_resources()).resources]
    assert uris == ["mailbox://me", "presence://instances"], uris
    sent = await one.done("mail_send", to=[other.name], subject="s", requires_ack=False)
    mailbox = json.loads((await other.client.read_resource("mailbox://me")).contents[0].text)
    assert mailbox["instance"] == other.name and mailbox["counts"]["unread"] >= 1, mailbox
    message = json.loads((await one.client.read_resource(f"mail://message/{sent['id']}")).contents[0].text)
    assert message["id"] == sent["id"], message
    await other.done("mail_mark_read", ids=[sent["id"]])
    step(mode, "mailboxes and messages are resources")


async def subscription(mode, one, other):
    uri = "mailbox://me"
    if mode == "legacy":
        await other.client.subscribe_resource(uri)
        # The stream of an HTTP client opens beside the subscription: send until it carries something.
        for _ in range(SOON_SECONDS):
            await one.done("mail_send", to=[other.name], subject="ping", requires_ack=False)
            with contextlib.suppress(asyncio.TimeoutError):
                assert await asyncio.wait_for(other.notified.get(), 1) in (uri, f"mailbox://{other.name}")
                break
        else:
            raise AssertionError("no notification came")
        await other.client.unsubscribe_resource(uri)
    else:
        async with other.client.listen(resource_subscriptions=[uri]) as events:
            await one.done("mail_send", to=[other.name], subject="ping", requires_ack=False)
            async with asyncio.timeout(SOON_SECONDS):
                async for event in events:
                    assert str(event.uri) == uri, event
                    break
    step(mode, "a subscriber was told of new mail")


async def presence(mode, one, other):
    await one.done("presence_register", role="backend", current_work="tests")
    listed = await other.done("presence_list")
    assert one.name in [instance["instance"] for instance in listed["instances"]], listed
    assert (await one.done("presence_unregister"))["changed"] is True
    step(mode, "an agent came, was seen and left")


async def run(options):
    for mode in MODES:
        suffix = uuid.uuid4().hex[:6]
        async with agent(options, mode, f"backend-{suffix}") as one, agent(options, mode, f"frontend-{suffix}") as other:
            await introduce(mode, one)
            await exchange(mode, one, other)
            await older_tools(mode, one, other)
            await failures(mode, one)
            await resources(mode, one, other)
            await subscription(mode, one, other)
            await presence(mode, one, other)
        step(mode, "closed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("transport", choices=["stdio", "http"])
    parser.add_argument("target", nargs="+", help="the command that serves stdio, or the URL of the endpoint")
    options = parser.parse_args()
    asyncio.run(asyncio.wait_for(run(options), 10 * SOON_SECONDS))


if __name__ == "__main__":
    sys.exit(main())
