#!/usr/bin/env python3
"""Makes values.gguf: a metadata value of every type, and tensors of several types and ranks.

Run as `python3 make_gguf.py` with gguf 0.19 from PyPI, whose writer is the format's own. The same version writes
the same bytes. What the file holds is spelled out again in GGUFTests.swift.
"""

from pathlib import Path

import gguf
import numpy as np


def main():
    writer = gguf.GGUFWriter(Path(__file__).parent / "values.gguf", "llama")
    writer.add_custom_alignment(64)
    writer.add_uint8("value.uint8", 255)
    writer.add_int8("value.int8", -128)
    writer.add_uint16("value.uint16", 65535)
    writer.add_int16("value.int16", -32768)
    writer.add_uint32("value.uint32", 2**32 - 1)
    writer.add_int32("value.int32", -(2**31))
    writer.add_uint64("value.uint64", 2**64 - 1)
    writer.add_int64("value.int64", -(2**63))
    writer.add_float32("value.float32", 0.1)
    writer.add_float64("value.float64", 0.1)
    writer.add_bool("value.bool", True)
    writer.add_string("value.string", "Größe 🐦")
    writer.add_array("array.strings", ["", "▁the", "<0x00>"])
    writer.add_array("array.floats", [0.0, -1.5, 1e30])
    writer.add_array("array.ints", [3, -1, 7])
    writer.add_array("array.bools", [True, False])
    writer.add_array("array.nested", [[1, 2], [3], [4, 5, 6]])
    writer.add_tensor("token_embd.weight", np.arange(12, dtype=np.float32).reshape(3, 4))
    writer.add_tensor("norm", np.arange(5, dtype=np.float16))
    blocks = np.arange(2 * 3 * 2 * 34, dtype=np.uint8).reshape(2, 3, 68)
    writer.add_tensor("cube", blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main()
