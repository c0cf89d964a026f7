"""Writes summaries.json: what NumPy makes of samples of several sizes."""

import json
import pathlib

import numpy as np

random = np.random.default_rng(5)
samples = [[0.25], [1.0, 2.0], [3.0, -1.0, 2.0]]
samples += [random.exponential(0.05, count).tolist() for count in (7, 100, 101, 1000)]
cases = [
    dict(
        values=values,
        mean=float(np.mean(values)),
        median=float(np.median(values)),
        std=float(np.std(values)),
        percentiles={str(p): float(np.percentile(values, p)) for p in (0, 1, 25, 50, 90, 99, 99.9, 100)},
    )
    for values in samples
]
path = pathlib.Path(__file__).with_name("summaries.json")
path.write_text(json.dumps(dict(numpy=np.__version__, cases=cases)) + "\n")
