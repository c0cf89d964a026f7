"""Scores text.txt with Hugging Face transformers in float32, in the sliding windows of its guide to perplexity.

python make_likelihoods.py --model ../../../../Sources/ApusStories/Model
"""

import argparse
import hashlib
import json
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

# Tokens of a window, and from one window's beginning to the next one's.
WINDOWS = [(512, 256), (64, 32), (48, 47), (33, 5)]
# Likelihoods of single tokens are kept for one of them.
DETAILED = (64, 32)


@torch.no_grad()
def score(model, ids: torch.Tensor, context: int, stride: int) -> list[float]:
    """-log p of every token but the first, in nats."""
    scores: list[float] = []
    previous_end = 0
    for begin in range(0, len(ids), stride):
        end = min(begin + context, len(ids))
        window = ids[begin:end]
        logits = model(window[None]).logits[0, :-1].double()
        losses = torch.nn.functional.cross_entropy(logits, window[1:], reduction="none")
        scores += losses[-(end - previous_end) :].tolist() if previous_end else losses.tolist()
        previous_end = end
        if end == len(ids):
            break
    return scores


def main() -> None:
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=here / "../../../../Sources/ApusStories/Model")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32).eval()
    text = (here / "text.txt").read_bytes().decode()
    ids = torch.tensor(tokenizer(text)["input_ids"])
    cases, details = [], []
    for context, stride in WINDOWS:
        scores = torch.tensor(score(model, ids, context, stride), dtype=torch.float64)
        assert len(scores) == len(ids) - 1
        cases.append(
            {
                "context": context,
                "stride": stride,
                "meanNLL": scores.mean().item(),
                "standardError": (scores.std(correction=1) / len(scores) ** 0.5).item(),
                "perplexity": scores.mean().exp().item(),
            }
        )
        if (context, stride) == DETAILED:
            details = scores.tolist()
    reference = {
        "transformers": transformers.__version__,
        "weightsSHA256": hashlib.sha256((options.model / "model.safetensors").read_bytes()).hexdigest(),
        "tokenCount": len(ids),
        "cases": cases,
        "detailed": {"context": DETAILED[0], "stride": DETAILED[1], "negativeLogLikelihoods": details},
    }
    (here / "likelihoods.json").write_text(json.dumps(reference) + "\n")
    for case in cases:
        print(case)


if __name__ == "__main__":
    main()
