"""Trains the byte-level BPE tokenizer on the corpus and writes tokenizer.json and tokenizer_config.json.

python train_tokenizer.py --corpus build/train.jsonl --vocabulary 4096 --out ../Model
"""

import argparse
import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

END = "<|endoftext|>"
# How Qwen2 splits text before merging.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def build(vocabulary: int, texts) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    # The alphabet holds all 256 bytes, so that any text can be encoded.
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("build/train.jsonl"))
    parser.add_argument("--documents", type=int, default=40_000)
    parser.add_argument("--vocabulary", type=int, default=4096)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--out", type=Path, default=Path("../Model"))
    options = parser.parse_args()
    with options.corpus.open() as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(options.documents))]
    tokenizer = build(options.vocabulary, (f"{row['prompt']}\n\n{row['text']}" for row in rows))
    options.out.mkdir(exist_ok=True)
    tokenizer.save(str(options.out / "tokenizer.json"))
    configuration = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": options.context,
        "eos_token": END,
        "pad_token": END,
        "bos_token": None,
        "unk_token": None,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
    }
    (options.out / "tokenizer_config.json").write_text(json.dumps(configuration, indent=2) + "\n")
    print(f"vocabulary {tokenizer.get_vocab_size()}")


if __name__ == "__main__":
    main()
