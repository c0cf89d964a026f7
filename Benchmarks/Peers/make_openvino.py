"""Exports a Qwen2 folder as OpenVINO IR for OpenVINO GenAI."""

from pathlib import Path


def make_openvino(checkpoint: Path, precision: str, out: Path) -> None:
    """int8 and int4 are what NNCF compresses to: int8 with a scale for each output, int4 symmetric in groups of 32,
    the embedding and the output head among the int4 ones, as llama.cpp's pure files and Apus have them."""
    from optimum.intel import OVModelForCausalLM, OVWeightQuantizationConfig

    quantization = {
        "int8": lambda: OVWeightQuantizationConfig(bits=8, sym=True),
        "int4": lambda: OVWeightQuantizationConfig(bits=4, sym=True, group_size=32, ratio=1.0, all_layers=True),
    }.get(precision, lambda: None)()
    model = OVModelForCausalLM.from_pretrained(
        checkpoint,
        export=True,
        compile=False,
        load_in_8bit=False if quantization is None else None,
        quantization_config=quantization,
        torch_dtype={"f32": "float32"}.get(precision, "bfloat16"),
    )
    model.save_pretrained(out)
