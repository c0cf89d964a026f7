#!/usr/bin/env python3
"""Makes the fixtures of this folder: small random checkpoints, and what transformers computes from them.

Run as `python3 make_fixtures.py [NAME ...]` with torch, transformers 5 and safetensors from PyPI. The same
versions write the same bytes. Each folder holds

  config.json, generation_config.json, *.safetensors   as save_pretrained writes them (some configurations are
                                                       rewritten in the style of transformers 4)
  logits.bin       logits of every prompt row: little-endian float32, [prompt length, vocabulary]
  reference.json   prompt, greedy continuation, least top-two margin along it, the configuration as understood
                   by transformers, versions

The reference reloads the folder it has just written, widened to float32, with eager attention, and recomputes
the whole sequence for every token: no cache takes part in it. Norm weights and biases are random too, since
ones and zeros hide mistakes. Seeds are tried until a continuation is neither a loop nor a near tie, so that
greedy tokens can be compared exactly.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from transformers import (
    AutoModelForCausalLM,
    GenerationConfig,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
)

PROMPT_LENGTH = 23
GREEDY_LENGTH = 64
LEAST_MARGIN = 4e-3
LEAST_DISTINCT = 24
FOLDER = Path(__file__).parent


def small(family, **changes):
    """A configuration of the family in the common small size."""
    sizes = dict(
        vocab_size=97, hidden_size=32, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, rms_norm_eps=1e-5, use_cache=False,
        tie_word_embeddings=False)
    return family(**{**sizes, **changes})


def rope(kind="default", theta=10000.0, **parameters):
    return {"rope_type": kind, "rope_theta": theta, **parameters}


def in_version_4_style(config):
    """Rewrites a config.json as transformers 4 wrote it."""
    parameters = config.pop("rope_parameters")
    config["rope_theta"] = parameters.pop("rope_theta")
    kind = parameters.pop("rope_type")
    config["rope_scaling"] = None if kind == "default" else {"rope_type": kind, **parameters}
    config["torch_dtype"] = config.pop("dtype")
    config.pop("layer_types", None)


def in_first_llama_style(config):
    """A Llama of 2023: no head_dim, no number of key/value heads, `type` in rope_scaling."""
    in_version_4_style(config)
    for key in ("head_dim", "num_key_value_heads", "attention_bias", "mlp_bias"):
        config.pop(key)
    if config["rope_scaling"]:
        config["rope_scaling"]["type"] = config["rope_scaling"].pop("rope_type")


# name: (configuration, options)
CASES = {
    "qwen2-tied": (
        small(Qwen2Config, tie_word_embeddings=True, rope_parameters=rope(theta=1000000.0)), {}),
    "qwen2-untied-odd": (
        small(
            Qwen2Config, hidden_size=36, num_attention_heads=3, num_key_value_heads=1, intermediate_size=53),
        {"rewrite": in_version_4_style}),
    "qwen2-sliding": (
        small(
            Qwen2Config, hidden_size=24, num_attention_heads=2, num_key_value_heads=1, num_hidden_layers=3,
            intermediate_size=31, use_sliding_window=True, sliding_window=6, max_window_layers=3,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"]), {}),
    "qwen2-window-layers": (
        small(
            Qwen2Config, hidden_size=24, num_attention_heads=2, num_key_value_heads=2, num_hidden_layers=3,
            intermediate_size=29, use_sliding_window=True, sliding_window=5, max_window_layers=1),
        {"rewrite": in_version_4_style}),
    "qwen2-bf16": (small(Qwen2Config, tie_word_embeddings=True), {"dtype": torch.bfloat16}),
    "qwen3": (
        small(Qwen3Config, hidden_size=28, head_dim=10, intermediate_size=45,
              rope_parameters=rope(theta=1000000.0)), {}),
    "qwen3-tied-biases": (
        small(Qwen3Config, hidden_size=26, num_attention_heads=3, num_key_value_heads=3, head_dim=8,
              intermediate_size=33, attention_bias=True, tie_word_embeddings=True), {}),
    "llama2": (
        small(LlamaConfig, hidden_size=28, num_attention_heads=2), {"rewrite": in_first_llama_style}),
    "llama2-linear": (
        small(LlamaConfig, hidden_size=24, num_key_value_heads=4, num_attention_heads=4,
              rope_parameters=rope("linear", factor=4.0)), {"rewrite": in_first_llama_style}),
    # Wavelengths 6, 20, 63 and more: the first kept, two blended, the rest divided.
    "llama3": (
        small(LlamaConfig, num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=True,
              rope_parameters=rope(
                  "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                  original_max_position_embeddings=64)), {}),
    "llama-biases": (
        small(LlamaConfig, hidden_size=28, num_attention_heads=2, num_key_value_heads=1, intermediate_size=37,
              attention_bias=True, mlp_bias=True), {}),
    "llama-sharded": (small(LlamaConfig, hidden_size=24, num_attention_heads=6), {"shard": "24KB"}),
    "llama-f16": (small(LlamaConfig, head_dim=12), {"dtype": torch.float16}),
    "mistral-window": (
        small(MistralConfig, hidden_size=24, num_attention_heads=3, num_key_value_heads=1, head_dim=14,
              sliding_window=7), {"rewrite": in_version_4_style}),
    "mistral": (small(MistralConfig, hidden_size=24, sliding_window=None), {}),
}


def randomise(model, generator):
    """Fills every parameter: attention peaked enough for masks and positions to matter."""
    def normal(shape, deviation):
        return torch.randn(shape, generator=generator) * deviation

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            shape = parameter.shape
            if name.endswith("norm.weight"):
                value = 0.5 + torch.rand(shape, generator=generator)
            elif name.endswith(".bias"):
                value = normal(shape, 0.4)
            elif "embed_tokens" in name:
                value = normal(shape, 0.35)
            else:
                gain = 2.0 if "q_proj" in name or "k_proj" in name else 1.5
                value = normal(shape, gain / shape[1] ** 0.5)
            parameter.copy_(value)


def logits_of(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0]


def greedy(model, prompt):
    """The continuation, and the least distance from a chosen logit to the next one."""
    ids, margin = list(prompt), float("inf")
    for _ in range(GREEDY_LENGTH):
        top = logits_of(model, ids)[-1].topk(2)
        margin = min(margin, (top.values[0] - top.values[1]).item())
        ids.append(top.indices[0].item())
    return ids[len(prompt):], margin


def is_loop(tokens):
    """Whether the second half repeats with a short period."""
    half = tokens[GREEDY_LENGTH // 2:]
    return any(half[period:] == half[:-period] for period in range(1, 17))


def write(folder, config, options, generator, continuation=()):
    """Writes one random checkpoint as save_pretrained does."""
    shutil.rmtree(folder, ignore_errors=True)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    randomise(model, generator)
    # End tokens that the continuation does not meet, so that it may be compared to its last token.
    ends = [token for token in range(3, config.vocab_size) if token not in continuation][:2]
    model.config.bos_token_id, model.config.eos_token_id = 1, ends[0]
    model.generation_config = GenerationConfig(bos_token_id=1, eos_token_id=ends)
    model.to(options.get("dtype", torch.float32))
    model.save_pretrained(folder, max_shard_size=options.get("shard", "1GB"))
    if "rewrite" in options:
        path = folder / "config.json"
        rewritten = json.loads(path.read_text())
        options["rewrite"](rewritten)
        path.write_text(json.dumps(rewritten, indent=2) + "\n")


def load(folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return model.eval()


def understood(config):
    """The configuration as transformers read it back, for the fields every family shares."""
    windows = [None] * config.num_hidden_layers
    window = getattr(config, "sliding_window", None)
    if window is not None:
        types = getattr(config, "layer_types", None) or ["sliding_attention"] * config.num_hidden_layers
        windows = [window if kind == "sliding_attention" else None for kind in types]
    return {
        "architecture": config.architectures[0],
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads,
        "num_key_value_heads": config.num_key_value_heads,
        "head_dim": getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
        "rms_norm_eps": config.rms_norm_eps,
        "max_position_embeddings": config.max_position_embeddings,
        "tie_word_embeddings": config.tie_word_embeddings,
        "rope_parameters": config.rope_parameters,
        "sliding_windows": windows,
    }


def make(name, config, options):
    folder = FOLDER / name
    for seed in range(1000):
        write(folder, config, options, torch.Generator().manual_seed(seed))
        model = load(folder)
        chooser = torch.Generator().manual_seed(seed + 1)
        prompt = torch.randint(3, config.vocab_size, (PROMPT_LENGTH,), generator=chooser).tolist()
        tokens, margin = greedy(model, prompt)
        if margin > LEAST_MARGIN and len(set(tokens)) >= LEAST_DISTINCT and not is_loop(tokens):
            break
    else:
        raise SystemExit(f"{name}: no seed gives a continuation worth comparing")
    write(folder, config, options, torch.Generator().manual_seed(seed), continuation=tokens)
    model = load(folder)
    logits = logits_of(model, prompt)
    cached = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, PROMPT_LENGTH, dtype=torch.long),
        do_sample=False, max_new_tokens=GREEDY_LENGTH, use_cache=True,
        pad_token_id=0)[0, PROMPT_LENGTH:].tolist()
    assert cached == tokens, f"{name}: generate() gives another continuation"
    (folder / "logits.bin").write_bytes(logits.numpy().astype("<f4").tobytes())
    reference = {
        "seed": seed,
        "prompt": prompt,
        "greedy": tokens,
        "margin": margin,
        "logits_shape": list(logits.shape),
        "configuration": understood(model.config),
        "versions": {"transformers": transformers.__version__, "torch": torch.__version__},
    }
    (folder / "reference.json").write_text(json.dumps(reference) + "\n")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{name}: seed {seed}, {len(set(tokens))} distinct, margin {margin:.4f}, "
          f"largest logit {logits.abs().max():.2f}, {size} bytes")


def main():
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    for name in sys.argv[1:] or CASES:
        make(name, *CASES[name])


if __name__ == "__main__":
    main()
