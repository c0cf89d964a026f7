"""The official openai package against a server: what it sends is answered, and what comes back it understands."""

import math
import sys

import openai

from checks import expect, expect_error

PROMPT = "Tell me about the fox"
MESSAGES = [{"role": "user", "content": PROMPT}]
MODEL = "apus-stories"


def models(client):
    listed = client.models.list()
    expect([(model.id, model.object) for model in listed.data] == [(MODEL, "model")], listed)
    expect(client.models.retrieve(MODEL).id == MODEL)
    expect_error(openai.NotFoundError, 404, lambda: client.models.retrieve("gpt-4o"), code="model_not_found")


def joined(chunks, count=1):
    """The texts of a stream's choices and why they ended, of either kind, if the stream is what it should be."""
    texts = [""] * count
    reasons = [None] * count
    for chunk in chunks:
        expect((chunk.id, chunk.model) == (chunks[0].id, MODEL), chunk)
        for choice in chunk.choices:
            expect(reasons[choice.index] is None, "something follows a choice's end", chunk)
            texts[choice.index] += choice.text if hasattr(choice, "text") else choice.delta.content or ""
            reasons[choice.index] = choice.finish_reason
    return texts, reasons


def expect_usage_at_the_end(chunks, usage):
    """In one chunk, the last, which has no choices."""
    expect([chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1), chunks)
    expect(chunks[-1].choices == [], chunks[-1])
    found = chunks[-1].usage
    expect((found.prompt_tokens, found.completion_tokens, found.total_tokens)
           == (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), found, usage)


def completions(client):
    greedy = dict(model=MODEL, prompt=PROMPT, temperature=0, max_tokens=40)
    whole = client.completions.create(**greedy)
    text = whole.choices[0].text
    expect(text.startswith("\n\nThe fox is"), text)
    expect(whole.choices[0].finish_reason == "length" and whole.choices[0].logprobs is None, whole)
    usage = whole.usage
    expect((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (5, 40, 45), usage)
    ended = client.completions.create(**(greedy | {"max_tokens": 400}))
    expect(ended.choices[0].finish_reason == "stop" and ended.choices[0].text.startswith(text), ended)
    expect(40 < ended.usage.completion_tokens < 400, ended)

    chunks = list(client.completions.create(**greedy, stream=True, stream_options={"include_usage": True}))
    expect(joined(chunks) == ([text], ["length"]) and len(chunks) > 20, chunks)
    expect_usage_at_the_end(chunks, usage)
    chunks = list(client.completions.create(**greedy, stream=True))
    expect(joined(chunks) == ([text], ["length"]) and all(chunk.usage is None for chunk in chunks), chunks)

    for stop in ["red", ["red", "never"], ["pointed face, a red"]]:
        expected = text.split(stop if isinstance(stop, str) else stop[0])[0]
        stopped = client.completions.create(**greedy, stop=stop).choices[0]
        expect((stopped.text, stopped.finish_reason) == (expected, "stop"), stopped)
        chunks = list(client.completions.create(**greedy, stop=stop, stream=True))
        expect(joined(chunks) == ([expected], ["stop"]), chunks)
    for none in [None, [], "\u2603"]:
        expect(client.completions.create(**greedy, stop=none).choices[0].text == text, none)

    biased = client.completions.create(**(greedy | {"max_tokens": 3}), logit_bias={"262": 100}).choices[0].text
    expect(biased != text[: len(biased)], biased)
    extra = {"top_k": 1, "min_p": 0.1, "repetition_penalty": 1.0, "ignore_eos": True, "min_tokens": 2, "priority": 1}
    one = client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=40, extra_body=extra)
    expect(one.choices[0].text == text, one)
    echoed = client.completions.create(**greedy, echo=True).choices[0].text
    expect(echoed == PROMPT + text, echoed)


