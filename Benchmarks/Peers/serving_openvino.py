"""One run of a trace on OpenVINO GenAI's continuous-batching pipeline, in this process; figures as a line of JSON."""

import argparse
import json
import time

import numpy
import openvino
import openvino_genai as genai


def percentile(values: list[float], share: float) -> float:
    """The nearest rank, as bench-serve takes it."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(share) // 100) - 1)]


class Run:
    def __init__(self, handle, start: float, wanted: int) -> None:
        self.handle, self.start, self.wanted = handle, start, wanted
        self.times: list[float] = []

    def take(self, now: float) -> None:
        while self.handle.can_read():
            for output in self.handle.read().values():
                self.times += [now] * len(output.generated_ids)

    @property
    def has_ended(self) -> bool:
        return len(self.times) >= self.wanted


def serve(pipeline, requests: list[dict], in_flight: int) -> list[Run]:
    waiting, running, done = list(enumerate(requests)), [], []
    while waiting or running:
        while waiting and len(running) < in_flight:
            index, request = waiting.pop(0)
            settings = genai.GenerationConfig()
            settings.max_new_tokens = request["max_tokens"]
            settings.ignore_eos, settings.do_sample = True, False
            prompt = openvino.Tensor(numpy.array([request["prompt_token_ids"]], dtype=numpy.int64))
            start = time.perf_counter()
            running.append(Run(pipeline.add_request(index, prompt, settings), start, request["max_tokens"]))
        pipeline.step()
        now = time.perf_counter()
        for run in running:
            run.take(now)
        done += [run for run in running if run.has_ended]
        running = [run for run in running if not run.has_ended]
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--trace", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--in-flight", type=int, default=8)
    options = parser.parse_args()
    with open(options.trace) as lines:
        requests = [json.loads(line) for line in lines]
    scheduler = genai.SchedulerConfig()
    scheduler.max_num_seqs = options.in_flight
    scheduler.cache_size = 1
    scheduler.enable_prefix_caching = False
    pipeline = genai.ContinuousBatchingPipeline(
        options.model, scheduler, "CPU", {"INFERENCE_NUM_THREADS": options.threads}
    )
    serve(pipeline, [{"prompt_token_ids": [300] * 40, "max_tokens": 8}], 1)
    start = time.perf_counter()
    runs = serve(pipeline, requests, options.in_flight)
    seconds = time.perf_counter() - start
    outputs = sum(len(run.times) for run in runs)
    gaps = [1000 * (later - earlier) for run in runs for earlier, later in zip(run.times, run.times[1:])]
    first = [1000 * (run.times[0] - run.start) for run in runs]
    total = outputs + sum(len(request["prompt_token_ids"]) for request in requests)
    print(json.dumps({
        "output": outputs / seconds, "total": total / seconds, "ttft_p50": percentile(first, 50),
        "itl_p50": percentile(gaps, 50), "itl_p99": percentile(gaps, 99), "tokens": outputs,
    }))


if __name__ == "__main__":
    main()
