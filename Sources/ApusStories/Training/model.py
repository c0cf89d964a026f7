"""The architecture of the stories model, and documents as token ids."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import Qwen2Config, Qwen2ForCausalLM

CONTEXT = 512
SEPARATOR = "\n\n"


def configuration(vocabulary: int, end: int) -> Qwen2Config:
    return Qwen2Config(
        vocab_size=vocabulary,
        hidden_size=192,
        intermediate_size=576,
        num_hidden_layers=5,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=CONTEXT,
        rope_theta=10000.0,
        rms_norm_eps=1e-6,
        tie_word_embeddings=True,
        attention_dropout=0.0,
        use_sliding_window=False,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        initializer_range=0.02,
    )


def new_model(vocabulary: int, end: int, seed: int) -> Qwen2ForCausalLM:
    torch.manual_seed(seed)
    model = Qwen2ForCausalLM(configuration(vocabulary, end))
    with torch.no_grad():
        # Projections back to the residual stream begin small, so that depth does not amplify.
        for name, weight in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weight.mul_((2 * model.config.num_hidden_layers) ** -0.5)
    return model


def documents(path: Path, tokenizer: Tokenizer) -> list[tuple[list[int], int]]:
    """(ids, first): the loss counts from ids[first]. A request is given, not predicted, except for
    one document in sixteen, which keeps half-typed requests sensible."""
    end = tokenizer.token_to_id("<|endoftext|>")
    rows = [json.loads(line) for line in path.open()]
    texts = [row["prompt"] + SEPARATOR + row["text"] if row["prompt"] else row["text"] for row in rows]
    result = []
    for index, (row, encoding) in enumerate(zip(rows, tokenizer.encode_batch(texts))):
        ids = (encoding.ids + [end])[:CONTEXT]
        first = 1
        if row["prompt"] and index % 16:
            # The answer begins where the request's last word ends: a full stop may still follow.
            words = len(row["prompt"].rstrip(".?"))
            first = next(i for i, (start, _) in enumerate(encoding.offsets) if start >= words)
        result.append((ids, max(first, 1)))
    return result


def batch(rows: list[tuple[list[int], int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded ids and labels (already shifted), -100 where no loss counts. Padding stands on the
    right, so that the causal mask alone keeps it out of sight."""
    width = max(len(ids) for ids, _ in rows) - 1
    inputs = torch.full((len(rows), width), pad)
    labels = torch.full((len(rows), width), -100)
    for row, (ids, first) in enumerate(rows):
        inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        labels[row, first - 1 : len(ids) - 1] = torch.tensor(ids[first:])
    return inputs, labels


def loss_of(model: Qwen2ForCausalLM, inputs: torch.Tensor, labels: torch.Tensor, sum_up: bool = False):
    """Cross-entropy in nats a token; logits are computed only where a label is."""
    hidden = model.model(input_ids=inputs, use_cache=False).last_hidden_state
    chosen = labels != -100
    logits = model.lm_head(hidden[chosen])
    return torch.nn.functional.cross_entropy(logits, labels[chosen], reduction="sum" if sum_up else "mean")
