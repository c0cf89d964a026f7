"""A normal client beside hostile ones: the p99 of the time between its tokens grows by less than half, and each of
the hostile ones is refused or limited as documented.

The normal client streams without a pause, in a process of its own, from a model of Qwen2-0.5B's shape; times without
and with neighbours are measured in turns, so that what else the machine does meets both. The server gets one thread of
two cores: the clients are on the same machine. With `--embedded` tokens come every 0.3 ms, so that the p99 shows when
the system let whom run.

Usage: pressure.py APUS [--pairs N] [--seconds S] [--threads N] [--embedded]"""

import argparse
import asyncio
import multiprocessing
import statistics
import time

import random_checkpoint
from hostile import KINDS, Neighbours
from meter import Meter
from served import Served, load_average

GROWTH_MAX = 1.5
READ_TIMEOUT = 3
AT_ONCE = 4
SETTLE = 1.0


def expect(holds, what):
    if not holds:
        raise SystemExit(f"pressure: failed: {what}")


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def milliseconds(values):
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle * 1e3:6.2f} ({low * 1e3:.2f}-{high * 1e3:.2f})"


async def limits(apus):
    """Each kind once, against short time limits: every one meets what is documented, the patient ones too."""
    server = Served(apus, "--threads", "1", "--read-timeout", "5", "--idle-timeout", "8")
    try:
        for kind in KINDS:
            neighbours = Neighbours(server.port, [kind])
            began = time.monotonic()
            await asyncio.gather(*(neighbours.one(kind) for _ in range(AT_ONCE)))
            seconds = time.monotonic() - began
            outcomes = neighbours.outcomes[kind.name]
            expect(not neighbours.unexpected(), f"{kind.name}: {dict(outcomes)}, expected {kind.expected}")
            print(f"{kind.name:>20}: {', '.join(sorted(outcomes))}: {AT_ONCE} of them after {seconds:.1f} s")
        await asyncio.to_thread(server.wait_until_idle)
        server.terminate()
        expect(await asyncio.to_thread(server.exit_code) == 0, "the exit code is not 0")
        expect(not server.error_text(), f"the server wrote errors: {server.error_text()[:1000]}")
    finally:
        server.end()


async def window(meter, seconds, name):
    """Times between tokens of the normal client, from now on for so long."""
    begin = time.monotonic()
    await asyncio.sleep(seconds)
    gaps = await asyncio.to_thread(meter.gaps, begin, time.monotonic())
    expect(len(gaps) >= 5, f"{name}: the normal client got {len(gaps)} tokens in {seconds} s")
    return gaps


async def compare(server, meter, name, kinds, options):
    """Pairs of windows, without and with neighbours."""
    calm, pressed = [], []
    outcomes = {}
    for _ in range(options.pairs):
        calm.append(await window(meter, options.seconds, f"before {name}"))
        neighbours = Neighbours(server.port, kinds)
        neighbours.begin()
        await asyncio.sleep(SETTLE)
        pressed.append(await window(meter, options.seconds, f"beside {name}"))
        present, meant = len(server.files()), sum(kind.count for kind in kinds)
        expect(present > 0.9 * meant, f"{name}: {present} open files, {meant} connections were meant to be there")
        await neighbours.end()
        await asyncio.sleep(SETTLE)
        expect(not neighbours.unexpected(), f"{name}: {neighbours.unexpected()}")
        for kind, counts in neighbours.outcomes.items():
            for what, count in counts.items():
                outcomes[f"{kind} {what}"] = outcomes.get(f"{kind} {what}", 0) + count
    calm99, pressed99 = ([percentile(gaps, 0.99) for gaps in windows] for windows in (calm, pressed))
    calm50, pressed50 = (statistics.median(sum(windows, [])) * 1e3 for windows in (calm, pressed))
    ratios = [with_ / without for without, with_ in zip(calm99, pressed99)]
    growth = statistics.median(ratios)
    print(
        f"{name:>20}  {calm50:5.2f} {pressed50:6.2f}  {milliseconds(calm99):>22} {milliseconds(pressed99):>22}  "
        f"{growth:5.2f} ({min(ratios):.2f}-{max(ratios):.2f})   {load_average()}",
        flush=True,
    )
    return growth, outcomes


async def pressure(server, options):
    meter = Meter(server.port, {} if options.embedded else {"allowed_token_ids": random_checkpoint.LETTERS})
    chosen = [kind for kind in KINDS if not options.kind or options.kind in kind.name]
    rows = [(kind.name, [kind]) for kind in chosen] + ([] if options.kind else [("all of them", KINDS)])
    growths, outcomes = {}, {}
    await window(meter, options.seconds, "at the beginning")
    print(f"{'':>20}  {'p50 ms':>12}  {'p99 ms (range) without':>22} {'with':>22}  growth (range)  load average")
    for name, kinds in rows:
        growths[name], met = await compare(server, meter, name, kinds, options)
        outcomes |= met if name != "all of them" else {}
    meter.end()
    for what, count in outcomes.items():
        print(f"{count:>8} {what}")
    await asyncio.to_thread(server.wait_until_idle)
    return {name: growth for name, growth in growths.items() if growth >= GROWTH_MAX}


async def main(options, model):
    await limits(options.apus)
    limits_of_server = ["--context", "512", "--threads", str(options.threads), "--read-timeout", str(READ_TIMEOUT)]
    server = Served(options.apus, "--model", str(model), "--draft-tokens", "0", *limits_of_server)
    try:
        too_slow = await pressure(server, options)
        server.terminate()
        expect(await asyncio.to_thread(server.exit_code) == 0, "the exit code is not 0")
        expect(not server.error_text(), f"the server wrote errors: {server.error_text()[:1000]}")
    finally:
        server.end()
    expect(not too_slow, f"the p99 grew {too_slow} times, expected less than {GROWTH_MAX}")
    print("pressure: passed: the p99 between tokens grew by less than half beside each kind")


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("apus")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kind", help="only kinds with this in their name")
    parser.add_argument("--embedded", action="store_true", help="the embedded model instead of one made for the time")
    arguments = parser.parse_args()
    with random_checkpoint.made_unless("embedded" if arguments.embedded else None) as model:
        asyncio.run(main(arguments, model))
