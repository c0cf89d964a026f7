"""Trains the model and keeps checkpoints: Muon and AdamW, cosine schedule, batches of like lengths.

    OMP_WAIT_POLICY=PASSIVE nice -n 19 python train.py --build build --minutes 50

The schedule follows the processor time of the process: it ends when the minutes are over, and a pause costs nothing.
"""

import argparse
import csv
import json
import math
import random
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer

import model as stories
from muon import Muon


def clock() -> float:
    """Seconds of processor time, of all threads together."""
    return time.process_time()


def batches(rows: list, tokens: int, rng: random.Random):
    """Endless batches of about `tokens` padded tokens; every pass over the corpus is shuffled anew."""
    while True:
        order = sorted(range(len(rows)), key=lambda index: (len(rows[index][0]) // 8, rng.random()))
        groups, current, width = [], [], 0
        for index in order:
            width = max(width, len(rows[index][0]))
            if current and width * (len(current) + 1) > tokens:
                groups.append(current)
                current, width = [], len(rows[index][0])
            current.append(index)
        groups.append(current)
        rng.shuffle(groups)
        for group in groups:
            yield [rows[index] for index in group]


@torch.no_grad()
def evaluate(model, rows: list, pad: int) -> float:
    model.eval()
    total, count = 0.0, 0
    ordered = sorted(rows, key=lambda row: len(row[0]))
    for start in range(0, len(ordered), 32):
        inputs, labels = stories.batch(ordered[start : start + 32], pad)
        total += stories.loss_of(model, inputs, labels, sum_up=True).item()
        count += int((labels != -100).sum())
    model.train()
    return total / count


def optimizers_for(model, rate: float, hidden_rate: float, decay: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers; AdamW for the embedding, the norms and the biases."""
    hidden = [p for name, p in model.named_parameters() if p.ndim == 2 and ".layers." in name]
    others = [p for name, p in model.named_parameters() if p.ndim < 2 or ".layers." not in name]
    return [
        Muon(hidden, lr=hidden_rate, weight_decay=decay),
        torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--tokenizer", type=Path, default=Path("../Model/tokenizer.json"))
    parser.add_argument("--checkpoint", type=Path, default=None)
    parser.add_argument("--resume", type=Path, help="checkpoint to go on from, with a schedule of its own")
    parser.add_argument("--minutes", type=float, default=40, help="of processor time, all threads together")
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--hidden-rate", type=float, default=0.02)
    parser.add_argument("--warmup", type=int, default=30)
    parser.add_argument("--decay", type=float, default=0.02)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    checkpoint = options.checkpoint or options.build / "checkpoint"

    tokenizer = Tokenizer.from_file(str(options.tokenizer))
    end = tokenizer.token_to_id("<|endoftext|>")
    training = stories.documents(options.build / "train.jsonl", tokenizer)
    held_out = stories.documents(options.build / "held-out.jsonl", tokenizer)
    model = stories.new_model(tokenizer.get_vocab_size(), end, options.seed)
    if options.resume:
        model.load_state_dict(type(model).from_pretrained(options.resume, dtype=torch.float32).state_dict())
    print(
        f"{sum(p.numel() for p in model.parameters())} parameters, {len(training)} documents, "
        f"{sum(len(ids) for ids, _ in training)} tokens",
        flush=True,
    )
    optimizers = optimizers_for(model, options.rate, options.hidden_rate, options.decay)
    groups = [(group, group["lr"]) for optimizer in optimizers for group in optimizer.param_groups]
    source = batches(training, options.tokens, random.Random(options.seed))

    begin, step, seen, mean = clock(), 0, 0, None
    log = csv.writer((options.build / "training_log.csv").open("w", buffering=1))
    log.writerow(["step", "minutes", "tokens", "training_loss", "held_out_loss"])
    saved = begin
    while (done := (clock() - begin) / 60 / options.minutes) < 1:
        factor = min(1, (step + 1) / options.warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        for group, rate in groups:
            group["lr"] = rate * factor
        inputs, labels = stories.batch(next(source), end)
        loss = stories.loss_of(model, inputs, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step, seen = step + 1, seen + int((labels != -100).sum())
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 20 == 0:
            print(
                f"step {step} minutes {done * options.minutes:.2f} tokens {seen} "
                f"loss {mean:.4f} factor {factor:.3f}",
                flush=True,
            )
        if clock() - saved > 240:
            saved = clock()
            held = evaluate(model, held_out[:150], end)
            log.writerow([step, f"{done * options.minutes:.2f}", seen, f"{mean:.4f}", f"{held:.4f}"])
            print(f"held-out {held:.4f}", flush=True)
            model.save_pretrained(checkpoint)
    held = evaluate(model, held_out, end)
    log.writerow([step, f"{options.minutes:.2f}", seen, f"{mean:.4f}", f"{held:.4f}"])
    model.save_pretrained(checkpoint)
    summary = {
        "steps": step,
        "tokens": seen,
        "minutes": options.minutes,
        "seed": options.seed,
        "training_loss": mean,
        "held_out_loss_float32": held,
    }
    (options.build / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(summary, flush=True)


if __name__ == "__main__":
    main()
