"""Thousands of requests in a row, of every size and kind, a part of them cancelled or malformed: nothing crashes or
leaks, every slot and page comes back, and every answer is, byte for byte, what the same request gives alone. Then
SIGTERM in the middle of work: what was accepted is answered.

Usage: soak.py APUS [--requests N] [--clients N] [--seed N]"""

import argparse
import asyncio
import collections
import json
import os
import random
import time

import drain
from answers import constant, content, events, streamed_content
from requests_pool import endless, error_code, generation, refused, text
from served import Served, load_average
from wire import Connection, Gone, post_json, talk

POOL = 200
ROUNDS = 10
# Of 100 requests, those that are cancelled, and those that are malformed.
CANCELLED, MALFORMED = 20, 20
MEMORY_GROWTH_MAX = 10e6
# A request of a soak takes a second or so; on a busy machine many more.
PATIENCE = 300


class Question:
    """A request with its right answer."""

    def __init__(self, path, fields):
        self.path = path
        self.whole = post_json(path, fields)
        streamed = fields | dict(stream=True, stream_options={"include_usage": True})
        self.stream = None if path == "/tokenize" else post_json(path, streamed)
        self.answer = None
        self.content = None


async def pool(port):
    """Questions, asked one at a time, whole and as a stream."""
    questions = [Question(*generation(number)) for number in range(POOL)]
    for number in range(POOL // 20):
        said = text(random.Random(number), 20 * number)
        questions.append(Question("/tokenize", dict(prompt=said)))
    connection = await Connection.open(port)
    for question in questions:
        await connection.send(question.whole)
        status = await connection.read_head()
        body = await connection.read_body()
        if status != 200:
            raise SystemExit(f"soak: {question.whole!r} alone: {status} {body!r}")
        question.answer = constant(body)
        if question.stream is None:
            continue
        question.content = content(json.loads(body))
        await connection.send(question.stream)
        await connection.read_head()
        found = streamed_content(events(await connection.read_body()))
        if found != question.content:
            raise SystemExit(f"soak: {question.stream!r} alone: {found!r}, not streamed {question.content!r}")
    connection.close()
    return questions


class Client:
    """One of those that send at the same time. Keeps a connection as long as the server and chance allow."""

    def __init__(self, soak, number):
        self.soak = soak
        self.chance = random.Random(f"{soak.seed} {number}")
        self.connection = None
        self.doing = ""

    async def run(self):
        while self.soak.left > 0:
            self.soak.left -= 1
            draw = self.chance.randrange(100)
            step = self.cancel if draw < CANCELLED else self.malform if draw < CANCELLED + MALFORMED else self.ask
            try:
                async with asyncio.timeout(PATIENCE):
                    await step()
            except (Gone, OSError, TimeoutError, ValueError, KeyError) as error:
                self.soak.fail(f"{step.__name__}, {self.doing}: {error!r}")
                self.connection = None
        self.leave()

    async def connected(self):
        if self.connection is None:
            self.connection = await Connection.open(self.soak.port)
        return self.connection

    def leave(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def maybe_leave(self):
        if not self.connection.stays_open or self.chance.random() < 0.2:
            self.leave()

    async def ask(self):
        question = self.chance.choice(self.soak.questions)
        streams = question.stream is not None and self.chance.random() < 0.5
        self.doing = f"{question.path} {'streamed' if streams else 'whole'}"
        connection = await self.connected()
        await connection.send(question.stream if streams else question.whole)
        status = await connection.read_head()
        body = await connection.read_body()
        if status != 200:
            self.soak.fail(f"{question.path}: {status} {body[:300]!r}")
        elif streams:
            self.soak.expect_equal(question, streamed_content(events(body)), question.content)
        else:
            self.soak.expect_equal(question, constant(body), question.answer)
        self.soak.count(self.doing)
        self.maybe_leave()

    async def malform(self):
        name, data, status, code, closes = self.chance.choice(self.soak.refused)
        self.doing = name
        if closes:
            found = await talk(self.soak.port, iter([data]))
        else:
            connection = await self.connected()
            await connection.send(data)
            found = f"{await connection.read_head()} {error_code(await connection.read_body())}"
            self.maybe_leave()
        if not found.startswith(f"{status} {code or ''}"):
            self.soak.fail(f"{name}: {found}, expected {status} {code}")
        self.soak.count(f"refused with {status}")

    async def cancel(self):
        """Goes away: in the head or the body, before the answer or in the middle of it."""
        path, fields = endless(self.chance.randrange(POOL))
        streams = self.chance.random() < 0.6
        data = post_json(path, fields | dict(stream=streams))
        connection = await Connection.open(self.soak.port)
        where = self.chance.choice(["head", "body", "answer", "answer", "answer", "answer"])
        way = self.chance.choice(["closed", "reset", "half-closed"])
        self.doing = f"{way} in the {where} of a {'stream' if streams else 'whole answer'}"
        if where == "head":
            await connection.send(data[: self.chance.randrange(60)])
        elif where == "body":
            await connection.send(data[: -self.chance.randrange(1, 40)])
        else:
            await connection.send(data)
            if streams and await connection.read_head() == 200:
                left = self.chance.randrange(60)
                async for _ in connection.pieces():
                    left -= 1
                    if left < 0:
                        break
            else:
                await asyncio.sleep(self.chance.random() ** 2 * 0.2)
        if way == "half-closed" and where == "answer":
            connection.finish_sending()
            if not await connection.closes(PATIENCE):
                self.soak.fail("a half-closed connection stayed open")
        if way == "reset":
            connection.reset()
        else:
            connection.close()
        self.soak.count(self.doing)


class Soak:
    def __init__(self, port, questions, seed):
        self.port = port
        self.questions = questions
        self.seed = seed
        self.refused = refused()
        self.left = 0
        self.counts = collections.Counter()
        self.failures = []

    def count(self, kind):
        self.counts[kind] += 1

    def fail(self, what):
        self.failures.append(what)

    def expect_equal(self, question, found, expected):
        if found != expected:
            self.fail(f"a wrong answer to {question.whole!r}: {found!r}, alone {expected!r}")

    async def round(self, number, request_count, client_count):
        self.left = request_count
        clients = [Client(self, f"{number} {client}") for client in range(client_count)]
        await asyncio.gather(*(client.run() for client in clients))


def expect(holds, what):
    if not holds:
        raise SystemExit(f"soak: failed: {what}")


def table_row(number, sent, seconds, server, files, counts):
    print(
        f"{sent:>8} {seconds:>8.1f} {server.resident_bytes() / 1e6:>8.1f} {files:>6} {server.thread_count():>8} "
        f"{counts['kv_pages_cached']:>7.0f} {counts['generation_tokens_total']:>9.0f}   {load_average()}",
        flush=True,
    )


def soak(server, options):
    """The rounds, and after each of them a look at the server at rest."""
    began = time.monotonic()
    load = Soak(server.port, asyncio.run(pool(server.port)), options.seed)
    server.wait_until_idle()
    # Timers and event loops open what they need when they are first used; all have been now.
    before = server.files()
    print(f"{len(load.questions)} requests answered alone in {time.monotonic() - began:.1f} s")
    print("requests  seconds   RSS MB  files  threads  cached    tokens   load average")
    memory, files = [], []
    sent, began = 0, time.monotonic()
    for number in range(ROUNDS):
        count = options.requests * (number + 1) // ROUNDS - sent
        asyncio.run(load.round(number, count, options.clients))
        sent += count
        if load.failures or not server.is_alive:
            break
        counts = server.wait_until_idle()
        files.append(server.settled_files(before))
        memory.append(server.resident_bytes())
        table_row(number, sent, time.monotonic() - began, server, len(files[-1]), counts)
    for failure in load.failures[:5]:
        print(failure)
    expect(server.is_alive, f"the server ended with {server.process.poll()}: {server.error_text()}")
    expect(not load.failures, f"{len(load.failures)} of {sent}")
    for kind, count in sorted(load.counts.items()):
        print(f"{count:>8} {kind}")
    check_counts(server.wait_until_idle())
    expect(len(files[-1]) <= len(before), f"open files: {before} before, {files[-1]} at the end")
    growth = memory[-1] - memory[0]
    expect(growth < MEMORY_GROWTH_MAX, f"memory grew by {growth / 1e6:.1f} MB after the first round: {memory}")
    print(
        f"soak: passed: {sent} requests, 0 wrong answers; memory grew by {growth / 1e6:.1f} MB after the first "
        f"{sent // ROUNDS}; {len(files[-1])} open files at its end, {len(before)} before"
    )


def check_counts(counts):
    """That all requests which the engine took have ended, none by a failure."""
    ended = {name.split(":")[1]: count for name, count in counts.items() if name.startswith("request_success_total:")}
    expect(sum(ended.values()) == counts["num_requests_total"], (ended, counts["num_requests_total"]))
    expect(ended["error"] == ended["timeout"] == counts["corrupted_requests_total"] == 0, ended)
    expect(ended["abort"] > 0, "no cancelled request reached the engine")
    print("the engine's requests:", ", ".join(f"{name} {count:.0f}" for name, count in ended.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("apus")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1, help="of the server; %(default)s leaves cores to the clients")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "1")))
    options = parser.parse_args()
    server = Served(options.apus, "--threads", str(options.threads))
    try:
        soak(server, options)
        asyncio.run(drain.run(server, options.seed))
        expect(not server.error_text(), f"the server wrote errors: {server.error_text()[:2000]}")
    finally:
        server.end()


if __name__ == "__main__":
    main()
