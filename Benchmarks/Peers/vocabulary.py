"""Made-up words, so that servers, which answer in text, can serve a model without a vocabulary of its own."""

import json
from pathlib import Path

import gguf


def byte_characters() -> list[str]:
    """The characters by which byte-level vocabularies write the 256 bytes."""
    own = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in own else chr(next(others)) for byte in range(256)]


def tokens(size: int) -> list[str]:
    """Bytes, then words of four letters with a space before them: whatever is drawn is text at once."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = (
        "\u0120" + "".join(letters[number // 26**place % 26] for place in range(4)) for number in range(size - 256)
    )
    return byte_characters() + list(words)


def write_tokenizer(size: int, folder: Path) -> None:
    model = {"type": "BPE", "vocab": {name: index for index, name in enumerate(tokens(size))}, "merges": []}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    (folder / "tokenizer.json").write_text(
        json.dumps({"version": "1.0", "pre_tokenizer": byte_level, "decoder": byte_level, "model": model})
    )


def add_vocabulary(writer: gguf.GGUFWriter, size: int) -> None:
    names = tokens(size)
    names[-1] = "\u0120a"  # what the merge gives: llama.cpp reads no list of none
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(names)
    writer.add_token_types([gguf.TokenType.NORMAL] * size)
    writer.add_token_merges(["\u0120 a"])
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)
