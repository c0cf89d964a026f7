"""Runs one workload on one engine and prints the sample as a line of JSON. run.py starts it, a process a sample."""

import argparse
import json
import sys
from pathlib import Path

import engines
import shape
from workload import Workload

RELEASE = Path(__file__).resolve().parents[2] / ".build" / "release" / "batch-benchmark"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What all samples of a run share."""
    parser.add_argument("--models", default=".build/peers", help="what make_models.py wrote (default: %(default)s)")
    parser.add_argument("--batch-benchmark", default=str(RELEASE), help="Apus's executable (default: %(default)s)")
    parser.add_argument("--prompt-tokens", type=int, default=128, help="of each sequence (default: %(default)s)")
    parser.add_argument("--generated-tokens", type=int, default=128, help="of each sequence (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of each engine (default: %(default)s)")
    parser.add_argument("--vocabulary", type=int, default=shape.CONFIG["vocab_size"], help="if made with --tiny: 1024")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=engines.MODULES)
    parser.add_argument("--weights", required=True, choices=["f32", "bf16", "int8", "int4"])
    parser.add_argument("--batch-size", type=int, required=True)
    add_options(parser)
    options = parser.parse_args()
    workload = Workload(
        weights=options.weights,
        batch_size=options.batch_size,
        prompt_tokens=options.prompt_tokens,
        generated_tokens=options.generated_tokens,
        threads=options.threads,
    )
    # Libraries talk on standard output; the sample is its last line.
    sample = engines.load(options.engine).measure(workload, options)
    sys.stdout.flush()
    print(json.dumps(sample.json()), flush=True)


if __name__ == "__main__":
    main()
