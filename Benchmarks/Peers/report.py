"""Makes a Markdown table and a plot of the samples that run.py took.

python report.py --samples samples.jsonl --markdown table.md --plot plot.svg
"""

import argparse
import json
import statistics
from collections import defaultdict
from pathlib import Path

from workload import Sample, Workload

OURS = "Apus"
ORDER = ["f32", "bf16", "int8", "int4"]


def read(path: Path) -> list[Sample]:
    return [Sample.parse(json.loads(line)) for line in path.read_text().splitlines() if line.strip()]


def grouped(samples: list[Sample]) -> dict[Workload, dict[str, list[Sample]]]:
    """Samples by workload and engine, workloads in the order of tables."""
    groups: dict[Workload, dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        groups[sample.workload][sample.engine].append(sample)

    def order(workload: Workload):
        return ORDER.index(workload.weights), workload.prompt_tokens, workload.generated_tokens, workload.batch_size

    return {workload: groups[workload] for workload in sorted(groups, key=order)}


def pair_ratios(ours: list[Sample], theirs: list[Sample], rate) -> list[float]:
    """Ours over theirs within each pair. A later run of the same pair replaces an earlier one."""
    first = {sample.pair: rate(sample) for sample in ours}
    second = {sample.pair: rate(sample) for sample in theirs}
    return [first[pair] / second[pair] for pair in first if pair in second]


def rounded(value: float) -> str:
    """Three digits or more."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def spread(values: list[float]) -> str:
    """The median, and least and most where there are several."""
    middle = rounded(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({rounded(min(values))} to {rounded(max(values))})"


def markdown(samples: list[Sample]) -> str:
    heads = ["weights", "batch", "engine", "samples", "memory GB/s", "prefill tokens/s", "decode tokens/s"]
    heads += ["Apus: prefill", "Apus: decode"]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|---|" + "---:|" * (len(heads) - 3)]
    for workload, by_engine in grouped(samples).items():
        for engine in sorted(by_engine, key=lambda name: (name != OURS, name)):
            found = by_engine[engine]
            cells = [workload.weights, str(workload.batch_size), engine, str(len(found))]
            cells.append(rounded(statistics.median(sample.bandwidth for sample in found) * 1e-9))
            cells.append(spread([sample.prefill for sample in found]))
            cells.append(spread([sample.decode for sample in found]))
            for rate in (lambda sample: sample.prefill, lambda sample: sample.decode):
                ratios = [] if engine == OURS else pair_ratios(by_engine.get(OURS, []), found, rate)
                cells.append(f"{spread(ratios)} x" if ratios else "")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plot(samples: list[Sample], path: Path) -> None:
    """Decode rates by batch size, one panel a precision, the least and the most as bars."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "peers"
    from matplotlib import pyplot

    precisions = [name for name in ORDER if any(sample.workload.weights == name for sample in samples)]
    figure, panels = pyplot.subplots(1, len(precisions), figsize=(3.4 * len(precisions), 3.6), squeeze=False)
    names = sorted({sample.engine for sample in samples}, key=lambda name: (name != OURS, name))
    for panel, precision in zip(panels[0], precisions):
        for index, name in enumerate(names):
            rates = defaultdict(list)
            for sample in samples:
                if sample.engine == name and sample.workload.weights == precision:
                    rates[sample.workload.batch_size].append(sample.decode)
            sizes = sorted(rates)
            middle = [statistics.median(rates[size]) for size in sizes]
            below = [value - min(rates[size]) for value, size in zip(middle, sizes)]
            above = [max(rates[size]) - value for value, size in zip(middle, sizes)]
            panel.errorbar(sizes, middle, [below, above], marker="o", capsize=3, label=name, color=f"C{index}")
        panel.set_title(precision)
        panel.set_xscale("log", base=2)
        panel.set_yscale("log")
        ticks = sorted({sample.workload.batch_size for sample in samples})
        panel.set_xticks(ticks, [str(size) for size in ticks])
        panel.set_xlabel("sequences together")
        panel.grid(True, which="both", alpha=0.3)
    panels[0][0].set_ylabel("decode tokens/s")
    panels[0][0].legend(fontsize="small")
    figure.tight_layout()
    # Without the date, so that the same samples give the same file.
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, default=Path("samples.jsonl"), help="of run.py (default: %(default)s)")
    parser.add_argument("--markdown", type=Path, help="where the table goes (default: standard output)")
    parser.add_argument("--plot", type=Path, help="an SVG or PNG to draw, which needs matplotlib")
    options = parser.parse_args()
    samples = read(options.samples)
    if not samples:
        parser.error(f"{options.samples}: no samples")
    table = markdown(samples)
    if options.markdown:
        options.markdown.write_text(table)
    else:
        print(table, end="")
    if options.plot:
        plot(samples, options.plot)


if __name__ == "__main__":
    main()
