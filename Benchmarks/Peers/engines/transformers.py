"""Hugging Face transformers on PyTorch, for scale: greedy, a key-value cache, prompts of one length."""

import importlib.util
import time
from pathlib import Path

import shape
from workload import Sample, Workload

NAME = "transformers"


def model_path(workload: Workload, options) -> Path:
    return Path(options.models) / shape.FILES["transformers"][workload.weights]


def missing(options) -> str | None:
    for package in ("torch", "transformers"):
        if not importlib.util.find_spec(package):
            return f"{package} is not installed"
    return None


def run(model, prompts, steps: int) -> tuple[float, float]:
    """Seconds of the prompts and of `steps` steps after them."""
    start = time.perf_counter()
    result = model(prompts, use_cache=True, logits_to_keep=1)
    prefill = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(steps):
        tokens = result.logits[:, -1].argmax(-1, keepdim=True)
        result = model(tokens, past_key_values=result.past_key_values, use_cache=True)
    return prefill, time.perf_counter() - start


def measure(workload: Workload, options) -> Sample:
    import torch
    import transformers

    torch.set_num_threads(workload.threads)
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[workload.weights]
    model = transformers.AutoModelForCausalLM.from_pretrained(model_path(workload, options), dtype=dtype).eval()
    prompts = torch.tensor(workload.prompts(model.config.vocab_size))
    with torch.inference_mode():
        run(model, prompts, steps=2)
        prefill, decode = run(model, prompts, workload.generated_tokens - 1)
    return Sample.timed(NAME, transformers.__version__, workload, prefill, decode)
