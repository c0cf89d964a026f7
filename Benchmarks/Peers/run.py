"""Measures Apus and its peers in pairs, ours and theirs in turn, a fresh process for each sample.

python run.py --models .build/peers --weights bf16,int8 --batch-sizes 1,8 --pairs 5 --samples samples.jsonl

Samples are added to a file as they come; report.py makes tables and a plot of it. A peer that is not installed,
or has no model of a precision, is left out with a word on standard error.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import bandwidth
import engines
from worker import add_options
from workload import Sample, Workload

WEIGHTS = ["f32", "bf16", "int8", "int4"]
WORKER = Path(__file__).with_name("worker.py")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def reason_to_skip(name: str, workload: Workload, options) -> str | None:
    """Why `name` cannot run `workload` here; None if it can."""
    module = engines.load(name)
    if reason := module.missing(options):
        return reason
    if not hasattr(module, "model_path"):
        return None
    try:
        path = module.model_path(workload, options)
    except KeyError:
        return f"does not run {workload.weights}"
    return None if path.exists() else f"no {path}: run make_models.py"


def take_sample(name: str, workload: Workload, options) -> Sample | None:
    """One sample in a process of its own; None, with a word, if it fails."""
    command = [sys.executable, str(WORKER), name, "--weights", workload.weights]
    command += ["--batch-size", str(workload.batch_size)]
    for option in ["models", "batch-benchmark", "prompt-tokens", "generated-tokens", "threads", "vocabulary"]:
        command += [f"--{option}", str(getattr(options, option.replace("-", "_")))]
    rate = bandwidth.measure(workload.threads)
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=options.timeout)
    except subprocess.TimeoutExpired:
        say(f"{name}: no answer in {options.timeout} s")
        return None
    if result.returncode != 0:
        say(f"{name}: failed\n{result.stderr[-2000:]}")
        return None
    sample = Sample.parse(json.loads(result.stdout.strip().splitlines()[-1]))
    sample.bandwidth = rate
    return sample


def measure_pairs(peer: str, workload: Workload, options, out) -> None:
    for index in range(options.pairs):
        for name in ("apus", peer):
            sample = take_sample(name, workload, options)
            if sample is None:
                return
            # Names the pair, so that ratios can be taken within it.
            sample.pair = f"{peer}-{index}"
            say(
                f"{workload.title}: {sample.engine} prefill {sample.prefill:.0f}, decode {sample.decode:.1f} tokens/s, "
                f"memory {sample.bandwidth * 1e-9:.1f} GB/s"
            )
            out.write(json.dumps(sample.json()) + "\n")
            out.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--weights", default="bf16", help=f"precisions, of {','.join(WEIGHTS)} (default: %(default)s)")
    parser.add_argument("--batch-sizes", default="1,8", help="sequences together (default: %(default)s)")
    parser.add_argument("--peers", default=",".join(engines.MODULES[1:]), help="engines (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of each workload and peer (default: %(default)s)")
    parser.add_argument("--samples", type=Path, default=Path("samples.jsonl"), help="added to (default: %(default)s)")
    parser.add_argument("--timeout", type=float, default=600, help="seconds a sample may take (default: %(default)s)")
    options = parser.parse_args()
    peers = options.peers.split(",")
    if unknown := set(peers) - set(engines.MODULES[1:]):
        parser.error(f"--peers: {sorted(unknown)}; expected names in {engines.MODULES[1:]}")
    if unknown := set(options.weights.split(",")) - set(WEIGHTS):
        parser.error(f"--weights: {sorted(unknown)}; expected names in {WEIGHTS}")
    if reason := engines.load("apus").missing(options):
        parser.error(reason)
    with options.samples.open("a") as out:
        for weights in options.weights.split(","):
            for batch_size in map(int, options.batch_sizes.split(",")):
                workload = Workload(
                    weights=weights,
                    batch_size=batch_size,
                    prompt_tokens=options.prompt_tokens,
                    generated_tokens=options.generated_tokens,
                    threads=options.threads,
                )
                for peer in peers:
                    if reason := reason_to_skip(peer, workload, options):
                        say(f"{workload.title}: {engines.load(peer).NAME} left out: {reason}")
                        continue
                    measure_pairs(peer, workload, options, out)


if __name__ == "__main__":
    main()