def several(client):
    """`n`, several prompts, seeds."""
    fields = dict(model=MODEL, prompt=[PROMPT, "Tell me a story"], n=3, seed=5, max_tokens=12)
    found = client.completions.create(**fields)
    texts = [choice.text for choice in found.choices]
    expect([choice.index for choice in found.choices] == list(range(6)), found)
    expect(len(set(texts[:3])) > 1 and len(set(texts[3:])) > 1, "choices are copies", texts)
    expect(found.usage.completion_tokens <= 72 and found.usage.prompt_tokens == 5 + 4, found.usage)
    again = client.completions.create(**fields)
    expect([choice.text for choice in again.choices] == texts, again)
    chunks = list(client.completions.create(**fields, stream=True))
    expect(joined(chunks, 6)[0] == texts, chunks)

    def draw(**seed):
        return client.completions.create(model=MODEL, prompt="Tell me a story", max_tokens=30, **seed).choices[0].text

    drawn = [draw(seed=seed) for seed in range(6)]
    expect(len(set(drawn)) > 3, "seeds change nothing", drawn)
    expect([draw(seed=seed) for seed in range(6)] == drawn, "a seed does not settle the text")
    expect(len({draw() for _ in range(6)}) > 1, "without a seed the texts are the same")


def logprobs(client):
    greedy = dict(model=MODEL, temperature=0, max_tokens=20)
    scored = client.completions.create(**greedy, prompt=PROMPT, logprobs=3).choices[0]
    found = scored.logprobs
    expect("".join(found.tokens) == scored.text and len(found.tokens) == 20, found)
    for token, value, top in zip(found.tokens, found.token_logprobs, found.top_logprobs):
        expect(len(top) == 3 and value == top[token] == max(top.values()), token, value, top)
        expect(0 < sum(math.exp(each) for each in top.values()) <= 1.0001, top)

    chunks = list(client.completions.create(**greedy, prompt=PROMPT, logprobs=3, stream=True))
    parts = [choice.logprobs for chunk in chunks for choice in chunk.choices if choice.logprobs]
    for name in ["tokens", "token_logprobs", "top_logprobs", "text_offset"]:
        expect(sum((getattr(part, name) for part in parts), []) == getattr(found, name), name, parts)

    # What was generated is scored as it was drawn, when it comes back as a prompt.
    text = PROMPT + scored.text
    echoed = client.completions.create(
        **(greedy | {"max_tokens": 0}), prompt=text, logprobs=3, echo=True).choices[0]
    prompt = echoed.logprobs
    expect("".join(prompt.tokens) == echoed.text == text and prompt.tokens[5:] == found.tokens, prompt)
    expect(prompt.token_logprobs[0] is None and prompt.text_offset[:3] == [0, 4, 7], prompt)
    expect(all(abs(a - b) < 1e-3 for a, b in zip(prompt.token_logprobs[5:], found.token_logprobs)), prompt, found)

    said = client.chat.completions.create(**greedy, messages=MESSAGES, logprobs=True, top_logprobs=2).choices[0]
    tokens = said.logprobs.content
    expect([(token.token, token.logprob) for token in tokens]
           == list(zip(found.tokens, found.token_logprobs)), tokens)
    expect(b"".join(bytes(token.bytes) for token in tokens).decode() == said.message.content, tokens)
    for token, top in zip(tokens, found.top_logprobs):
        best = sorted(top.items(), key=lambda item: -item[1])[:2]
        expect([(each.token, each.logprob) for each in token.top_logprobs] == best, token, best)


def chat(client):
    greedy = dict(model=MODEL, messages=MESSAGES, temperature=0, max_completion_tokens=40)
    whole = client.chat.completions.create(**greedy)
    choice = whole.choices[0]
    text = choice.message.content
    expect(choice.message.role == "assistant" and text.startswith("\n\nThe fox is"), choice)
    expect(choice.finish_reason == "length" and choice.logprobs is None, choice)
    expect((whole.usage.prompt_tokens, whole.usage.completion_tokens) == (5, 40), whole.usage)

    chunks = list(client.chat.completions.create(**greedy, stream=True, stream_options={"include_usage": True}))
    expect(chunks[0].choices[0].delta.role == "assistant", chunks[0])
    expect(joined(chunks) == ([text], ["length"]) and len(chunks) > 20, chunks)
    expect_usage_at_the_end(chunks, whole.usage)
    # This helper takes a text that a limit cut short for an error.
    with client.chat.completions.stream(**greedy, stop="red") as events:
        events.until_done()
        final = events.get_final_completion().choices[0]
        expect((final.message.content, final.finish_reason) == (text.split("red")[0], "stop"), final)
    parts = [{"role": "user", "content": [{"type": "text", "text": PROMPT}]}]
    expect(client.chat.completions.create(**(greedy | {"messages": parts})).choices[0].message.content == text)
    drawn = greedy | {"temperature": 1.0, "seed": 3}
    texts = [each.message.content for each in client.chat.completions.create(**drawn, n=4).choices]
    expect(len(texts) == 4 and len(set(texts)) > 1, texts)
    expect(joined(list(client.chat.completions.create(**drawn, n=4, stream=True)), 4)[0] == texts, texts)


