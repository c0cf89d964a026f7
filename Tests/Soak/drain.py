"""SIGTERM in the middle of work: requests that were accepted are answered whole and right, new ones are refused with
503 until the server is gone, and it ends with exit code 0."""

import asyncio
import json
import random
import time

from answers import content, events, streamed_content
from requests_pool import endless, error_code
from wire import Connection, Gone, post_json

REQUESTS = 32
IDLE = 8
SECONDS_MAX = 60


class Accepted:
    """A long request whose answer alone is known."""

    def __init__(self, number):
        path, fields = endless(number)
        self.streams = number % 2 == 0
        prompt = fields.get("prompt")
        self.text_count = len(prompt) if isinstance(prompt, list) and isinstance(prompt[0], str) else 1
        self.alone = post_json(path, fields)
        streamed = fields | dict(stream=True, stream_options={"include_usage": True})
        self.data = post_json(path, streamed) if self.streams else self.alone
        self.expected = None
        self.connection = None

    async def ask_alone(self, port):
        connection = await Connection.open(port)
        await connection.send(self.alone)
        await connection.read_head()
        self.expected = content(json.loads(await connection.read_body()))
        connection.close()

    async def send(self, port):
        self.connection = await Connection.open(port)
        await self.connection.send(self.data)

    async def answer(self):
        """None if it is the right one, else what came."""
        try:
            status = await self.connection.read_head()
            body = await self.connection.read_body()
        except Gone as error:
            return f"{error!r}"
        finally:
            self.connection.close()
        if status != 200:
            return f"{status} {body[:300]!r}"
        found = streamed_content(events(body)) if self.streams else content(json.loads(body))
        return None if found == self.expected else f"{found!r} instead of {self.expected!r}"


async def refusals(server, data):
    """Sends new requests, each on a connection of its own, until none can be made. How many met 503, and what else
    they met; the answers of those that came as the server ended are cut."""
    refused, other, cut = 0, [], 0
    while server.is_alive:
        try:
            connection = await Connection.open(server.port)
        except OSError:
            break
        try:
            await connection.send(data)
            status = await connection.read_head()
            found = status, error_code(await connection.read_body()), "retry-after" in connection.headers
            if found == (503, "draining", True):
                refused += 1
            else:
                other.append(found)
        except Gone:
            cut += 1
        finally:
            connection.close()
        await asyncio.sleep(0.01)
    return refused, other, cut


async def wait_until_draining(server):
    """Until `/ready` says so."""
    async with asyncio.timeout(SECONDS_MAX):
        while json.loads(await asyncio.to_thread(server.get, "/ready"))["status"] != "draining":
            await asyncio.sleep(0.002)


async def run(server, seed):
    chance = random.Random(seed)
    accepted = [Accepted(number) for number in chance.sample(range(200), REQUESTS)]
    for request in accepted:
        await request.ask_alone(server.port)
    # Connections that nobody uses must not hold up the end.
    idle = [await Connection.open(server.port) for _ in range(IDLE)]
    all_taken = server.metrics()["num_requests_total"] + sum(request.text_count for request in accepted)
    for request in accepted:
        await request.send(server.port)
    async with asyncio.timeout(SECONDS_MAX):
        while (counts := await asyncio.to_thread(server.metrics))["num_requests_total"] < all_taken:
            await asyncio.sleep(0.002)
    began = time.monotonic()
    server.terminate()
    running, waiting = counts["num_requests_running"], counts["num_requests_waiting"]
    await wait_until_draining(server)
    answers = asyncio.gather(*(request.answer() for request in accepted))
    refusing = asyncio.create_task(refusals(server, accepted[0].data))
    wrong = [answer for answer in await answers if answer is not None]
    code = await asyncio.to_thread(server.exit_code, SECONDS_MAX)
    seconds = time.monotonic() - began
    refused, other, cut = await refusing
    for connection in idle:
        connection.close()
    problems = [] if running and waiting else [f"{running} requests running and {waiting} waiting are too few"]
    problems += [f"{len(wrong)} of {REQUESTS} accepted requests: {wrong[0]}"] if wrong else []
    problems += [f"new requests met {other[:3]}"] if other else []
    problems += ["no new request met 503"] if refused == 0 else []
    problems += [f"{cut} new requests were cut"] if cut > 1 else []
    problems += [f"exit code {code}"] if code != 0 else []
    if problems:
        raise SystemExit("drain: failed: " + "; ".join(problems))
    print(
        f"drain: passed: SIGTERM with {running:.0f} texts running and {waiting:.0f} waiting; all {REQUESTS} answered right, "
        f"{refused} new ones refused with 503 ({cut} cut as it ended), exit code 0 after {seconds:.1f} s"
    )

