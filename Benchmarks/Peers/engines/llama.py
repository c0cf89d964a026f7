"""llama.cpp, by the C interface that llama-cpp-python carries: whole batches to llama_decode, as its own
llama-batched-bench does. Tokens are given, not sampled: what a sampler takes is not counted against it.
"""

import importlib.util
import time
from pathlib import Path

import shape
from workload import Sample, Workload

NAME = "llama.cpp"


def model_path(workload: Workload, options) -> Path:
    return Path(options.models) / shape.FILES["llama"][workload.weights]


def missing(options) -> str | None:
    return None if importlib.util.find_spec("llama_cpp") else "llama-cpp-python is not installed"


class Session:
    """A model and a context with one sequence for each of the batch."""

    def __init__(self, library, workload: Workload, path: Path):
        self.library = library
        library.llama_backend_init()
        self.model = library.llama_model_load_from_file(str(path).encode(), library.llama_model_default_params())
        if not self.model:
            raise SystemExit(f"{path}: llama.cpp cannot load it")
        parameters = library.llama_context_default_params()
        positions = workload.prompt_tokens + workload.generated_tokens
        # A sequence gets an equal share of the context, in steps of 256.
        parameters.n_ctx = workload.batch_size * ((positions + 255) // 256 * 256)
        parameters.n_seq_max = workload.batch_size
        self.row_count = workload.batch_size * workload.prompt_tokens
        parameters.n_batch = max(self.row_count, workload.batch_size)
        parameters.n_threads = parameters.n_threads_batch = workload.threads
        self.context = library.llama_init_from_model(self.model, parameters)
        if not self.context:
            raise SystemExit(f"{path}: llama.cpp cannot make a context")
        self.batch = library.llama_batch_init(parameters.n_batch, 0, 1)

    def clear(self) -> None:
        self.library.llama_memory_clear(self.library.llama_get_memory(self.context), True)

    def decode(self, rows: list[tuple[int, int, int, bool]]) -> float:
        """Runs rows of (token, position, sequence, wants logits); seconds."""
        batch = self.batch
        for index, (token, position, sequence, wants_logits) in enumerate(rows):
            batch.token[index] = token
            batch.pos[index] = position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = wants_logits
        batch.n_tokens = len(rows)
        start = time.perf_counter()
        code = self.library.llama_decode(self.context, batch)
        self.library.llama_synchronize(self.context)
        seconds = time.perf_counter() - start
        if code != 0:
            raise SystemExit(f"llama_decode of {len(rows)} rows: code {code}")
        return seconds


def run(session: Session, workload: Workload, prompts: list[list[int]], steps: int) -> tuple[float, float]:
    """Seconds of the prompts and of `steps` steps after them."""
    session.clear()
    last = workload.prompt_tokens - 1
    rows = [
        (token, position, sequence, position == last)
        for sequence, prompt in enumerate(prompts)
        for position, token in enumerate(prompt)
    ]
    prefill = session.decode(rows)
    decode = 0.0
    for step in range(steps):
        position = workload.prompt_tokens + step
        decode += session.decode(
            [(prompt[step % len(prompt)], position, sequence, True) for sequence, prompt in enumerate(prompts)]
        )
    return prefill, decode


def measure(workload: Workload, options) -> Sample:
    import llama_cpp

    silence = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(silence, None)
    session = Session(llama_cpp, workload, model_path(workload, options))
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(session.model))
    prompts = workload.prompts(vocabulary)
    run(session, workload, prompts, steps=2)
    prefill, decode = run(session, workload, prompts, workload.generated_tokens - 1)
    return Sample.timed(NAME, llama_cpp.__version__, workload, prefill, decode)
