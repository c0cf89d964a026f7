"""Requests that have one right answer each, and requests that have none."""

import json
import random

from wire import post, post_json

MODEL = "apus-stories"
WORDS = "the fox owl lighthouse rain baker otter clock river a small cat lived by old stones and looked for".split()
SUBJECTS = ["fox", "owl", "lighthouse", "rain", "baker", "otter", "clock", "river"]


def text(chance, word_count):
    return "Tell me about the " + " ".join(
        [chance.choice(SUBJECTS) + "."] + [chance.choice(WORDS) for _ in range(word_count)]
    )


def size(chance, low, high):
    """Most are small, some are large: as even in their logarithm."""
    return int(low * (high / low) ** chance.random())


def generation(number):
    """The path and the fields of a request for text; greedy, or with a seed."""
    chance = random.Random(number)
    fields = dict(model=MODEL, max_tokens=size(chance, 1, 160), seed=number)
    fields["temperature"] = chance.choice([0, 0, 0.7, 1.0, 1.3])
    options = [
        dict(top_p=0.9),
        dict(top_k=20),
        dict(min_p=0.05),
        dict(stop=chance.sample([" the", ". ", "and", "It", "\n\n"], 2)),
        dict(frequency_penalty=0.5, presence_penalty=0.2),
        dict(repetition_penalty=1.1),
        dict(logit_bias={str(chance.randrange(300)): chance.choice([-5, 5])}),
        dict(n=chance.randrange(2, 4), max_tokens=min(40, fields["max_tokens"])),
        dict(ignore_eos=True),
        dict(min_tokens=min(8, fields["max_tokens"])),
        dict(user="somebody", priority=chance.randrange(3)),
    ]
    for option in options:
        if chance.random() < 0.12:
            fields |= option
    prompt = text(chance, size(chance, 1, 120))
    if chance.random() < 0.08:
        fields["response_format"] = chance.choice([{"type": "json_object"}, schema(chance)])
    if chance.random() < 0.4:
        fields["messages"] = [{"role": "user", "content": prompt}]
        if chance.random() < 0.2:
            fields["messages"].insert(0, {"role": "system", "content": "Be brief."})
        if chance.random() < 0.3:
            fields |= dict(logprobs=True, top_logprobs=chance.randrange(4))
        return "/v1/chat/completions", fields
    fields["prompt"] = prompt
    if chance.random() < 0.2:
        fields["prompt"] = [chance.randrange(3, 300) for _ in range(size(chance, 1, 200))]
    elif chance.random() < 0.1:
        fields["prompt"] = [prompt, text(chance, 3)]
    if chance.random() < 0.3:
        fields["logprobs"] = chance.randrange(5)
    if chance.random() < 0.2:
        fields["echo"] = True
    return "/v1/completions", fields


def schema(chance):
    properties = {name: {"enum": ["red", "green", "blue"]} for name in chance.sample(["color", "coat", "sky"], 2)}
    value = {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "colors", "schema": value, "strict": True}}


def endless(number):
    """A request that takes a while, for those who do not wait for the end."""
    path, fields = generation(number)
    for name in ["stop", "response_format", "n"]:
        fields.pop(name, None)
    return path, fields | dict(max_tokens=300, ignore_eos=True)


def refused():
    """What is refused, as (name, bytes, status, code, whether the server closes the connection)."""
    requests = []

    def add(name, data, status, code, closes=False):
        requests.append((name, data, status, code, closes))

    for body in [
        b"", b"{", b'{"prompt": ', b'{"prompt": "a",}', b'"a"', b"[]", b"null", b'{"prompt": "\xff\xfe"}', b"{}{}",
        b'{"prompt": "a", "seed": 01}', b'{"prompt": ' + b"[" * 5000, b'{"a":' * 5000, b'{"prompt": "\\ud800"',
    ]:
        for path in ["/v1/completions", "/v1/chat/completions", "/tokenize"]:
            add(f"bad JSON {body[:20]}", post(path, body), 400, "invalid_json")
    fine = dict(model=MODEL, prompt="Tell me", max_tokens=4)
    for wrong in [
        dict(temperature=-1), dict(temperature="hot"), dict(temperature=1e300), dict(top_p=2), dict(n=0), dict(n=1.5),
        dict(max_tokens=0), dict(max_tokens=-5), dict(logprobs=100), dict(prompt=[99999999]), dict(prompt=[-1]),
        dict(prompt=7), dict(prompt=""), dict(prompt=[]), dict(stop=5), dict(seed="a"), dict(stream="yes"),
        dict(logit_bias={"fox": 1}), dict(suffix="end"), dict(stream_options={"include_usage": True}),
        dict(response_format={"type": "poem"}), dict(top_k=-7), dict(min_tokens=-1),
    ]:
        add(f"bad value {wrong}", post_json("/v1/completions", fine | wrong), 400, None)
    add("unknown field", post_json("/v1/completions", fine | dict(temprature=1)), 400, "unsupported_field")
    add("too long", post_json("/v1/completions", fine | dict(prompt="fox " * 2000)), 400, "context_length_exceeded")
    said = [{"role": "user", "content": "Tell me"}]
    for wrong in [[], "hello", [{"role": "robot", "content": "a"}], [{"role": "user"}], [3], said + [{"content": 5}]]:
        data = post_json("/v1/chat/completions", dict(model=MODEL, messages=wrong))
        add(f"bad messages {wrong}", data, 400, None)
    for path, fields in [("/v1/completions", fine), ("/v1/chat/completions", dict(messages=said))]:
        add("unknown model", post_json(path, fields | dict(model="gpt-4o")), 404, "model_not_found")
    add("unknown place", post_json("/v1/embeddings", fine), 404, "unknown_url")
    for method, path in [
        ("GET", "/v1/completions"), ("DELETE", "/v1/chat/completions"), ("PUT", "/tokenize"), ("PATCH", "/v1/models"),
    ]:
        data = f"{method} {path} HTTP/1.1\r\nHost: soak\r\n\r\n".encode()
        add(f"{method} {path}", data, 405, "method_not_allowed")
    head = "POST /v1/completions HTTP/1.1\r\nHost: soak\r\nContent-Type: {}\r\n{}\r\n\r\n"
    add("text", head.format("text/plain", "Content-Length: 2").encode() + b"{}", 415, "unsupported_media_type")
    for name, headers in [
        ("two lengths", "Content-Length: 5\r\nContent-Length: 6"),
        ("length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        ("negative length", "Content-Length: -1"),
        ("no header", "what is this"),
    ]:
        data = head.format("application/json", headers).encode() + b"{}   "
        add(name, data, 400, "invalid_http", closes=True)
    add("no HTTP", b"hello\r\n\r\n", 400, "invalid_http", closes=True)
    add("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400, "invalid_http", closes=True)
    large = f"GET /health HTTP/1.1\r\nX-Large: {'a' * (1 << 20)}\r\n\r\n".encode()
    add("1 MB of headers", large, 431, "headers_too_large", closes=True)
    add("5 MB of body", post("/v1/completions", b" " * (5 << 20)), 413, "body_too_large", closes=True)
    return requests


def error_code(body):
    """The code of OpenAI's error object; raises if it is none."""
    error = json.loads(body)["error"]
    if not isinstance(error["message"], str) or set(error) != {"message", "type", "param", "code"}:
        raise ValueError(f"no error object: {body[:200]!r}")
    return error["code"]
