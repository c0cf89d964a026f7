#!/usr/bin/env python3
"""Makes the models of this folder: quantized weights, and the logits of the floats that they stand for.

Run as `python3 make_quantized.py` with gguf 0.19, NumPy, safetensors, torch and transformers 5 from PyPI. The same
versions write the same bytes. Each model is small and random; for each there is

  NAME.gguf or NAME/     the quantized model: GGUF blocks, or a folder as mlx-lm writes them
  NAME.json              a prompt, and the shape of its logits
  NAME.logits            little-endian float32, [prompt length, vocabulary]: what transformers computes in float32 from
                         the weights widened by NumPy, as the formats' own descriptions say

Blocks of 32 are quantized from random weights by `gguf.quants.quantize`. Those of 256 have no such function: their
integers and small scales are random bits, and only the block's own scale is chosen.
"""

import json
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config

FOLDER = Path(__file__).parent
VOCABULARY, PROMPT = 48, 12
TYPES = gguf.GGMLQuantizationType


def small(family, width, **changes):
    sizes = dict(
        vocab_size=VOCABULARY, hidden_size=width, intermediate_size=width, num_hidden_layers=1,
        num_attention_heads=4, num_key_value_heads=1, max_position_embeddings=64, rms_norm_eps=1e-5,
        tie_word_embeddings=True, bos_token_id=1, eos_token_id=2)
    return family(**{**sizes, **changes})


def random_weight(random, name, shape):
    if name.endswith("norm.weight"):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    if len(shape) == 1:
        return random.normal(0, 0.3, shape).astype(np.float32)
    deviation = 0.5 if "embed_tokens" in name else 1.2 / shape[1] ** 0.5
    return random.normal(0, deviation, shape).astype(np.float32)


# MARK: GGUF

