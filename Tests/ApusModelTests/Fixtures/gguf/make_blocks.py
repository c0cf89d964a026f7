#!/usr/bin/env python3
"""Makes blocks.gguf: random blocks of every GGUF type that weights may have, and what they stand for.

Run as `python3 make_blocks.py` with gguf 0.19 and NumPy from PyPI. The same versions write the same bytes.
Tensor `<type>` holds the blocks; tensor `<type>.expected` holds, in float32, what `gguf.quants.dequantize` makes
of them. Half of the blocks have scales as models have them; the others are random in every bit, so their scales
are denormal, infinite or NaN as well.
"""

from pathlib import Path

import gguf
import numpy as np

TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
# Where in a block the half-precision scales and minima are, in bytes.
SCALES = {
    "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2],
    "Q6_K": [208],
}


def random_blocks(random, name, kind):
    """[2, bytes]: two rows of blocks, the first with ordinary scales."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    count = {1: 96, 32: 8, 256: 4}[elements]
    blocks = random.integers(0, 256, (2, count, size), dtype=np.uint8)
    for place in SCALES.get(name, []):
        scales = random.normal(0, 0.01, count).astype(np.float16)
        blocks[0, :, place : place + 2] = scales.view(np.uint8).reshape(count, 2)
    return blocks.reshape(2, count * size)


def main():
    random = np.random.default_rng(20)
    writer = gguf.GGUFWriter(Path(__file__).parent / "blocks.gguf", "blocks")
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        blocks = random_blocks(random, name, kind)
        with np.errstate(invalid="ignore", over="ignore"):
            expected = gguf.quants.dequantize(blocks, kind)
        assert expected.dtype == np.float32
        # Quieted and cleared NaN: NumPy leaves their bits to the processor.
        expected = np.where(np.isnan(expected), np.float32(np.nan), expected)
        writer.add_tensor(name, blocks, raw_dtype=kind)
        writer.add_tensor(f"{name}.expected", expected)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main()
