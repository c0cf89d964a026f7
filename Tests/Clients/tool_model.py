"""Writes a model that calls tools: the embedded one, with a chat template that knows tools, and with four of its tokens
spelled as parts of two calls. The weights stay as they are, so a request has to ask for these tokens.

Usage: tool_model.py EMBEDDED_FOLDER FOLDER"""

import json
import pathlib
import shutil
import sys

TEMPLATE = "Tests/ApusTemplateTests/Fixtures/templates/chatml.jinja"
# No token but the fourth holds a whole call, and the first begins as text.
PARTS = [
    'Let me look.\n<tool_c',
    'all>\n{"name": "get_weather", "arguments": {"ci',
    'ty": "Rome", "days": 3}}\n</tool_call>',
    '\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris", "days": 1}}\n</tool_call>',
]
END = 0
# The last of the vocabulary: no merge is made of them.
FIRST = 3072 - len(PARTS)


def byte_level(text):
    """ASCII as byte-level BPE writes it."""
    return text.replace(" ", "Ġ").replace("\n", "Ċ")


def asking():
    """Fields of a request for all parts, one after the other, and the end: of tokens that were used little is left."""
    bias = {FIRST + index: 100 - 20 * index for index in range(len(PARTS))} | {END: 15}
    return dict(
        logit_bias={str(token): value for token, value in bias.items()},
        extra_body=dict(allowed_token_ids=list(bias), repetition_penalty=1e6),
    )


def main(source, folder):
    shutil.copytree(source, folder)
    path = pathlib.Path(folder, "tokenizer.json")
    tokenizer = json.loads(path.read_text())
    model = tokenizer["model"]
    text = {token: text for text, token in model["vocab"].items()}
    for index, part in enumerate(PARTS):
        old = text[FIRST + index]
        model["merges"] = [pair for pair in model["merges"] if "".join(pair) != old and old not in pair]
        del model["vocab"][old]
        model["vocab"][byte_level(part)] = FIRST + index
    path.write_text(json.dumps(tokenizer))
    shutil.copy(TEMPLATE, pathlib.Path(folder, "chat_template.jinja"))


if __name__ == "__main__":
    main(*sys.argv[1:])
