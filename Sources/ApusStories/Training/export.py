"""Writes the checkpoint as a model folder: bf16 weights and the configuration files.

python export.py --checkpoint build/checkpoint --out ../Model
"""

import argparse
import json
from pathlib import Path

import torch
from transformers import Qwen2ForCausalLM


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=Path("build/checkpoint"))
    parser.add_argument("--out", type=Path, default=Path("../Model"))
    options = parser.parse_args()
    model = Qwen2ForCausalLM.from_pretrained(options.checkpoint, dtype=torch.bfloat16)
    end = model.config.eos_token_id
    model.save_pretrained(options.out)
    config = model.config
    # Written by hand: the keys every reader of Qwen2 configurations knows, and no others.
    described = {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads,
        "num_key_value_heads": config.num_key_value_heads,
        "hidden_act": "silu",
        "max_position_embeddings": config.max_position_embeddings,
        "rms_norm_eps": config.rms_norm_eps,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
        "attention_dropout": 0.0,
        "initializer_range": 0.02,
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "torch_dtype": "bfloat16",
        "use_cache": True,
    }
    (options.out / "config.json").write_text(json.dumps(described, indent=2) + "\n")
    generation = {
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "do_sample": False,
        "max_new_tokens": 400,
    }
    (options.out / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")


if __name__ == "__main__":
    main()