def random_super_blocks(random, kind, shape, deviation):
    """Blocks of 256 whose weights have about that deviation."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (shape[0] * shape[1] // elements, size), dtype=np.uint8)
    # Of random integers and scales the deviations are about these.
    spread = {TYPES.Q4_K: 32 * 4.6, TYPES.Q5_K: 32 * 9.2, TYPES.Q6_K: 74 * 18.5}[kind]
    scales = np.full(len(blocks), deviation / spread * 0.7, np.float32) * random.uniform(0.8, 1.2, len(blocks))
    places = [208] if kind == TYPES.Q6_K else [0]
    for place in places:
        blocks[:, place : place + 2] = scales.astype(np.float16).view(np.uint8).reshape(-1, 2)
    if kind != TYPES.Q6_K:
        minima = (scales * (7.5 if kind == TYPES.Q4_K else 15.5)).astype(np.float16)
        blocks[:, 2:4] = minima.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(shape[0], -1)


def interleaved(rows, head_count):
    """Rows of each head in the order in which element 2i is rotated with 2i + 1."""
    halves = rows.reshape(head_count, 2, -1, *rows.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(rows.shape)


def make_gguf(name, config, kinds):
    """`kinds` says which type a weight has by a part of its name; the first that fits counts."""
    random = np.random.default_rng(sum(name.encode()))
    architecture = {"llama": gguf.MODEL_ARCH.LLAMA, "qwen2": gguf.MODEL_ARCH.QWEN2}[config.model_type]
    writer = gguf.GGUFWriter(FOLDER / f"{name}.gguf", config.model_type)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    widened = {}
    for tensor, shape in shapes(config).items():
        kind = next((kind for part, kind in kinds if part in tensor), None) if len(shape) == 2 else None
        stored = names.get_name(tensor, (".weight", ".bias"))
        if kind is None:
            widened[tensor] = random_weight(random, tensor, shape)
            writer.add_tensor(stored, widened[tensor])
            continue
        if gguf.GGML_QUANT_SIZES[kind][0] == 32:
            blocks = gguf.quants.quantize(random_weight(random, tensor, shape), kind)
        else:
            blocks = random_super_blocks(random, kind, shape, random_weight(random, tensor, (64, shape[1])).std())
        widened[tensor] = gguf.quants.dequantize(blocks, kind)
        if config.model_type == "llama" and ("q_proj" in tensor or "k_proj" in tensor):
            heads = config.num_attention_heads if "q_proj" in tensor else config.num_key_value_heads
            blocks = interleaved(blocks, heads)
        writer.add_tensor(stored, blocks, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    write_reference(name, config, widened)


# MARK: MLX

def to_bf16(values):
    """Rounded to nearest, ties to even: the bits."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def affine(values, group_size, bits, dtype):
    """(packed integers, scales, biases, what they stand for), scales and biases as `dtype` stores them."""
    groups = values.reshape(values.shape[0], -1, group_size)
    low, high = groups.min(axis=2), groups.max(axis=2)
    if dtype == "BF16":
        stored = to_bf16((high - low) / (2**bits - 1)), to_bf16(low)
        scales, biases = ((part.astype(np.uint32) << 16).view(np.float32) for part in stored)
    else:
        kind = {"F16": np.float16, "F32": np.float32}[dtype]
        stored = ((high - low) / (2**bits - 1)).astype(kind), low.astype(kind)
        scales, biases = (part.astype(np.float32) for part in stored)
    q = np.clip(np.rint((groups - biases[:, :, None]) / scales[:, :, None]), 0, 2**bits - 1).astype(np.uint32)
    widened = (scales[:, :, None] * q.astype(np.float32) + biases[:, :, None]).reshape(values.shape)
    words = q.reshape(values.shape[0], -1, 32 // bits)
    packed = (words << (np.arange(32 // bits, dtype=np.uint32) * bits)).sum(axis=2, dtype=np.uint32)
    return packed, *stored, widened.astype(np.float32)


def write_safetensors(path, tensors, dtype):
    """Floats as `dtype`; bfloat16 is given as uint16, which no other tensor is."""
    save_file(tensors, path, metadata={"format": "mlx"})
    if dtype != "BF16":
        return
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "U16":
            entry["dtype"] = "BF16"
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])


def make_mlx(name, config, group_size, bits, dtype, modules=None):
    """`modules` are entries of `quantization` for single modules: False, or a format."""
    modules = modules or {}
    random = np.random.default_rng(sum(name.encode()))
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    tensors, widened = {}, {}
    for tensor, shape in shapes(config).items():
        values = random_weight(random, tensor, shape)
        module = tensor.removesuffix(".weight")
        own = modules.get(module, {"group_size": group_size, "bits": bits})
        if len(shape) == 1 or own is False:
            bits16 = to_bf16(values)
            stored = {"BF16": bits16, "F16": values.astype(np.float16), "F32": values}[dtype]
            tensors[tensor] = stored
            widened[tensor] = (
                (bits16.astype(np.uint32) << 16).view(np.float32) if dtype == "BF16" else stored.astype(np.float32))
            continue
        packed, scales, biases, widened[tensor] = affine(values, own["group_size"], own["bits"], dtype)
        tensors |= {tensor: packed, f"{module}.scales": scales, f"{module}.biases": biases}
    write_safetensors(folder / "model.safetensors", tensors, dtype)
    quantization = {"group_size": group_size, "bits": bits, **modules}
    settings = {
        "architectures": [config.architectures[0]], "model_type": config.model_type, "hidden_act": "silu",
        "vocab_size": VOCABULARY, "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size, "num_hidden_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads, "num_key_value_heads": config.num_key_value_heads,
        "max_position_embeddings": config.max_position_embeddings, "rms_norm_eps": config.rms_norm_eps,
        "rope_theta": 10000.0, "tie_word_embeddings": config.tie_word_embeddings, "bos_token_id": 1,
        "eos_token_id": 2, "quantization": quantization, "quantization_config": quantization,
    }
    (folder / "config.json").write_text(json.dumps(settings, indent=4) + "\n")
    write_reference(name, config, widened)


# MARK: Reference

def shapes(config):
    """{name: shape} of every parameter, in the model's order; the tied output projection is left out."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    return {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}


def write_reference(name, config, weights):
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()
    found = model.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()}, strict=False)
    assert not found.unexpected_keys and set(found.missing_keys) <= {"lm_head.weight"}, found
    model.tie_weights()
    prompt = np.random.default_rng(len(name)).integers(3, VOCABULARY, PROMPT).tolist()
    with torch.no_grad():
        logits = model(torch.tensor([prompt])).logits[0].numpy()
    assert np.isfinite(logits).all() and logits.std() > 0.3, (name, logits.std())
    (FOLDER / f"{name}.logits").write_bytes(logits.astype("<f4").tobytes())
    (FOLDER / f"{name}.json").write_text(json.dumps({"prompt": prompt, "shape": list(logits.shape)}) + "\n")
    print(f"{name}: logits of deviation {logits.std():.2f}, largest {np.abs(logits).max():.2f}")


def main():
    llama = small(LlamaConfig, 64, architectures=["LlamaForCausalLM"])
    for kind in ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"]:
        make_gguf(kind.lower(), llama, [("", TYPES[kind])])
    wide = small(LlamaConfig, 256, num_attention_heads=2, architectures=["LlamaForCausalLM"])
    for kind in ["Q4_K", "Q5_K", "Q6_K"]:
        make_gguf(kind.lower(), wide, [("", TYPES[kind])])
    # As the mix called Q4_K_M: values and the way down finer, in a family with biases.
    qwen = small(Qwen2Config, 256, num_attention_heads=2, architectures=["Qwen2ForCausalLM"])
    make_gguf("q4_k_m", qwen, [(part, TYPES.Q6_K) for part in ("embed", "v_proj", "down")] + [("", TYPES.Q4_K)])

    for bits in (4, 8):
        for group_size, dtype in ((32, "F32"), (64, "BF16"), (128, "F16")):
            config = small(Qwen2Config, 128, architectures=["Qwen2ForCausalLM"], tie_word_embeddings=bits == 4)
            make_mlx(f"mlx-{bits}-{group_size}", config, group_size, bits, dtype)
    make_mlx("mlx-mixed", small(Qwen2Config, 128, architectures=["Qwen2ForCausalLM"]), 64, 4, "BF16", {
        "model.layers.0.self_attn.v_proj": {"group_size": 32, "bits": 8},
        "model.layers.0.mlp.gate_proj": {"group_size": 128, "bits": 4},
        "model.layers.0.mlp.up_proj": False, "model.embed_tokens": {"group_size": 64, "bits": 8}})


main()
