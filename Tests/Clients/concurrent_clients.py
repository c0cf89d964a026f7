"""32 clients at once, which go away in the middle of two in five of their requests: every answer is, byte for byte,
what the same request gives alone; and what was left is ended by the server, which keeps nothing of it.

Usage: concurrent_clients.py URL"""

import asyncio
import json
import random
import re
import sys
import time
import urllib.request

import openai

from checks import expect

MODEL = "apus-stories"
CLIENTS = 32
ROUNDS = 6
TOPICS = ["fox", "owl", "lighthouse", "rain", "baker", "otter", "clock", "river"]
SCHEMA = {
    "type": "object",
    "properties": {"kind": {"type": "string", "maxLength": 40}, "tame": {"type": "boolean"}},
    "required": ["kind", "tame"],
    "additionalProperties": False,
}


def request(number):
    """A request of its own for each number, of every kind."""
    chance = random.Random(number)
    fields = dict(model=MODEL, max_tokens=chance.randrange(8, 200), seed=number)
    fields["temperature"] = chance.choice([0, 0.7, 1.0, 1.3])
    if chance.random() < 0.3:
        fields["top_p"] = 0.9
    if chance.random() < 0.3:
        fields["stop"] = chance.sample([" the", ". ", "and", "It"], 2)
    if chance.random() < 0.3:
        fields["n"] = chance.randrange(2, 4)
    if chance.random() < 0.3:
        fields["frequency_penalty"] = 0.5
    text = f"Tell me about the {chance.choice(TOPICS)}"
    if chance.random() < 0.5:
        fields["messages"] = [{"role": "user", "content": text}]
        if chance.random() < 0.4:
            fields |= dict(logprobs=True, top_logprobs=2)
        if "stop" not in fields and chance.random() < 0.3:
            schema = {"name": "animal", "schema": SCHEMA}
            fields["response_format"] = {"type": "json_schema", "json_schema": schema}
    else:
        fields["prompt"] = text
        if chance.random() < 0.4:
            fields["logprobs"] = 2
    return fields


async def send(client, fields, stream):
    kind = client.chat.completions if "messages" in fields else client.completions
    return await kind.create(**fields, stream=stream)


def content(choice):
    """What an answer's choice says, without the names that differ each time."""
    return choice.model_dump(exclude_none=True)


async def whole(client, fields):
    answer = await send(client, fields, stream=False)
    return [content(choice) for choice in answer.choices], answer.usage.completion_tokens


async def streamed(client, fields):
    """The text of each choice, why it ended, and the log-probabilities of its tokens."""
    count = fields.get("n", 1)
    texts, reasons, scores = [""] * count, [None] * count, [[] for _ in range(count)]
    async for chunk in await send(client, fields, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += (choice.delta.content or "") if "messages" in fields else choice.text
            reasons[choice.index] = choice.finish_reason or reasons[choice.index]
            scores[choice.index] += token_scores(choice.model_dump(exclude_none=True))
    return texts, reasons, scores


def token_scores(choice):
    logprobs = choice.get("logprobs", {})
    return logprobs.get("token_logprobs") or [token["logprob"] for token in logprobs.get("content", [])]


def as_streamed(choices):
    texts = [choice["message"]["content"] if "message" in choice else choice["text"] for choice in choices]
    return texts, [choice["finish_reason"] for choice in choices], [token_scores(choice) for choice in choices]


async def leave(client, fields, chance):
    """Goes away: before the answer, or in the middle of it. Whether there was something left of it."""
    fields = {key: value for key, value in fields.items() if key not in ["stop", "response_format"]}
    fields |= {"max_tokens": 400, "extra_body": {"ignore_eos": True}}
    if chance.random() < 0.5:
        try:
            await asyncio.wait_for(send(client, fields, stream=False), chance.random() * 0.05)
        except (asyncio.TimeoutError, openai.APITimeoutError):
            return True
        return False
    stream = await send(client, fields, stream=True)
    left = False
    async for _ in stream:
        if chance.random() < 0.1:
            left = True
            break
    await stream.close()
    return left


async def work(client, numbers, alone, failures):
    """How many requests were left."""
    count = 0
    for number in numbers:
        chance = random.Random(-number)
        fields = request(number)
        if number % 5 < 2:
            count += await leave(client, fields, chance)
        elif chance.random() < 0.5:
            found = await whole(client, fields)
            if found != alone[number]:
                failures.append((number, found, alone[number]))
        else:
            found = await streamed(client, fields)
            expected = as_streamed(alone[number][0])
            if found != expected:
                failures.append((number, found, expected))
    return count


def ask(url, path):
    with urllib.request.urlopen(url.removesuffix("/v1") + path, timeout=30) as answer:
        return answer.read().decode()


def aborted(url):
    """Requests that the server ended because their clients had gone."""
    line = r'^apus:request_success_total{.*finished_reason="abort"} (\d+)$'
    return int(re.search(line, ask(url, "/metrics"), re.MULTILINE)[1])


def expect_idle(url):
    deadline = time.monotonic() + 10
    while True:
        load = json.loads(ask(url, "/load"))
        if load["running"] == load["waiting"] == load["kv_cache_usage"] == 0:
            return
        expect(time.monotonic() < deadline, "10 s after the last client the server still has work", load)
        time.sleep(0.05)


async def main(url):
    client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=60)
    count = CLIENTS * ROUNDS
    alone = {}
    for number in range(count):
        if number % 5 >= 2:
            alone[number] = await whole(client, request(number))
    failures = []
    before = aborted(url)
    tasks = [work(client, range(first, count, CLIENTS), alone, failures) for first in range(CLIENTS)]
    left = sum(await asyncio.gather(*tasks))
    expect(not failures, f"{len(failures)} of {len(alone)} answers differ; the first:", *failures[:1])
    going = count - len(alone)
    expect(left >= going * 3 // 4, f"only {left} of {going} requests were left before their end")
    expect_idle(url)
    ended = aborted(url) - before
    # The last of an answer may be on its way when its client goes; a request may be left before it is read.
    expect(ended >= left // 2, f"{left} requests were left, but only {ended} ended early")
    print(f"concurrent clients: passed, {len(alone)} answers equal, {left} requests left, {ended} texts ended by that")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
