"""One module an engine, each with NAME, `missing(options)` and `measure(workload, options)`.

`missing` tells in a few words why the engine cannot run here, or gives None. `measure` is called in a process of its
own and gives a Sample. Options are those of worker.py.
"""

import importlib

MODULES = ["apus", "llama", "openvino", "transformers"]


def load(module: str):
    return importlib.import_module(f"engines.{module}")
