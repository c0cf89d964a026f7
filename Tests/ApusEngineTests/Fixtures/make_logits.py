#!/usr/bin/env python3
"""Writes logits.json: rows of logits, what a request asks for, and what transformers and NumPy make of both.

Masks, biases, minimum lengths and the repetition penalty are transformers' logits processors, run in double precision;
presence and frequency penalties are the formula of OpenAI's API reference, in NumPy: each token's logit loses its
count in the output times the frequency penalty, and the presence penalty once if that count is not 0. They follow one
another as in vLLM: allowed tokens, constraint, minimum length, bias, repetition, frequency and presence.
"""

import json
import pathlib
import random

import numpy as np
import torch
import transformers
from transformers import LogitsProcessorList
from transformers.generation import logits_process as processors

HERE = pathlib.Path(__file__).parent
VOCABULARIES = [5, 31, 32, 33, 64, 100, 128, 131]


def case(rng, index):
    """One random request: which of the options it asks for is random, and sometimes it is one alone."""
    size = VOCABULARIES[index % len(VOCABULARIES)]
    ids = range(size)
    # Multiples of 1/64: short to write, and the same in single precision.
    logits = [round(64 * rng.gauss(0, rng.choice([0.5, 3, 12]))) / 64 for _ in ids]
    for token in rng.sample(ids, rng.choice([0, 1, size // 8])):
        logits[token] = rng.choice([None, 0.0])
    prompt = [rng.randrange(size) for _ in range(rng.choice([1, 3, 40]))]
    generated = [rng.randrange(size) for _ in range(rng.choice([0, 1, 5, 60]))]
    wants = lambda: rng.random() < 0.5
    return {
        "logits": logits,
        "prompt": prompt,
        "generated": generated,
        "allowed": sorted(rng.sample(ids, rng.randint(2, size))) if wants() else None,
        "mask": sorted(rng.sample(ids, rng.randint(size - 2, size))) if wants() else None,
        "stop": rng.sample(ids, rng.choice([1, 2])),
        "min_tokens": rng.choice([0, len(generated), len(generated) + 1, len(generated) + 9]) if wants() else 0,
        "logit_bias": {str(token): rng.choice([-100.0, 100.0, rng.uniform(-5, 5)]) for token in rng.sample(ids, 3)}
        if wants()
        else {},
        "repetition_penalty": rng.choice([0.5, 1.1, 1.5, 4.0]) if wants() else 1.0,
        "presence_penalty": rng.uniform(-2, 2) if wants() else 0.0,
        "frequency_penalty": rng.uniform(-2, 2) if wants() else 0.0,
    }


def expected(case):
    size = len(case["logits"])
    scores = torch.tensor([[-np.inf if x is None else x for x in case["logits"]]], dtype=torch.float64)
    ids = torch.tensor([case["prompt"] + case["generated"]])
    chain = LogitsProcessorList()
    for kept in (case["allowed"], case["mask"]):
        if kept is not None:
            chain.append(processors.SuppressTokensLogitsProcessor(sorted(set(range(size)) - set(kept))))
    chain.append(
        processors.MinNewTokensLengthLogitsProcessor(len(case["prompt"]), case["min_tokens"], list(case["stop"]))
    )
    if case["logit_bias"]:
        biases = [[[int(token)], bias] for token, bias in case["logit_bias"].items()]
        chain.append(processors.SequenceBiasLogitsProcessor(biases))
    chain.append(processors.RepetitionPenaltyLogitsProcessor(case["repetition_penalty"]))
    row = chain(ids, scores)[0].numpy()
    counts = np.bincount(np.array(case["generated"], dtype=np.int64), minlength=size)
    return row - counts * case["frequency_penalty"] - (counts > 0) * case["presence_penalty"]


def main():
    rng = random.Random(20)
    cases = []
    while len(cases) < 96:
        made = case(rng, len(cases))
        for name in ("presence_penalty", "frequency_penalty", "repetition_penalty"):
            made[name] = float(np.float32(made[name]))
        made["logit_bias"] = {token: float(np.float32(bias)) for token, bias in made["logit_bias"].items()}
        row = expected(made)
        if not np.isfinite(row).any():
            continue
        made["expected"] = [None if value == -np.inf else float(f"{value:.10g}") for value in row]
        cases.append(made)
    lines = ",\n".join(json.dumps(made, separators=(",", ":")) for made in cases)
    header = json.dumps({"transformers": transformers.__version__, "numpy": np.__version__})
    (HERE / "logits.json").write_text(header[:-1] + ', "cases": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
