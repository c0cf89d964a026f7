"""32 clients at once, two in five of which go away in the middle: every answer is, byte for byte, what the same request
gives alone."""

import asyncio
import random
import sys

import openai

MODEL = "apus-stories"
CLIENTS = 32
ROUNDS = 6
TOPICS = ["fox", "owl", "lighthouse", "rain", "baker", "otter", "clock", "river"]


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
    """The text of each choice and why it ended."""
    texts = [""] * fields.get("n", 1)
    reasons = [None] * len(texts)
    async for chunk in await send(client, fields, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += (choice.delta.content or "") if "messages" in fields else choice.text
            reasons[choice.index] = choice.finish_reason or reasons[choice.index]
    return texts, reasons


async def leave(client, fields, chance):
    """Goes away: before the answer, or in the middle of it."""
    fields = fields | {"max_tokens": 400}
    if chance.random() < 0.5:
        try:
            await asyncio.wait_for(send(client, fields, stream=False), chance.random() * 0.05)
        except (asyncio.TimeoutError, openai.APITimeoutError):
            pass
        return
    stream = await send(client, fields, stream=True)
    async for _ in stream:
        if chance.random() < 0.1:
            break
    await stream.close()


async def work(client, numbers, alone, failures):
    for number in numbers:
        chance = random.Random(-number)
        fields = request(number)
        if number % 5 < 2:
            await leave(client, fields, chance)
        elif chance.random() < 0.5:
            found = await whole(client, fields)
            if found != alone[number]:
                failures.append((number, found, alone[number]))
        else:
            texts, reasons = await streamed(client, fields)
            choices = alone[number][0]
            expected = [c["message"]["content"] if "messages" in fields else c["text"] for c in choices]
            if texts != expected or reasons != [c["finish_reason"] for c in choices]:
                failures.append((number, texts, expected))


async def main(url):
    client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=120)
    count = CLIENTS * ROUNDS
    alone = {}
    for number in range(count):
        if number % 5 >= 2:
            alone[number] = await whole(client, request(number))
    failures = []
    tasks = [work(client, range(first, count, CLIENTS), alone, failures) for first in range(CLIENTS)]
    await asyncio.gather(*tasks)
    if failures:
        raise SystemExit(f"concurrent clients: {len(failures)} of {count} answers differ; the first: {failures[0]}")
    print(f"concurrent clients: passed, {len(alone)} answers equal, {count - len(alone)} clients gone")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
