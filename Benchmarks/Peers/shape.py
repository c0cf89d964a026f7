"""The model that every engine runs: Qwen2-0.5B's shape with random weights."""

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
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-6,
    "rope_theta": 1000000.0,
    "tie_word_embeddings": True,
    "hidden_act": "silu",
    "use_sliding_window": False,
    "bos_token_id": 0,
    "eos_token_id": 0,
}

# The same shape in miniature, to try the scripts with.
TINY = CONFIG | {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "vocab_size": 1024}
TINY |= {"num_attention_heads": 4}

SEED = 2024

# For each weight precision, the folder or file of each engine in the folder of models; Apus makes its own weights.
FILES = {
    "llama": {"f32": "f32.gguf", "bf16": "bf16.gguf", "int8": "q8_0.gguf", "int4": "q4_0.gguf"},
    "openvino": {"f32": "ov-f32", "bf16": "ov-bf16", "int8": "ov-int8", "int4": "ov-int4"},
    "transformers": {"f32": "hf", "bf16": "hf"},
}
