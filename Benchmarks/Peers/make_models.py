"""Writes the files that the peers run, into a folder of your choice: some 7 GB for all.

python make_models.py --models .build/peers [--only hf,bf16.gguf,ov-bf16] [--tiny]
"""

import argparse
import json
import os
from pathlib import Path

import shape
from make_gguf import make_gguf
from make_openvino import make_openvino
from vocabulary import write_tokenizer

GGUF_KINDS = ["f32", "bf16", "q8_0", "q4_0"]
OPENVINO_PRECISIONS = ["f32", "bf16", "int8", "int4"]
NAMES = ["hf", "served"] + [f"{kind}.gguf" for kind in GGUF_KINDS] + [f"ov-{name}" for name in OPENVINO_PRECISIONS]


def make_checkpoint(config: dict, out: Path) -> None:
    """A Hugging Face folder in bf16, weights drawn as for a training. No tokenizer: prompts are token ids."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(shape.SEED)
    fields = {key: value for key, value in config.items() if key not in ("architectures", "model_type")}
    Qwen2ForCausalLM(Qwen2Config(**fields)).to(torch.bfloat16).save_pretrained(out)


def make_served(checkpoint: Path, config: dict, out: Path) -> None:
    """The same weights with a vocabulary, as a server wants them."""
    out.mkdir()
    os.link(checkpoint / "model.safetensors", out / "model.safetensors")
    (out / "config.json").write_text(json.dumps(config))
    write_tokenizer(config["vocab_size"], out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--only", default=",".join(NAMES), help="names of files and folders, in %(default)s")
    parser.add_argument("--tiny", action="store_true", help="a model of a few megabytes, to try the scripts with")
    options = parser.parse_args()
    wanted = options.only.split(",")
    if unknown := set(wanted) - set(NAMES):
        parser.error(f"--only: {sorted(unknown)}; expected names in {NAMES}")
    config = shape.TINY if options.tiny else shape.CONFIG
    options.models.mkdir(parents=True, exist_ok=True)
    checkpoint = options.models / "hf"
    for name in NAMES:
        target = options.models / name
        if target.exists() or (name not in wanted and name != "hf"):
            continue
        print(f"writing {target}", flush=True)
        # Under another name until it is whole, so that what was cut short is made again.
        part = options.models / f"{name}.part"
        if name == "hf":
            make_checkpoint(config, part)
        elif name == "served":
            make_served(checkpoint, config, part)
        elif name.endswith(".gguf"):
            make_gguf(checkpoint, config, name.removesuffix(".gguf"), part)
        else:
            make_openvino(checkpoint, name.removeprefix("ov-"), part)
        part.rename(target)


if __name__ == "__main__":
    main()
