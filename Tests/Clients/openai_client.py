"""The official openai package against a server: what it sends is answered, and what comes back it understands."""

import sys

import openai


def expect(holds, *what):
    if not holds:
        raise SystemExit(f"openai client: failed: {what}")


def expect_error(kind, status, call, param=None, code=None):
    try:
        call()
    except kind as error:
        expect(error.status_code == status, error.status_code, status)
        expect(param is None or error.param == param, error.param, param)
        expect(code is None or error.code == code, error.code, code)
        return error
    raise SystemExit(f"openai client: not refused with {status}")


PROMPT = "Tell me about the fox"
MESSAGES = [{"role": "user", "content": PROMPT}]
MODEL = "apus-stories"


def models(client):
    listed = client.models.list()
    expect([model.id for model in listed.data] == [MODEL], listed)
    expect(client.models.retrieve(MODEL).id == MODEL)
    expect_error(openai.NotFoundError, 404, lambda: client.models.retrieve("gpt-4o"), code="model_not_found")


def completions(client):
    greedy = dict(model=MODEL, prompt=PROMPT, temperature=0, max_tokens=40)
    whole = client.completions.create(**greedy)
    text = whole.choices[0].text
    expect(text.startswith("\n\nThe fox is"), text)
    expect(whole.usage.completion_tokens == 40 and whole.choices[0].finish_reason == "length", whole)

    chunks = list(client.completions.create(**greedy, stream=True, stream_options={"include_usage": True}))
    expect("".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == text)
    expect(chunks[-1].usage == whole.usage or chunks[-1].usage.total_tokens == whole.usage.total_tokens, chunks[-1])
    expect(all(chunk.usage is None for chunk in chunks[:-1]))

    stopped = client.completions.create(**greedy, stop=["red", "never"]).choices[0]
    expect(text.split("red")[0] == stopped.text and stopped.finish_reason == "stop", stopped)

    several = client.completions.create(model=MODEL, prompt=[PROMPT, "Tell me a story"], n=3, seed=5, max_tokens=12)
    expect([choice.index for choice in several.choices] == list(range(6)), several)
    expect(len({choice.text for choice in several.choices[3:]}) > 1, several)
    again = client.completions.create(model=MODEL, prompt=[PROMPT, "Tell me a story"], n=3, seed=5, max_tokens=12)
    expect([c.text for c in several.choices] == [c.text for c in again.choices])

    scored = client.completions.create(**(greedy | {"max_tokens": 5}), logprobs=3, echo=True).choices[0]
    logprobs = scored.logprobs
    expect("".join(logprobs.tokens) == scored.text == PROMPT + text[: len(scored.text) - len(PROMPT)], scored)
    expect(logprobs.token_logprobs[0] is None and all(value <= 0 for value in logprobs.token_logprobs[1:]), logprobs)
    expect(all(len(top) >= 3 for top in logprobs.top_logprobs[1:]), logprobs)
    expect(logprobs.text_offset[:3] == [0, 4, 7], logprobs)

    biased = client.completions.create(**(greedy | {"max_tokens": 3}), logit_bias={"262": 100}).choices[0].text
    expect(biased != text[: len(biased)], biased)
    extra = {"top_k": 1, "min_p": 0.1, "repetition_penalty": 1.0, "ignore_eos": True, "min_tokens": 2, "priority": 1}
    one = client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=40, extra_body=extra)
    expect(one.choices[0].text == text, one)


def chat(client):
    greedy = dict(model=MODEL, messages=MESSAGES, temperature=0, max_completion_tokens=40)
    whole = client.chat.completions.create(**greedy, logprobs=True, top_logprobs=2)
    choice = whole.choices[0]
    expect(choice.message.role == "assistant" and choice.message.content.startswith("\n\nThe fox is"), choice)
    expect("".join(token.token for token in choice.logprobs.content) == choice.message.content)
    expect(all(len(token.top_logprobs) == 2 for token in choice.logprobs.content))

    stream = client.chat.completions.create(**greedy, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    expect(deltas[0].role == "assistant")
    expect("".join(delta.content or "" for delta in deltas) == choice.message.content)
    expect(chunks[-1].usage.completion_tokens == 40, chunks[-1])
    # This helper takes a text that a limit cut short for an error.
    with client.chat.completions.stream(**greedy, stop="red") as events:
        events.until_done()
        final = events.get_final_completion().choices[0]
        expect(final.message.content == choice.message.content.split("red")[0], final)
    parts = [{"role": "user", "content": [{"type": "text", "text": PROMPT}]}]
    expect(client.chat.completions.create(**(greedy | {"messages": parts})).choices[0].message.content
           == choice.message.content)
    expect(len(client.chat.completions.create(**greedy, n=4).choices) == 4)


def errors(client, guarded_url):
    def create(**fields):
        return lambda: client.completions.create(**({"model": MODEL, "prompt": PROMPT} | fields))

    def say(**fields):
        return lambda: client.chat.completions.create(**({"model": MODEL, "messages": MESSAGES} | fields))

    bad = openai.BadRequestError
    expect_error(bad, 400, create(temperature=-1), param="temperature")
    expect_error(bad, 400, create(top_p=2), param="top_p")
    expect_error(bad, 400, create(n=0), param="n")
    expect_error(bad, 400, create(max_tokens=0), param="max_tokens")
    expect_error(bad, 400, create(logprobs=100), param="logprobs")
    expect_error(bad, 400, create(prompt=[99999999]), param="prompt")
    expect_error(bad, 400, create(prompt="fox " * 2000), param="prompt", code="context_length_exceeded")
    expect_error(bad, 400, create(extra_body={"temprature": 1}), param="temprature", code="unsupported_field")
    expect_error(bad, 400, create(suffix="end"), param="suffix")
    expect_error(bad, 400, say(messages=[]), param="messages")
    expect_error(bad, 400, say(messages=[{"role": "robot", "content": "a"}]), param="messages[0].role")
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]
    expect_error(bad, 400, say(messages=image), param="messages[0].content[0]")
    expect_error(bad, 400, say(top_logprobs=3), param="top_logprobs")
    expect_error(openai.NotFoundError, 404, create(model="gpt-4o"), code="model_not_found")
    expect_error(openai.NotFoundError, 404, lambda: client.embeddings.create(model=MODEL, input="a"))

    for key in ["wrong", "first-key-", "first-ke"]:
        stranger = openai.OpenAI(base_url=guarded_url, api_key=key, max_retries=0)
        expect_error(openai.AuthenticationError, 401, stranger.models.list, code="invalid_api_key")
    friend = openai.OpenAI(base_url=guarded_url, api_key="second-key", max_retries=0)
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
    patient = openai.OpenAI(base_url=guarded_url, api_key="first-key", max_retries=5)
    expect(patient.completions.create(model=MODEL, prompt=PROMPT, max_tokens=4).usage.completion_tokens == 4)


if __name__ == "__main__":
    server = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
    models(server)
    completions(server)
    chat(server)
    errors(server, sys.argv[2])
    print("openai client: passed")