def errors(client, guarded_url):
    def create(**fields):
        return lambda: client.completions.create(**({"model": MODEL, "prompt": PROMPT} | fields))

    def say(**fields):
        return lambda: client.chat.completions.create(**({"model": MODEL, "messages": MESSAGES} | fields))

    bad = openai.BadRequestError
    expect_error(bad, 400, create(temperature=-1), param="temperature")
    expect_error(bad, 400, create(temperature="hot"), param="temperature")
    expect_error(bad, 400, create(top_p=2), param="top_p")
    expect_error(bad, 400, create(n=0), param="n")
    expect_error(bad, 400, create(max_tokens=0), param="max_tokens")
    expect_error(bad, 400, create(logprobs=100), param="logprobs")
    expect_error(bad, 400, create(seed=0.5), param="seed")
    expect_error(bad, 400, create(stop=[1]), param="stop")
    expect_error(bad, 400, create(stop=""), param="stop")
    expect_error(bad, 400, create(logit_bias={"fox": 1}), param="logit_bias")
    expect_error(bad, 400, create(stream_options={"include_usage": True}), param="stream_options")
    expect_error(bad, 400, create(prompt=[99999999]), param="prompt")
    expect_error(bad, 400, create(prompt="fox " * 2000), param="prompt", code="context_length_exceeded")
    expect_error(bad, 400, create(extra_body={"temprature": 1}), param="temprature", code="unsupported_field")
    expect_error(bad, 400, create(suffix="end"), param="suffix")
    expect_error(bad, 400, say(messages=[]), param="messages")
    expect_error(bad, 400, say(messages=[{"role": "robot", "content": "a"}]), param="messages[0].role")
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]
    expect_error(bad, 400, say(messages=image), param="messages[0].content[0]")
    expect_error(bad, 400, say(top_logprobs=3), param="top_logprobs")
    for refused in [create, say]:
        expect_error(openai.NotFoundError, 404, refused(model="gpt-4o"), param="model", code="model_not_found")
        expect_error(openai.NotFoundError, 404, refused(model="gpt-4o", stream=True), code="model_not_found")
        expect_error(bad, 400, refused(temperature=-1, stream=True), param="temperature")
    expect_error(openai.NotFoundError, 404, lambda: client.embeddings.create(model=MODEL, input="a"))

    for key in ["wrong", "first-key-", "first-ke"]:
        stranger = openai.OpenAI(base_url=guarded_url, api_key=key, max_retries=0, timeout=60)
        for call in [stranger.models.list, lambda: stranger.completions.create(model=MODEL, prompt=PROMPT)]:
            expect_error(openai.AuthenticationError, 401, call, code="invalid_api_key")
    friend = openai.OpenAI(base_url=guarded_url, api_key="second-key", max_retries=0, timeout=60)
    expect(friend.models.list().data[0].id == MODEL)

    # One slot and a queue of two: a request for a hundred texts finds no room, nor would it ever.
    expect_error(bad, 400, lambda: friend.completions.create(model=MODEL, prompt=PROMPT, n=100), param="n")
    endless = dict(model=MODEL, prompt=PROMPT, max_tokens=500, extra_body={"ignore_eos": True})
    streams = []
    for _ in range(60):
        try:
            streams.append(friend.completions.create(**endless, n=2, stream=True))
        except openai.RateLimitError as error:
            expect(error.status_code == 429 and error.code == "queue_full", error)
            expect(int(error.response.headers["retry-after"]) >= 1)
            break
    else:
        raise SystemExit("openai client: the queue never filled")
    for stream in streams:
        stream.close()
    patient = openai.OpenAI(base_url=guarded_url, api_key="first-key", max_retries=5, timeout=60)
    expect(patient.completions.create(model=MODEL, prompt=PROMPT, max_tokens=4).usage.completion_tokens == 4)


if __name__ == "__main__":
    server = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0, timeout=60)
    models(server)
    completions(server)
    several(server)
    logprobs(server)
    chat(server)
    errors(server, sys.argv[2])
    print("openai client: passed")
