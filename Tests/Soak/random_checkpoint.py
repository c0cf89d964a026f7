"""Writes a Hugging Face folder with random weights of Qwen2-0.5B's shape, and a tokenizer that knows bytes alone."""

import contextlib
import json
import pathlib
import random
import struct
import tempfile

CONFIG = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "torch_dtype": "bfloat16",
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "max_position_embeddings": 8192,
    "rms_norm_eps": 1e-6,
    "rope_theta": 1000000.0,
    "tie_word_embeddings": True,
    "hidden_act": "silu",
    "use_sliding_window": False,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
# bfloat16 is the upper half of a float32: a sign and seven bits of exponent in its upper byte. These make values of
# 0.008...0.031 with either sign.
UPPER = bytes(0x3C if byte < 128 else 0xBC for byte in range(256))
ONE = b"\x80\x3f"
PIECE = 1 << 24
# Tokens that are whole characters.
LETTERS = list(range(ord("a"), ord("z") + 1))


def shapes(config):
    """Each tensor's name and shape."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    head = hidden // config["num_attention_heads"]
    groups = config["num_key_value_heads"] * head
    yield "model.embed_tokens.weight", [config["vocab_size"], hidden]
    for layer in range(config["num_hidden_layers"]):
        name = f"model.layers.{layer}."
        yield name + "input_layernorm.weight", [hidden]
        yield name + "post_attention_layernorm.weight", [hidden]
        for kind, rows in [("q", hidden), ("k", groups), ("v", groups)]:
            yield f"{name}self_attn.{kind}_proj.weight", [rows, hidden]
            yield f"{name}self_attn.{kind}_proj.bias", [rows]
        yield name + "self_attn.o_proj.weight", [hidden, hidden]
        yield name + "mlp.gate_proj.weight", [inner, hidden]
        yield name + "mlp.up_proj.weight", [inner, hidden]
        yield name + "mlp.down_proj.weight", [hidden, inner]
    yield "model.norm.weight", [hidden]


def values(name, count, chance):
    """A tensor's bytes, in pieces."""
    if name.endswith("norm.weight"):
        yield ONE * count
        return
    while count:
        part = min(count, PIECE)
        piece = bytearray(2 * part)
        piece[0::2] = chance.randbytes(part)
        piece[1::2] = chance.randbytes(part).translate(UPPER)
        yield piece
        count -= part


def write_weights(path, config):
    """Format: the header's length, the header as JSON, the tensors one after the other."""
    header, offset = {}, 0
    sizes = {}
    for name, shape in shapes(config):
        sizes[name] = shape[0] * (shape[1] if len(shape) > 1 else 1)
        end = offset + 2 * sizes[name]
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    chance = random.Random(2024)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, count in sizes.items():
            for piece in values(name, count, chance):
                file.write(piece)


def byte_characters():
    """GPT-2's characters for bytes: printable ones stand for themselves, the others for those from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    characters = {byte: chr(byte) for byte in printable}
    characters |= {byte: chr(0x100 + index) for index, byte in enumerate(others)}
    return [characters[byte] for byte in range(256)]


def tokenizer():
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
        "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
        "vocab": {character: byte for byte, character in enumerate(byte_characters())}, "merges": [],
    }
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": level, "post_processor": None, "decoder": level, "model": model,
    }


def write(folder):
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    write_weights(folder / "model.safetensors", CONFIG)


@contextlib.contextmanager
def made_unless(folder):
    """`folder`, or else one made for the time."""
    if folder:
        yield folder
        return
    with tempfile.TemporaryDirectory() as made:
        write(pathlib.Path(made))
        yield made
