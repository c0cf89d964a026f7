#!/usr/bin/env python3
"""Makes the models of this folder: checkpoints of the folder above, in the format GGUF.

Run as `python3 make_models.py` with gguf 0.19 and NumPy from PyPI. The same versions write the same bytes. Keys and
tensor names are those of the format's own writer. Files are named for the checkpoint whose weights they hold;

  llama3-mixed.gguf     has some of its matrices in blocks,
  llama3-widened.gguf   what `gguf.quants.dequantize` makes of those, in float32,
  qwen2-bf16-letters.gguf   has the tokenizer of letters.json, whose vocabulary ends before the embedding does.
"""

import json
from pathlib import Path

import gguf
import numpy as np

FOLDER = Path(__file__).parent
ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA, "qwen2": gguf.MODEL_ARCH.QWEN2, "qwen3": gguf.MODEL_ARCH.QWEN3,
}
TYPES = gguf.GGMLQuantizationType
MIXED = {
    "model.embed_tokens.weight": TYPES.Q8_0, "self_attn.q_proj.weight": TYPES.Q4_0,
    "self_attn.k_proj.weight": TYPES.Q5_1, "self_attn.v_proj.weight": TYPES.Q5_0,
    "mlp.gate_proj.weight": TYPES.Q4_1, "mlp.up_proj.weight": TYPES.F16, "mlp.down_proj.weight": TYPES.BF16,
}


def read_safetensors(path):
    """{name: array}; bfloat16 as uint16."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header.pop("__metadata__", None)
    types = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        array = np.frombuffer(data[end + first : end + last], types[entry["dtype"]])
        tensors[name] = array.reshape(entry["shape"])
    return tensors


def interleaved(rows, head_count):
    """Rows of each head in the order in which element 2i is rotated with 2i + 1."""
    halves = rows.reshape(head_count, 2, -1, *rows.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(rows.shape)


def add_settings(writer, config, bos):
    heads = config["num_attention_heads"]
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    if config.get("head_dim"):
        writer.add_key_length(config["head_dim"])
        writer.add_value_length(config["head_dim"])
    writer.add_bos_token_id(bos)


def rope_divisors(config):
    """Llama 3.1's scaling: what each rotary frequency is divided by."""
    rope, size = config["rope_parameters"], config["head_dim"]
    frequencies = 1.0 / rope["rope_theta"] ** (np.arange(0, size, 2) / size)
    wavelengths = 2 * np.pi / frequencies
    low, high, context = (
        rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"])
    share = np.clip((context / wavelengths - low) / (high - low), 0, 1)
    return (1 / ((1 - share) / rope["factor"] + share)).astype(np.float32)


def add_tokenizer(writer, state, size):
    """A byte-level `tokenizer.json`, and unused tokens for the rows of the embedding that are left."""
    tokens = {id: token for token, id in state["model"]["vocab"].items()}
    special = {added["id"] for added in state["added_tokens"]}
    types = [3 if id in special else 1 if id in tokens else 5 for id in range(size)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([tokens.get(id, f"[PAD{id}]") for id in range(size)])
    writer.add_token_types(types)
    writer.add_token_merges(state["model"]["merges"])
    writer.add_add_bos_token(True)


def add_tensor(writer, name, values, kind, widened):
    if values.dtype == np.uint16:
        writer.add_tensor(name, values.view(np.uint8), raw_dtype=TYPES.BF16)
    elif kind is None:
        writer.add_tensor(name, values)
    else:
        blocks = gguf.quants.quantize(values, kind)
        if widened:
            writer.add_tensor(name, gguf.quants.dequantize(blocks, kind))
        else:
            writer.add_tensor(name, blocks, raw_dtype=kind)


def make(checkpoint, name=None, mixed=False, widened=False, tokenizer=None):
    folder = FOLDER.parent / checkpoint
    config = json.loads((folder / "config.json").read_text())
    generation = json.loads((folder / "generation_config.json").read_text())
    architecture = ARCHITECTURES[config["model_type"]]
    writer = gguf.GGUFWriter(FOLDER / f"{name or checkpoint}.gguf", config["model_type"])
    if tokenizer:
        state = json.loads((FOLDER / tokenizer).read_text())
        add_settings(writer, config, bos=state["model"]["vocab"]["<s>"])
        add_tokenizer(writer, state, config["vocab_size"])
    else:
        add_settings(writer, config, bos=config["bos_token_id"])
    eos, eot = generation["eos_token_id"]
    writer.add_eos_token_id(eos)
    writer.add_eot_token_id(eot)
    if config["rope_parameters"]["rope_type"] == "llama3":
        writer.add_rope_scaling_orig_ctx_len(config["rope_parameters"]["original_max_position_embeddings"])
        writer.add_tensor("rope_freqs.weight", rope_divisors(config))
    names = gguf.get_tensor_name_map(architecture, config["num_hidden_layers"])
    for tensor, values in read_safetensors(folder / "model.safetensors").items():
        if config["model_type"] == "llama" and ("q_proj" in tensor or "k_proj" in tensor):
            key = "num_attention_heads" if "q_proj" in tensor else "num_key_value_heads"
            values = interleaved(values, config[key])
        short = tensor.split(".", 3)[3] if tensor.startswith("model.layers.") else tensor
        kind = MIXED.get(short) if mixed else None
        add_tensor(writer, names.get_name(tensor, (".weight", ".bias")), values, kind, widened)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


for checkpoint in ["llama3", "llama-biases", "qwen2-bf16", "qwen3"]:
    make(checkpoint)
make("llama3", "llama3-mixed", mixed=True)
make("llama3", "llama3-widened", mixed=True, widened=True)
make("qwen2-bf16", "qwen2-bf16-letters", tokenizer="letters.json")
