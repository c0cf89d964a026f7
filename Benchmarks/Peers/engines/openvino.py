"""OpenVINO GenAI, by its continuous-batching pipeline, stepped from here: greedy, prompts as token ids."""

import importlib.util
import time
from pathlib import Path

import shape
from workload import Sample, Workload

NAME = "OpenVINO GenAI"


def model_path(workload: Workload, options) -> Path:
    return Path(options.models) / shape.FILES["openvino"][workload.weights]


def missing(options) -> str | None:
    return None if importlib.util.find_spec("openvino_genai") else "openvino-genai is not installed"


def make_pipeline(genai, workload: Workload, path: Path):
    scheduler = genai.SchedulerConfig()
    scheduler.max_num_batched_tokens = max(256, workload.batch_size * workload.prompt_tokens)
    scheduler.max_num_seqs = workload.batch_size
    scheduler.cache_size = 1
    scheduler.enable_prefix_caching = False
    return genai.ContinuousBatchingPipeline(
        str(path), scheduler, "CPU", {"INFERENCE_NUM_THREADS": workload.threads}
    )


def run(pipeline, genai, prompts: list[list[int]], generated_tokens: int) -> list[float]:
    """Seconds of each step: the first runs all prompts, and each gives every sequence a token."""
    import numpy
    import openvino

    settings = genai.GenerationConfig()
    settings.max_new_tokens = generated_tokens
    settings.ignore_eos = True
    settings.do_sample = False
    handles = [
        pipeline.add_request(index, openvino.Tensor(numpy.array([prompt], dtype=numpy.int64)), settings)
        for index, prompt in enumerate(prompts)
    ]
    steps = []
    while pipeline.has_non_finished_requests():
        start = time.perf_counter()
        pipeline.step()
        steps.append(time.perf_counter() - start)
    counts = {len(output.generated_ids) for handle in handles for output in handle.read_all()}
    if counts != {generated_tokens} or len(steps) != generated_tokens:
        raise SystemExit(f"{len(steps)} steps gave {sorted(counts)} tokens; expected {generated_tokens} of both")
    return steps


def measure(workload: Workload, options) -> Sample:
    import openvino_genai as genai

    pipeline = make_pipeline(genai, workload, model_path(workload, options))
    prompts = workload.prompts(options.vocabulary)
    run(pipeline, genai, prompts, generated_tokens=3)
    steps = run(pipeline, genai, prompts, workload.generated_tokens)
    return Sample.timed(NAME, genai.__version__, workload, steps[0], sum(steps[1:]))
