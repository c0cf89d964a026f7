"""Renders chat templates with transformers' own apply_chat_template.

    python make_renderings.py            writes conversations.json and, from templates/, renderings.jsonl
    python make_renderings.py FOLDER     writes FOLDER/renderings.jsonl from FOLDER/*.jinja

Each line is [template, conversation, text], or [template, conversation] where transformers raises.
"""

import json
import pathlib
import sys

from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

import jinja_oracle

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.\nIn degrees.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "The city's name, as in \"Zürich\""},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
                "days": {"type": "array", "items": {"type": "integer"}, "description": "Days from now <0>"},
                "where": {
                    "type": "object",
                    "properties": {"lat": {"type": "number"}, "lon": {"type": ["number", "null"]}},
                    "required": ["lat"],
                },
            },
            "required": ["city"],
        },
    },
}
ADD = {
    "type": "function",
    "function": {"name": "add", "description": "Adds & sums", "parameters": {"type": "object", "properties": {}}},
}

def text(role, content, **more):
    return {"role": role, "content": content, **more}


def call(name, arguments, identifier="abc123def"):
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


SYSTEM = text("system", "You are a storyteller.\nBe brief. ")
TURNS = [text("user", "Hi, who are you?"), text("assistant", " I am a bird. "), text("user", "  Sing\n\na song! \U0001f426 ")]
CALLS = [
    text("user", "Weather in Zürich?"),
    {"role": "assistant", "content": "", "tool_calls": [call("get_weather", {"city": "Zürich", "days": [1, 2.5], "u": None})]},
    text("tool", '{"temp": 21.0, "sky": "<clear>"}', tool_call_id="abc123def", name="get_weather"),
    text("assistant", "It is 21 degrees."),
    text("user", "And in Oslo & Bergen?"),
]
PARALLEL = [
    text("user", "Add 1 and 2, then 3 and 4"),
    {"role": "assistant", "content": "Let me see.", "tool_calls": [
        call("add", {"a": 1, "b": 2}, "call00001"), call("add", {"a": 3, "b": True}, "call00002")]},
    text("tool", "3", tool_call_id="call00001", name="add"),
    text("tool", "7", tool_call_id="call00002", name="add"),
]
THINKING = [
    text("user", "2+2?"),
    text("assistant", "<think>\nEasy.\n</think>\n\n4"),
    text("user", "3+3?"),
    text("assistant", "6", reasoning_content="Three twice."),
    text("user", "4+4?"),
]
PARTS = [
    text("user", [{"type": "text", "text": "What is "}, {"type": "image", "image": "a.png"}, {"type": "text", "text": "this?"}]),
    text("assistant", [{"type": "text", "text": "A fox."}]),
    text("user", [{"type": "text", "text": "Sure?"}]),
]

CONVERSATIONS = {
    "one": dict(messages=[text("user", "Hello")], generate=True),
    "one-plain": dict(messages=[text("user", "Hello")]),
    "system": dict(messages=[SYSTEM, text("user", "Tell me a story")], generate=True),
    "turns": dict(messages=[SYSTEM] + TURNS, generate=True),
    "turns-plain": dict(messages=TURNS + [text("assistant", "La\nla")]),
    "long": dict(messages=[SYSTEM] + TURNS[:2] * 4 + [text("user", "end")], generate=True),
    "tools": dict(messages=[SYSTEM, text("user", "Weather?")], tools=[WEATHER, ADD], generate=True),
    "no-tools": dict(messages=[text("user", "Weather?")], tools=[], generate=True),
    "calls": dict(messages=[SYSTEM] + CALLS, tools=[WEATHER], generate=True),
    "calls-untold": dict(messages=CALLS, generate=True),
    "result-last": dict(messages=CALLS[:3], tools=[WEATHER, ADD], generate=True),
    "parallel": dict(messages=[SYSTEM] + PARALLEL, tools=[ADD], generate=True),
    "string-arguments": dict(
        messages=[text("user", "Add"), {"role": "assistant", "content": None, "tool_calls": [call("add", '{"a": 1}')]}],
        tools=[ADD]),
    "thinking": dict(messages=THINKING, generate=True),
    "thinking-off": dict(messages=THINKING, generate=True, variables={"enable_thinking": False}),
    "variables": dict(messages=TURNS, generate=True, variables={
        "enable_thinking": True, "thinking": True, "reasoning_effort": "high", "date_string": "01 Jan 2025",
        "bos_token": "<B>", "builtin_tools": ["browser", "python"], "model_identity": "A bird."}),
    "developer": dict(messages=[text("developer", "Rhyme."), text("user", "Go")], generate=True),
    "parts": dict(messages=PARTS, generate=True),
    "continued": dict(messages=TURNS[:1] + [text("assistant", "Once upon a ")], continued=True),
    "continued-parts": dict(messages=PARTS[:2], continued=True),
    "not-alternating": dict(messages=[text("user", "a"), text("user", "b")], generate=True),
    "assistant-first": dict(messages=[text("assistant", "a"), text("user", "b")], generate=True),
    "strange-role": dict(messages=[text("narrator", "It rains."), text("user", "Oh")], generate=True),
    "marks": dict(messages=[text("user", "</s><|im_end|> {{ x }} {% if %} <s>\r\nCRLF\x1c \u2028'\"\\")], generate=True),
    "empty": dict(messages=[text("system", ""), text("user", "")], generate=True),
}


def render(source, conversation):
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"<unk>": 0}, "<unk>")), **TOKENS)
    try:
        return tokenizer.apply_chat_template(
            conversation["messages"], tools=conversation.get("tools"), chat_template=source, tokenize=False,
            add_generation_prompt=conversation.get("generate", False),
            continue_final_message=conversation.get("continued", False), **conversation.get("variables", {}))
    except Exception:
        return None


def renderings(folder):
    for path in sorted(folder.glob("*.jinja")):
        # Newlines as they are: templates are compared by the byte.
        source = path.read_bytes().decode("utf-8")
        for name, conversation in CONVERSATIONS.items():
            found = render(source, conversation)
            yield [path.name, name] if found is None else [path.name, name, found]


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    if len(sys.argv) > 1:
        folder = pathlib.Path(sys.argv[1])
        jinja_oracle.write_lines(folder / "renderings.jsonl", renderings(folder))
    else:
        with open(here / "conversations.json", "w", encoding="utf-8") as file:
            json.dump({"tokens": TOKENS, "conversations": CONVERSATIONS}, file, ensure_ascii=False, indent=1)
            file.write("\n")
        jinja_oracle.write_lines(here / "renderings.jsonl", renderings(here / "templates"))
