#!/usr/bin/env python3
"""Makes the inputs that fuzzing starts from: models of a layer and a few tokens, in every format.

Run as `python3 make_seeds.py FOLDER` with gguf and NumPy from PyPI. Writes FOLDER/gguf and FOLDER/folder.
"""

import json
import sys
from pathlib import Path

import gguf
import numpy as np

TYPES = gguf.GGMLQuantizationType
WIDTH, VOCABULARY, HEADS, KV_HEADS, MIDDLE = 32, 8, 2, 1, 32
random = np.random.default_rng(1)


def shapes(biases):
    layer = "model.layers.0."
    kv = WIDTH // HEADS * KV_HEADS
    made = {
        "model.embed_tokens.weight": (VOCABULARY, WIDTH), "model.norm.weight": (WIDTH,),
        layer + "input_layernorm.weight": (WIDTH,), layer + "post_attention_layernorm.weight": (WIDTH,),
        layer + "self_attn.q_proj.weight": (WIDTH, WIDTH), layer + "self_attn.k_proj.weight": (kv, WIDTH),
        layer + "self_attn.v_proj.weight": (kv, WIDTH), layer + "self_attn.o_proj.weight": (WIDTH, WIDTH),
        layer + "mlp.gate_proj.weight": (MIDDLE, WIDTH), layer + "mlp.up_proj.weight": (MIDDLE, WIDTH),
        layer + "mlp.down_proj.weight": (WIDTH, MIDDLE),
    }
    if biases:
        made |= {layer + "self_attn.q_proj.bias": (WIDTH,), layer + "self_attn.k_proj.bias": (kv,),
                 layer + "self_attn.v_proj.bias": (kv,)}
    return made


def add_tokenizer(writer, kind):
    writer.add_tokenizer_model(kind)
    if kind == "gpt2":
        writer.add_tokenizer_pre("qwen2")
        writer.add_token_list(["<s>", "</s>", "a", "b", "ab", "\u0120", "\u0120a", "c"])
        writer.add_token_types([3, 3, 1, 1, 1, 1, 1, 1])
        writer.add_token_merges(["a b", "\u0120 a"])
    else:
        writer.add_token_list(["<unk>", "<s>", "</s>", "<0x41>", "a", "b", "ab", "\u2581"])
        writer.add_token_scores([0.0, 0.0, 0.0, 0.0, -1.0, -2.0, -3.0, -4.0])
        writer.add_token_types([2, 3, 3, 6, 1, 1, 1, 1])


def make_gguf(path, kind, architecture, tokenizer):
    biases = architecture == "qwen2"
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(16)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(MIDDLE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_eos_token_id(1)
    add_tokenizer(writer, tokenizer)
    names = gguf.get_tensor_name_map(
        {"llama": gguf.MODEL_ARCH.LLAMA, "qwen2": gguf.MODEL_ARCH.QWEN2}[architecture], 1)
    for name, shape in shapes(biases).items():
        stored, values = names.get_name(name, (".weight", ".bias")), random.normal(0, 0.1, shape).astype(np.float32)
        if len(shape) == 1 or kind == TYPES.F32:
            writer.add_tensor(stored, values)
        else:
            writer.add_tensor(stored, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def folder(tensors, config, metadata=None):
    """`config.json`, a zero byte, and a safetensors file of {name: (dtype, shape, bytes)}."""
    header, data = dict(metadata or {}), b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return json.dumps(config).encode() + b"\0" + len(text).to_bytes(8, "little") + text + data


def make_folder(path, bits, dtype, extra=None):
    config = {
        "architectures": ["Qwen2ForCausalLM"], "hidden_size": WIDTH, "intermediate_size": MIDDLE, "vocab_size": VOCABULARY,
        "num_hidden_layers": 1, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS,
        "max_position_embeddings": 16, "tie_word_embeddings": True, **(extra or {})}
    size = {"F32": 4, "F16": 2, "BF16": 2}[dtype]
    tensors = {}
    for name, shape in shapes(True).items():
        count = int(np.prod(shape))
        if bits and len(shape) == 2:
            tensors[name] = ("U32", [shape[0], shape[1] * bits // 32], random.bytes(count * bits // 8))
            for part in ("scales", "biases"):
                numbers = (b"\x80\x3c" if size == 2 else b"\0\0\x80\x3c") * (count // 32)
                tensors[name.replace("weight", part)] = (dtype, [shape[0], shape[1] // 32], numbers)
        else:
            tensors[name] = (dtype, list(shape), (b"\x80\x3c" if size == 2 else b"\0\0\x80\x3c") * count)
    if bits:
        config["quantization"] = {"group_size": 32, "bits": bits, "model.norm": False}
    path.write_bytes(folder(tensors, config))


def make_packed(path):
    """Packed weights in f32: panels of 16 outputs, rows of whole panels, as `apus quantize` writes them."""
    layer, kv = "model.layers.0.", WIDTH // HEADS * KV_HEADS
    pieces = [
        ("model.embed_tokens.panels", 16 * WIDTH), (layer + "input_layernorm", WIDTH),
        (layer + "self_attn.q_proj.panels", (WIDTH + 2 * kv) * WIDTH),
        (layer + "self_attn.qkv_proj.bias", WIDTH + 2 * kv), (layer + "self_attn.o_proj.panels", WIDTH * WIDTH),
        (layer + "post_attention_layernorm", WIDTH), (layer + "mlp.gate_proj.panels", 2 * MIDDLE * WIDTH),
        (layer + "mlp.down_proj.panels", WIDTH * MIDDLE), ("model.norm", WIDTH)]
    modules = [name.removesuffix(".weight") for name, shape in shapes(True).items() if len(shape) == 2]
    config = {
        "architectures": ["Qwen2ForCausalLM"], "hidden_size": WIDTH, "intermediate_size": MIDDLE,
        "vocab_size": VOCABULARY, "num_hidden_layers": 1, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "max_position_embeddings": 16, "tie_word_embeddings": True}
    header = {"format": "apus-panels", "version": "1", **{f"type.{module}": "f32" for module in modules}}
    tensors = {name: ("U8", [4 * count], b"\0\0\x80\x3c" * count) for name, count in pieces}
    path.write_bytes(folder(tensors, config, {"__metadata__": header}))


def main():
    target = Path(sys.argv[1])
    (target / "gguf").mkdir(parents=True, exist_ok=True)
    (target / "folder").mkdir(exist_ok=True)
    for kind in ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"]:
        for architecture, tokenizer in (("llama", "llama"), ("qwen2", "gpt2")):
            make_gguf(target / "gguf" / f"{kind}-{architecture}", TYPES[kind], architecture, tokenizer)
    for bits, dtype in ((0, "F32"), (0, "BF16"), (4, "BF16"), (8, "F16"), (4, "F32")):
        make_folder(target / "folder" / f"{bits}-{dtype}", bits, dtype)
    rope = {"rope_scaling": {"rope_type": "linear", "factor": 2.0}, "use_sliding_window": True, "sliding_window": 4}
    make_folder(target / "folder" / "rope", 4, "F16", rope)
    make_packed(target / "folder" / "packed")


main()
