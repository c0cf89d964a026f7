"""Measures serving: Apus behind HTTP, its engine alone, llama.cpp's server, OpenVINO GenAI's pipeline, in turn.

python serving.py --models .build/peers --llama-server PATH --weights int8 --pairs 5

The same 32 requests for all, as engine-benchmark draws them: prompts of 16 to 512 tokens, outputs of 8 to 256. With 8
in flight, and all at once. One line of figures for each run, as JSON; then medians and ratios within each round.
"""

import argparse
import contextlib
import json
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import bandwidth
import shape

HERE = Path(__file__).parent
LLAMA_TYPES = {"f32": "f32", "bf16": "bf16", "int8": "q8_0", "int4": "q4_0"}
START_SECONDS = 120


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(command: list[str], port: int, ready: str):
    """Runs a server once its path `ready` answers, and ends it afterwards."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                if urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=5).status == 200:
                    break
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{command[0]} did not start")
            time.sleep(0.2)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def load(options, port: int, model: str, in_flight: int, trace: Path) -> dict:
    command = [options.apus, "bench-serve", "--base-url", f"http://127.0.0.1:{port}", "--model", model]
    command += ["--dataset", str(trace), "--ignore-eos", "--max-concurrency", str(in_flight), "--output", "json"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if report["failed"]:
        raise SystemExit(f"{report['failed']} requests failed")
    return {
        "output": report["output_throughput"], "total": report["total_token_throughput"],
        "ttft_p50": report["median_ttft_ms"], "itl_p50": report["median_itl_ms"], "itl_p99": report["p99_itl_ms"],
        "tokens": report["total_output_tokens"],
    }


def slots(options, in_flight: int) -> int:
    return in_flight if in_flight < options.requests else options.requests


def apus(options, in_flight: int, trace: Path) -> dict:
    port = free_port()
    command = [options.apus, "serve", "--model", str(options.models / "served"), "--port", str(port)]
    command += ["--weights", options.weights, "--threads", str(options.threads), "--context", "1024"]
    command += ["--slots", str(slots(options, in_flight)), "--served-model-name", "served"]
    with server(command, port, "/ready"):
        load(options, port, "served", 1, options.warm_up)
        return load(options, port, "served", in_flight, trace)


def engine(options, in_flight: int, trace: Path) -> dict:
    command = [options.engine_benchmark, "load", "--weights", options.weights, "--threads", str(options.threads)]
    command += ["--slots", str(slots(options, in_flight)), "--requests", str(options.requests), "--rate", "0"]
    command += ["--policies", "fifo"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    row = next(line for line in out.splitlines() if "at once, fifo" in line)
    _, output, total, *_ = (float(number.replace(",", "")) for number in re.findall(r"[\d.,]*\d", row))
    return {"output": output, "total": total}


def llama(options, in_flight: int, trace: Path) -> dict:
    port = free_port()
    count = min(slots(options, in_flight), options.llama_slots)
    command = [options.llama_server, "-m", str(options.models / f"{LLAMA_TYPES[options.weights]}.gguf")]
    command += ["--port", str(port), "-t", str(options.threads), "-np", str(count), "-c", str(1024 * count)]
    command += ["--no-webui", "-cb", "--cache-ram", "0"]
    with server(command, port, "/health"):
        load(options, port, "served", 1, options.warm_up)
        return load(options, port, "served", in_flight, trace)


def openvino(options, in_flight: int, trace: Path) -> dict:
    command = [sys.executable, str(HERE / "serving_openvino.py"), "--trace", str(trace)]
    command += ["--model", str(options.models / shape.FILES["openvino"][options.weights])]
    command += ["--threads", str(options.threads), "--in-flight", str(slots(options, in_flight))]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


ENGINES = {"apus": apus, "engine": engine, "llama": llama, "openvino": openvino}


def summarize(samples: list[dict]) -> None:
    for in_flight in sorted({sample["in_flight"] for sample in samples}):
        rounds = [sample for sample in samples if sample["in_flight"] == in_flight]
        print(f"\n{in_flight} in flight")
        for name in ENGINES:
            own = [sample for sample in rounds if sample["engine"] == name]
            if not own:
                continue
            parts = []
            for field in ("output", "total", "ttft_p50", "itl_p50", "itl_p99"):
                values = [sample[field] for sample in own if field in sample]
                if values:
                    parts.append(f"{field} {statistics.median(values):.4g} [{min(values):.4g}..{max(values):.4g}]")
            ratios = []
            for sample in own:
                ours = [s for s in rounds if s["round"] == sample["round"] and s["engine"] == "apus"]
                if ours and name != "apus":
                    ratios.append(ours[0]["output"] / sample["output"])
            if ratios:
                parts.append(f"Apus against it {statistics.median(ratios):.3f} [{min(ratios):.3f}..{max(ratios):.3f}]")
            print(f"  {name}: " + ", ".join(parts))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True, help="what make_models.py wrote")
    parser.add_argument("--apus", default=".build/release/apus")
    parser.add_argument("--engine-benchmark", default=".build/release/engine-benchmark")
    parser.add_argument("--llama-server", default="llama-server")
    parser.add_argument("--engines", default=",".join(ENGINES), help="in turn, or back (default: %(default)s)")
    parser.add_argument("--weights", default="int8", choices=LLAMA_TYPES)
    parser.add_argument("--in-flight", default="8,32", help="requests together (default: %(default)s)")
    parser.add_argument("--llama-slots", type=int, default=8, help="slots of its server at most (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=5, help="rounds of all engines (default: %(default)s)")
    parser.add_argument("--samples", type=Path, help="a file that lines of figures are added to")
    return parser.parse_args()


def main() -> None:
    options = parse()
    names = options.engines.split(",")
    if unknown := set(names) - set(ENGINES):
        raise SystemExit(f"--engines: {sorted(unknown)}; expected names in {list(ENGINES)}")
    samples = []
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.jsonl"
        command = [options.engine_benchmark, "load", "--requests", str(options.requests)]
        command += ["--save-trace", str(trace)]
        subprocess.run(command, check=True, capture_output=True)
        options.warm_up = Path(folder) / "warm-up.jsonl"
        options.warm_up.write_text(json.dumps({"prompt_token_ids": [300] * 40, "max_tokens": 8}) + "\n")
        for round_ in range(options.pairs):
            # Every other round backwards, so that none always comes first.
            order = names if round_ % 2 == 0 else names[::-1]
            for in_flight in map(int, options.in_flight.split(",")):
                for name in order:
                    rate = bandwidth.measure(options.threads)
                    sample = {"engine": name, "weights": options.weights, "in_flight": in_flight, "round": round_}
                    sample |= ENGINES[name](options, in_flight, trace) | {"bandwidth": rate}
                    say(json.dumps(sample))
                    samples.append(sample)
                    if options.samples:
                        with options.samples.open("a") as out:
                            out.write(json.dumps(sample) + "\n")
    summarize(samples)


if __name__ == "__main__":
    main()
