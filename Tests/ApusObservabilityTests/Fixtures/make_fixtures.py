"""Reads metrics.txt as Prometheus' own client does and writes what it found to metrics.json.

    pip install prometheus_client==0.26.0
    python make_fixtures.py

metrics.txt is what PrometheusTextTests prints; the test fails with it when it changes.
"""

import json
import pathlib

from prometheus_client.parser import text_fd_to_metric_families

folder = pathlib.Path(__file__).parent
with open(folder / "metrics.txt", encoding="utf-8", newline="\n") as file:
    families = [
        {
            "name": family.name,
            "type": family.type,
            "help": family.documentation,
            "samples": [
                {"name": sample.name, "labels": sample.labels, "value": repr(float(sample.value))}
                for sample in family.samples
            ],
        }
        for family in text_fd_to_metric_families(file)
    ]
(folder / "metrics.json").write_text(json.dumps(families, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
