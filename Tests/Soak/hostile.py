"""Clients that mean harm, one kind at a time: what each does, how many there are, and what the server says to them.

They come at a fixed rate, whatever the server does, or a fixed number of them is always there."""

import asyncio
import collections
import dataclasses
import json
import random
import typing

from wire import BARE, CLOSED, CUT, talk

HEAD = "POST /v1/completions HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\n"
LARGE = 16 << 20
ASKS = json.dumps(dict(prompt="Tell me about the fox", max_tokens=300, ignore_eos=True, stream=True)).encode()
# Made once: who sends them should cost as little as possible.
LARGE_BODY = f"{HEAD}Content-Length: {LARGE}\r\n\r\n".encode() + bytes(LARGE)
DEEP = b'{"prompt": ' + b"[" * 200_000
DEEP_JSON = f"{HEAD}Connection: close\r\nContent-Length: {len(DEEP)}\r\n\r\n".encode() + DEEP
LARGE_HEADER = f"GET /health HTTP/1.1\r\nX-Large: {'a' * (1 << 20)}\r\n\r\n".encode()
TWO_LENGTHS = f"{HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{{}}   ".encode()
WHOLE = f"{HEAD}Content-Length: {len(ASKS)}\r\n\r\n".encode() + ASKS


def slowly(beginning, byte):
    """A byte a second, for ever."""
    yield beginning
    yield random.random()
    while True:
        yield byte
        yield 1


def half_closed():
    """Asks for a long answer and shuts its side: sometimes before all is said, and it never closes."""
    yield WHOLE if random.random() < 0.5 else WHOLE[: random.randrange(len(WHOLE))]
    yield None


@dataclasses.dataclass
class Kind:
    name: str
    pieces: typing.Callable
    expected: set
    # So many each second, or so many all the time.
    rate: float = 0
    count: int = 0


KINDS = [
    Kind("idle connections", lambda: iter(()), {CLOSED}, count=1000),
    Kind("slow headers", lambda: slowly(HEAD.encode() + b"X-Slow: ", b"a"), {"408 request_timeout"}, count=100),
    Kind(
        "slow bodies", lambda: slowly(f"{HEAD}Content-Length: 1000\r\n\r\n{{".encode(), b" "), {"408 request_timeout"},
        count=100,
    ),
    # Who shuts a side counts as gone; what was cut before its end is refused as such.
    Kind("half-closed sockets", half_closed, {CLOSED, CUT, BARE, "400 invalid_http", "499 gone"}, rate=20),
    Kind("16 MB bodies", lambda: iter([LARGE_BODY]), {"413 body_too_large"}, rate=4),
    Kind("deep JSON", lambda: iter([DEEP_JSON]), {"400 invalid_json"}, rate=20),
    Kind("1 MB headers", lambda: iter([LARGE_HEADER]), {"431 headers_too_large"}, rate=10),
    Kind("two Content-Lengths", lambda: iter([TWO_LENGTHS]), {"400 invalid_http"}, rate=50),
]


class Neighbours:
    """Clients of some kinds, from `begin` to `end`."""

    def __init__(self, port, kinds):
        self.port = port
        self.kinds = kinds
        self.tasks = set()
        self.outcomes = {kind.name: collections.Counter() for kind in kinds}

    def spawn(self, coroutine):
        task = asyncio.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def one(self, kind):
        try:
            self.outcomes[kind.name][await talk(self.port, kind.pieces())] += 1
        except OSError as error:
            self.outcomes[kind.name][repr(error)] += 1

    async def stay(self, kind, delay):
        await asyncio.sleep(delay)
        while True:
            await self.one(kind)

    async def come(self, kind):
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self.spawn(self.one(kind))
            due += 1 / kind.rate
            await asyncio.sleep(max(0, due - loop.time()))

    def begin(self):
        for kind in self.kinds:
            for number in range(kind.count):
                self.spawn(self.stay(kind, number / kind.count))
            if kind.rate:
                self.spawn(self.come(kind))

    async def end(self):
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def unexpected(self):
        """What was answered and should not have been."""
        return {
            kind.name: wrong
            for kind in self.kinds
            if (wrong := {what: n for what, n in self.outcomes[kind.name].items() if what not in kind.expected})
        }
