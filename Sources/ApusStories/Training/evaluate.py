"""Measures a model folder as it is shipped: held-out loss in float32 from the rounded weights, how
answers end, and samples.

    python evaluate.py --model ../Model --corpus build/held-out.jsonl --samples
"""

import argparse
import math
import random
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import model as stories
import topics
from train import evaluate

PROMPTS = [
    "Tell me about the fox",
    "Tell me about the lighthouse",
    "Tell me about the dewdrop",
    "Tell me about a rainy day in the harbour",
    "Tell me a story about the hedgehog",
    "Tell me about the fox and the owl",
    "Tell me about the violin",
    "Tell me about the sea",
    "Tell me about bread",
    "Tell me about a baker called Anna",
]


@torch.no_grad()
def continuation(
    model, tokenizer, prompt: str, temperature: float = 0.0, longest: int = 400
) -> tuple[str, int, bool]:
    """The answer's text, its length in tokens, and whether it ended by itself."""
    inputs = tokenizer(prompt, return_tensors="pt")
    options = (
        {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
        if temperature
        else {"do_sample": False}
    )
    output = model.generate(**inputs, max_new_tokens=longest, pad_token_id=tokenizer.pad_token_id, **options)
    ids = output[0, inputs["input_ids"].shape[1] :].tolist()
    ended = tokenizer.eos_token_id in ids
    return tokenizer.decode(ids, skip_special_tokens=True), len(ids), ended


def repeats(text: str) -> bool:
    """Whether a sentence of some length occurs twice."""
    sentences = [part for part in text.replace("\n", " ").split(". ") if len(part) > 40]
    return len(set(sentences)) < len(sentences)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("../Model"))
    parser.add_argument("--corpus", type=Path, default=Path("build/held-out.jsonl"))
    parser.add_argument("--samples", action="store_true")
    parser.add_argument(
        "--endings", type=int, default=0, help="how many topics to ask for at temperature 0.8"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32).eval()
    print(f"parameters {sum(p.numel() for p in model.parameters())}")
    if options.corpus.exists():
        rows = stories.documents(options.corpus, tokenizer.backend_tokenizer)
        loss = evaluate(model, rows, tokenizer.pad_token_id)
        model.eval()
        print(
            f"held-out loss {loss:.4f} nats a token, perplexity {math.exp(loss):.3f}, {len(rows)} documents"
        )
    if options.samples:
        for prompt in PROMPTS:
            text, length, ended = continuation(model, tokenizer, prompt)
            print(f"\n**{prompt}** ({length} tokens{'' if ended else ', not ended'})\n")
            print("\n".join(("> " + line).rstrip() for line in text.strip(" .\n").splitlines()) + ".")
    if options.endings:
        chosen = random.Random(1).sample(topics.load(), options.endings)
        for temperature in (0.0, 0.8):
            results = [
                continuation(model, tokenizer, f"Tell me about the {t.name}", temperature) for t in chosen
            ]
            lengths = sorted(length for _, length, _ in results)
            print(
                f"temperature {temperature}: {sum(ended for *_, ended in results)} of {len(results)} ended, "
                f"{sum(repeats(text) for text, *_ in results)} repeat a sentence, lengths {lengths[0]} to "
                f"{lengths[-1]}, median {lengths[len(lengths) // 2]}"
            )


if __name__ == "__main__":
    main()
