"""Publishes chat messages the two ways that the founding system knows: over its HTTP bridge, and to a Redis stream.

Each line on stdin names a way and a number of events: `bridge 200` or `stream 200`. Prints `ready`, then `sent` behind each.
Each event carries the moment just before it was published, of the clock that all processes of a machine share.
The clients are set up as that system sets them up: one pooled httpx client with its limits, one redis-py client.
"""

import asyncio
import json
import sys
import time
import uuid
from datetime import datetime, timezone

import httpx
import redis.asyncio as redis

PAUSE = 0.01
FILL = "x" * 200


def message(room: int) -> dict:
    return {
        "id": str(uuid.uuid4()),
        "requestId": str(room),
        "content": FILL,
        "sequenceNumber": 1,
        "isScreenshot": False,
        "at_ns": time.monotonic_ns(),
    }


async def main(bridge: str, key: str, redis_url: str, rooms: int) -> None:
    http = httpx.AsyncClient(
        base_url=bridge,
        timeout=httpx.Timeout(10),
        headers={"X-Internal-Api-Key": key, "Content-Type": "application/json"},
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
    )
    streams = redis.Redis.from_url(redis_url, decode_responses=False)

    async def over_the_bridge(room: int) -> None:
        body = {"event_id": str(uuid.uuid4()), "request_id": str(room), "message": message(room)}
        response = await http.post("/internal/chat/message", json=body)
        response.raise_for_status()
        response.json()

    async def to_the_stream(room: int) -> None:
        event = {
            "event_id": str(uuid.uuid4()),
            "event_type": "chat_message",
            "timestamp": datetime.now(timezone.utc).isoformat(),
            "room_id": f"request:{room}",
            "payload": json.dumps(message(room)),
        }
        await streams.xadd("events:chat", event, maxlen=10_000, approximate=True)

    ways = {"bridge": over_the_bridge, "stream": to_the_stream}
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        way, count = line.split()
        for number in range(int(count)):
            await ways[way](number % rooms)
            await asyncio.sleep(PAUSE)
        print("sent", flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
