"""The official openai package: answers bound to a JSON schema, and calls of tools, asked for, forced and forbidden.

Usage: openai_formats.py URL URL_OF_THE_MODEL_THAT_CALLS_TOOLS"""

import json
import sys
from typing import Literal

import openai
import pydantic

from checks import expect, expect_error
from tool_model import asking

MESSAGES = [{"role": "user", "content": "Tell me about the fox"}]
PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "enum": ["Paris", "Rome"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 9},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "?", "parameters": PARAMETERS}}
NOTHING = {"type": "object", "properties": {}, "additionalProperties": False}
OTHER = {"type": "function", "function": {"name": "get_time", "parameters": NOTHING}}
CALLS = [("get_weather", {"city": "Rome", "days": 3}), ("get_weather", {"city": "Paris", "days": 1})]


class Animal(pydantic.BaseModel):
    """With places that a text of the model's own would not fill so."""
    model_config = pydantic.ConfigDict(extra="forbid")
    kind: Literal["bird", "insect"]
    legs: Literal[2, 6]
    tags: list[Literal["a", "b"]] = pydantic.Field(min_length=2, max_length=3)
    wild: bool


def schemas(client):
    fields = dict(model="apus-stories", messages=MESSAGES, max_tokens=100)
    for temperature, seed in [(0, 0), (1.5, 1), (1.5, 2), (1.5, 3)]:
        fields |= dict(temperature=temperature, seed=seed)
        parsed = client.chat.completions.parse(**fields, response_format=Animal).choices[0]
        expect(isinstance(parsed.message.parsed, Animal) and parsed.finish_reason == "stop", parsed)
        expect(list(json.loads(parsed.message.content)) == ["kind", "legs", "tags", "wild"], parsed)
        with client.chat.completions.stream(**fields, response_format=Animal) as events:
            events.until_done()
            expect(events.get_final_completion().choices[0].message.content == parsed.message.content, parsed)
    schema = Animal.model_json_schema()
    text = client.completions.create(
        model="apus-stories", prompt="Tell me about the fox", max_tokens=100, extra_body={"guided_json": schema})
    Animal.model_validate_json(text.choices[0].text)
    # Cut short: still the beginning of an object.
    short = client.chat.completions.create(
        **(fields | {"max_tokens": 8}), response_format={"type": "json_object"}).choices[0]
    expect(short.message.content.startswith("{") and short.finish_reason == "length", short)

    def ask(format, **more):
        return lambda: client.chat.completions.create(**fields, response_format=format, **more)

    def schema_of(schema):
        return {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}

    bad = openai.BadRequestError
    expect_error(bad, 400, ask(schema_of({"type": "fox"})), param="response_format")
    lookahead = {"type": "object", "patternProperties": {"^(?=a)": {}}}
    expect_error(bad, 400, ask(schema_of(lookahead)), param="response_format")
    expect_error(bad, 400, ask(schema_of(PARAMETERS), extra_body={"guided_regex": "a"}), param="guided_regex")
    expect_error(bad, 400, ask({"type": "yaml"}), param="response_format.type")


def calls_of(message):
    for call in message.tool_calls or []:
        expect(call.type == "function" and call.id.startswith("call_"), call)
    ids = [call.id for call in message.tool_calls or []]
    expect(len(set(ids)) == len(ids), ids)
    return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or []]


def tools(client):
    fields = dict(model="apus-tools", messages=MESSAGES, tools=[OTHER, TOOL], temperature=0, max_tokens=80)
    free = fields | asking()
    found = client.chat.completions.create(**free).choices[0]
    expect(calls_of(found.message) == CALLS, found)
    expect((found.message.content, found.finish_reason) == ("Let me look.", "tool_calls"), found)
    once = client.chat.completions.create(**free, parallel_tool_calls=False).choices[0]
    expect(calls_of(once.message) == CALLS[:1] and once.finish_reason == "tool_calls", once)
    with client.chat.completions.stream(**free) as events:
        events.until_done()
        final = events.get_final_completion().choices[0]
        expect(calls_of(final.message) == CALLS, final)
        expect((final.message.content, final.finish_reason) == ("Let me look.", "tool_calls"), final)
    plain = client.chat.completions.create(**free, tool_choice="none").choices[0]
    expect(plain.message.tool_calls is None and "<tool_call>" in plain.message.content, plain)
    expect(plain.finish_reason == "stop", plain)

    named = {"type": "function", "function": {"name": "get_weather"}}
    for choice in [named, "required"]:
        forced = fields | dict(tool_choice=choice, parallel_tool_calls=False)
        found = client.chat.completions.create(**forced).choices[0]
        calls = calls_of(found.message)
        expect(len(calls) == 1 and found.finish_reason == "tool_calls" and not found.message.content, found)
        for name, arguments in calls:
            expect(name in ["get_weather", "get_time"] and (choice == "required" or name == "get_weather"), calls)
            if name == "get_weather":
                expect(set(arguments) == {"city", "days"} and arguments["city"] in ["Paris", "Rome"], calls)
                expect(arguments["days"] in range(1, 10), calls)
        with client.chat.completions.stream(**forced) as events:
            events.until_done()
            expect(calls_of(events.get_final_completion().choices[0].message) == calls, calls)

    # The next turn: what the tool said goes to the model.
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Rome"}'}}
    turn = [*MESSAGES, {"role": "assistant", "content": None, "tool_calls": [call]}]
    said = [{"role": "tool", "tool_call_id": "call_1", "content": text} for text in ["Rain.", "Rain, rain, rain."]]
    counts = [client.chat.completions.create(**(fields | {"messages": [*turn, each], "max_tokens": 1})).usage
              for each in said]
    expect(counts[0].prompt_tokens < counts[1].prompt_tokens, counts)

    def ask(**more):
        return lambda: client.chat.completions.create(**(fields | more))

    bad = openai.BadRequestError
    expect_error(bad, 400, ask(tool_choice={"type": "function", "function": {"name": "fly"}}), param="tool_choice")
    expect_error(bad, 400, ask(tools=[TOOL, TOOL]), param="tools[1].function.name")
    expect_error(bad, 400, ask(tools=[], tool_choice="required"), param="tool_choice")
    expect_error(bad, 400, ask(tools=[{"type": "function", "function": {"name": "a b"}}]))


if __name__ == "__main__":
    schemas(openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0, timeout=60))
    tools(openai.OpenAI(base_url=sys.argv[2], api_key="none", max_retries=0, timeout=60))
    print("openai formats: passed")
