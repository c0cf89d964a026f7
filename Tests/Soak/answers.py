"""What of an answer must be the same each time the same request is sent."""

import json
import re

# The name, the time, and how much of the prompt was found in the cache differ with every answer, and nothing else.
VARYING = [(rb'"id":"[^"]*"', 1), (rb'"created":\d+', 1), (rb'"cached_tokens":\d+', 1)]


def constant(answer):
    """An answer's bytes without what differs each time."""
    for pattern, count in VARYING:
        answer = re.sub(pattern, b"", answer, count=count)
    return answer


def content(answer):
    """What an answer says, choice by choice, and what it took: the same for a stream and for a whole answer."""
    choices = {}
    for choice in answer["choices"]:
        text = choice["message"]["content"] if "message" in choice else choice["text"]
        choices[choice["index"]] = [text, choice["finish_reason"], logprobs([choice.get("logprobs")])]
    return choices, answer["usage"]["completion_tokens"]


def streamed_content(events):
    """The same of a stream, which must tell its usage."""
    if not events or events[-1] != "[DONE]":
        return f"a stream without its end: {events[-1:]}"
    texts, reasons, parts, usage = {}, {}, {}, None
    for event in events[:-1]:
        chunk = json.loads(event)
        if "error" in chunk:
            return f"an error in a stream: {event}"
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            index = choice["index"]
            text = choice["delta"].get("content") if "delta" in choice else choice["text"]
            texts[index] = texts.get(index, "") + (text or "")
            reasons[index] = choice["finish_reason"] or reasons.get(index)
            parts.setdefault(index, []).append(choice.get("logprobs"))
    choices = {index: [texts[index], reasons[index], logprobs(parts[index])] for index in texts}
    return choices, usage and usage["completion_tokens"]


def logprobs(parts):
    """The lists of logprobs, one after the other, by their names."""
    lists = {}
    for part in parts:
        for name, values in (part or {}).items():
            lists.setdefault(name, []).extend(values or [])
    return {name: values for name, values in lists.items() if values}


def events(body):
    """The data of server-sent events; comments are skipped, as readers do."""
    return [line[6:] for line in body.decode().split("\n") if line.startswith("data: ")]
