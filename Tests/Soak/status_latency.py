"""`/health`, `/metrics` and `/slots` answer within 50 ms (median) and 250 ms (p99) while a prompt of 4,096 tokens is
read, by a model of Qwen2-0.5B's shape that has all cores.

Usage: status_latency.py APUS [--prompts N] [--model FOLDER]"""

import argparse
import http.client
import json
import pathlib
import random
import statistics
import threading
import time

import random_checkpoint
from served import Served, load_average

PROMPT_TOKENS = 4096
PATHS = ["/health", "/metrics", "/slots"]
MEDIAN_MAX, P99_MAX = 0.050, 0.250
# Between questions: as often as a page and some balancers ask together.
PAUSE = 0.02


def expect(holds, what):
    if not holds:
        raise SystemExit(f"status: failed: {what}")


def read_prompt(server, seed, result):
    """Asks for one token after a prompt that was never seen; keeps how long that took."""
    chance = random.Random(seed)
    text = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(PROMPT_TOKENS))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    began = time.monotonic()
    fields = dict(prompt=text, max_tokens=1, temperature=0)
    connection.request("POST", "/v1/completions", json.dumps(fields), {"Content-Type": "application/json"})
    response = connection.getresponse()
    usage = json.loads(response.read()).get("usage", {})
    result.update(status=response.status, seconds=time.monotonic() - began, usage=usage)
    connection.close()


def ask(connections, server, path, count):
    """Seconds of one question: in turns on a connection of its own and on one that stays."""
    began = time.monotonic()
    if count % 2:
        body = server.get(path)
    else:
        connections[path].request("GET", path)
        body = connections[path].getresponse().read()
    return time.monotonic() - began, body


def prefill(server, seed, times):
    """Asks all the while one prompt is read. Returns how long that took."""
    result = {}
    reader = threading.Thread(target=read_prompt, args=(server, seed, result))
    connections = {path: http.client.HTTPConnection("127.0.0.1", server.port, timeout=60) for path in PATHS}
    reader.start()
    while not any(slot["state"] == "prefill" for slot in json.loads(server.get("/slots"))):
        time.sleep(0.01)
        expect(reader.is_alive(), f"the prompt was never seen in a slot: {result}")
    count = 0
    while reader.is_alive():
        for path in PATHS:
            seconds, body = ask(connections, server, path, count)
            times[path].append(seconds)
            if path == "/slots" and not any(slot["is_processing"] for slot in json.loads(body)):
                # The prompt is read.
                break
            time.sleep(PAUSE / len(PATHS))
        count += 1
    reader.join()
    expect(result["status"] == 200 and result["usage"]["prompt_tokens"] == PROMPT_TOKENS, result)
    expect(result["usage"]["prompt_tokens_details"]["cached_tokens"] < 64, result)
    return result["seconds"]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(apus, folder, prompt_count, options):
    server = Served(apus, "--model", str(folder), "--context", "8192", "--slots", "4", *options)
    times = {path: [] for path in PATHS}
    try:
        durations = [prefill(server, seed, times) for seed in range(prompt_count)]
        server.terminate()
        expect(server.exit_code() == 0, "the exit code is not 0")
        expect(not server.error_text(), f"the server wrote errors: {server.error_text()[:1000]}")
    finally:
        server.end()
    print(f"{prompt_count} prompts of {PROMPT_TOKENS} tokens, {statistics.median(durations):.1f} s each (median)")
    print("            answers  median ms   p99 ms   max ms")
    slow = []
    for path, found in times.items():
        median, high = statistics.median(found), percentile(found, 0.99)
        print(f"{path:>10} {len(found):>8} {median * 1e3:>10.2f} {high * 1e3:>8.2f} {max(found) * 1e3:>8.2f}")
        slow += [path] if median > MEDIAN_MAX or high > P99_MAX else []
    print(f"load average {load_average()}")
    expect(not slow, f"{slow}: expected {MEDIAN_MAX * 1e3:.0f} ms median and {P99_MAX * 1e3:.0f} ms p99")
    print("status: passed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("apus")
    parser.add_argument("--prompts", type=int, default=4)
    parser.add_argument("--model", type=pathlib.Path, help="a folder of the model, if not one made for the time")
    options, server_options = parser.parse_known_args()
    with random_checkpoint.made_unless(options.model) as folder:
        measure(options.apus, folder, options.prompts, server_options)


if __name__ == "__main__":
    main()
