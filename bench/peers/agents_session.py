"""Appends to sessions of the OpenAI Agents SDK on Redis: one round for each line on stdin, which names a length.

Prints `ready` when the long sessions are filled, then the median of each round, in milliseconds.
"""

import asyncio
import statistics
import sys
import time

from agents.extensions.memory import RedisSession

APPENDS = 40
BATCH = 100
# As long a text as the other side of the comparison appends.
TEXT = "The interface of the payments module is ready for review; the open questions are in the thread."


def pair(number: int) -> list:
    return [
        {"role": "user", "content": f"{number}: {TEXT}"},
        {"role": "assistant", "content": f"{number + 1}: {TEXT}"},
    ]


async def filled(url: str, name: str, length: int) -> RedisSession:
    session = RedisSession.from_url(name, url=url)
    items = [item for number in range(0, length, 2) for item in pair(number)]
    for first in range(0, length, BATCH):
        await session.add_items(items[first : first + BATCH])
    return session


async def p50_ms(session: RedisSession) -> float:
    taken = []
    for number in range(APPENDS):
        items = pair(number)
        began = time.perf_counter()
        await session.add_items(items)
        taken.append((time.perf_counter() - began) * 1_000)
    return statistics.median(taken)


async def main(url: str, shortest: int, *longer: int) -> None:
    sessions = {length: await filled(url, f"peer-{length}", length) for length in longer}
    print("ready", flush=True)
    # Read where nothing else runs: a round must not share its loop with a reader.
    for number, line in enumerate(sys.stdin):
        length = int(line)
        if length == shortest:
            # A short session would not stay short: each round has its own.
            session = await filled(url, f"peer-{length}-{number}", length)
            print(await p50_ms(session), flush=True)
            await session.close()
        else:
            print(await p50_ms(sessions[length]), flush=True)
    for session in sessions.values():
        await session.close()


asyncio.run(main(sys.argv[1], *(int(length) for length in sys.argv[2:])))
