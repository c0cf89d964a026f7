"""Apus, by its batch-benchmark: the engine with its scheduler and greedy sampler, random weights made in memory."""

import json
import subprocess
from pathlib import Path

from workload import Sample, Workload

NAME = "Apus"


def missing(options) -> str | None:
    if not Path(options.batch_benchmark).is_file():
        return f"no {options.batch_benchmark}: run swift build -c release --product batch-benchmark"
    return None


def measure(workload: Workload, options) -> Sample:
    arguments = {
        "only": "shape",
        "batch-sizes": workload.batch_size,
        "requests": workload.batch_size,
        "prompt-tokens": workload.prompt_tokens,
        "generated-tokens": workload.generated_tokens,
        "weights": workload.weights,
        "threads": workload.threads,
        "output": "json",
    }
    command = [options.batch_benchmark]
    for name, value in arguments.items():
        command += [f"--{name}", str(value)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return sample(json.loads(result.stdout), workload)


def sample(report: dict, workload: Workload) -> Sample:
    """The sample in batch-benchmark's report of one workload at one batch size."""
    run = report["workloads"][0]["report"]["rows"][0]["runs"][0]
    return Sample(
        engine=NAME,
        version=report["machine"]["instruction_set"],
        workload=workload,
        prefill=run["prefill_tokens_per_second"],
        decode=run["decode_tokens_per_second"],
    )
