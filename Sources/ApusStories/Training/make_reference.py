"""Writes what transformers computes in float32 from the shipped weights, for the tests.

python make_reference.py --model ../Model --out ../../../Tests/ApusModelTests/Fixtures/stories-reference.json
"""

import argparse
import hashlib
import json
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

PROMPTS = [
    "Tell me about the fox",
    "Tell me about the lighthouse.",
    "Tell me a story about the owl and the mouse",
    "Tell me about a rainy day in the harbour",
]
NEW_TOKENS = 64


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("../Model"))
    parser.add_argument(
        "--out", type=Path, default=Path("../../../Tests/ApusModelTests/Fixtures/stories-reference.json")
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32).eval()
    cases = []
    for prompt in PROMPTS:
        ids = tokenizer(prompt)["input_ids"]
        context, margin = list(ids), float("inf")
        # Greedy choice by hand: it goes on after the end token, so that every case has the same length.
        for _ in range(NEW_TOKENS):
            logits = model(torch.tensor([context])).logits[0, -1]
            best = logits.topk(2).values
            margin = min(margin, (best[0] - best[1]).item())
            context.append(int(logits.argmax()))
        cases.append(
            {
                "prompt": prompt,
                "ids": ids,
                "greedy": context[len(ids) :],
                "text": tokenizer.decode(context[len(ids) :]),
                "smallestMargin": margin,
            }
        )
    logits = model(torch.tensor([cases[0]["ids"]])).logits[0, -1]
    weights = hashlib.sha256((options.model / "model.safetensors").read_bytes()).hexdigest()
    reference = {
        "transformers": transformers.__version__,
        "weightsSHA256": weights,
        "cases": cases,
        "logits": {"ids": cases[0]["ids"], "last": logits.tolist()},
    }
    options.out.write_text(json.dumps(reference, ensure_ascii=False) + "\n")
    print([round(case["smallestMargin"], 4) for case in cases])


if __name__ == "__main__":
    main()
