#!/usr/bin/env python3
"""Writes tokenizers as GGUF files, and what SentencePiece makes of the corpus.

Usage: make_gguf.py [SHARED_DATA_FOLDER OUTPUT_FOLDER], with gguf 0.19, sentencepiece 0.2, tokenizers and protobuf
from PyPI. Written beside this file: the byte-level tokenizers of the folder above as GGUF files, whose cases are
theirs; `sentencepiece.gguf`; and `sentencepiece.json`, models trained or edited here, with the ids that SentencePiece
gives and, for the first, the cases of the Hugging Face tokenizer that stands for it. Where folders are given, the
real tokenizers of the first are written as GGUF files into the second: nothing of them is kept here.

Token types are those the format's own converter gives: added tokens are control tokens if special, else user-defined.
"""

import json
import pathlib
import random
import sys

import gguf
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from corpus import NASTY, SENTENCES, SPECIALS, random_texts  # noqa: E402
from make_fixtures import cases  # noqa: E402

NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = range(1, 7)
PIECES = sentencepiece_model_pb2.ModelProto.SentencePiece
TYPES = {
    PIECES.NORMAL: NORMAL, PIECES.UNKNOWN: UNKNOWN, PIECES.CONTROL: CONTROL, PIECES.USER_DEFINED: USER,
    PIECES.UNUSED: UNUSED, PIECES.BYTE: BYTE,
}


def writer(path, model, pre, tokens, types):
    out = gguf.GGUFWriter(path, "llama")
    out.add_tokenizer_model(model)
    out.add_tokenizer_pre(pre)
    out.add_token_list(tokens)
    out.add_token_types(types)
    return out


def close(out):
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.close()


def write_byte_level(path, state, pre, padding=0, bos=None):
    """A byte-level `tokenizer.json` as the format's converter writes it, `padding` unused tokens behind."""
    tokens, types = {}, {}
    for token, id in state["model"]["vocab"].items():
        tokens[id], types[id] = token, NORMAL
    for added in state["added_tokens"]:
        tokens[added["id"]], types[added["id"]] = added["content"], CONTROL if added["special"] else USER
    for id in range(max(tokens) + 1 + padding):
        tokens.setdefault(id, f"[PAD{id}]")
        types.setdefault(id, UNUSED)
    order = sorted(tokens)
    out = writer(path, "gpt2", pre, [tokens[id] for id in order], [types[id] for id in order])
    merges = state["model"]["merges"]
    out.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    if bos is not None:
        out.add_bos_token_id(next(id for id, token in tokens.items() if token == bos))
    close(out)


def train(**settings):
    model = HERE / "model"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 20 + [t for t in NASTY if t]), model_prefix=str(model), model_type="bpe",
        normalization_rule_name="identity", remove_extra_whitespaces=False, allow_whitespace_only_pieces=True,
        character_coverage=0.98, minloglevel=2, **settings)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.with_suffix(".model").read_bytes())
    for suffix in (".model", ".vocab"):
        model.with_suffix(suffix).unlink()
    return proto


def edited(proto):
    """Scores that many tokens share, and tokens whose characters are none."""
    copy = sentencepiece_model_pb2.ModelProto()
    copy.CopyFrom(proto)
    kept = [p for p in copy.pieces if p.type != PIECES.NORMAL or p.piece not in ("e", "o", "\u0435", "\u68ee")]
    del copy.pieces[:]
    copy.pieces.extend(kept)
    for piece in copy.pieces:
        if piece.type == PIECES.NORMAL:
            piece.score = -(-piece.score // 9)
    return copy


def sentencepiece_models():
    """The SentencePiece models: name, protocol buffer."""
    specials = dict(user_defined_symbols=["<think>", "[WORD]"], control_symbols=["<|im_start|>", "<|im_end|>"])
    llama = train(vocab_size=600, byte_fallback=True, **specials)
    yield "llama", llama
    yield "shared scores and fragments", edited(llama)
    yield "no prefix", train(vocab_size=500, byte_fallback=True, add_dummy_prefix=False)
    unknown = train(vocab_size=240)
    yield "unknown characters", unknown
    yield "unknown fragments", edited(unknown)


def hugging_face(proto):
    """The Hugging Face tokenizer that transformers makes of a Llama's SentencePiece model."""
    vocabulary = {piece.piece: id for id, piece in enumerate(proto.pieces)}
    normal = {piece.piece: piece.score for piece in proto.pieces if piece.type == PIECES.NORMAL}
    merges = [
        (score, piece[:cut], piece[cut:]) for piece, score in normal.items() for cut in range(1, len(piece))
        if piece[:cut] in normal and piece[cut:] in normal
    ]
    merges.sort(key=lambda merge: -merge[0])
    tokenizer = Tokenizer(
        models.BPE(vocabulary, [merge[1:] for merge in merges], unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    for piece in proto.pieces:
        if piece.type in (PIECES.CONTROL, PIECES.UNKNOWN):
            tokenizer.add_special_tokens([AddedToken(piece.piece, normalized=False)])
        elif piece.type == PIECES.USER_DEFINED:
            tokenizer.add_tokens([AddedToken(piece.piece, normalized=False)])
    return tokenizer


def sentencepiece_cases(proto, texts):
    """Ids, and the text SentencePiece gives for them where it is not the given one. User-defined symbols stand in its
    normalized text, where others find them before: such texts have null."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
    symbols = [piece.piece for piece in proto.pieces if piece.type == PIECES.USER_DEFINED]
    ids = [None if any(s in text for s in symbols) else processor.encode(text) for text in texts]
    decoded = {
        str(index): processor.decode(found) for index, (text, found) in enumerate(zip(texts, ids))
        if found is not None and 0 not in found and processor.decode(found) != text
    }
    return {"ids": ids, "decoded": decoded}


def write_sentencepiece(path, proto):
    out = writer(
        path, "llama", "default", [p.piece.encode() for p in proto.pieces], [TYPES[p.type] for p in proto.pieces])
    out.add_token_scores([p.score for p in proto.pieces])
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    out.add_unk_token_id(0)
    close(out)


def make_sentencepiece():
    generator = random.Random(21)
    texts = NASTY + SPECIALS + random_texts(generator, 60)
    entries = []
    for name, proto in sentencepiece_models():
        entry = {
            "name": name, "tokens": [p.piece for p in proto.pieces], "scores": [p.score for p in proto.pieces],
            "types": [TYPES[p.type] for p in proto.pieces], "prefix": proto.normalizer_spec.add_dummy_prefix,
            **sentencepiece_cases(proto, texts),
        }
        if name == "llama":
            write_sentencepiece(HERE / "sentencepiece.gguf", proto)
            entry["reference"] = cases(hugging_face(proto), texts, generator, 80)
            del entry["reference"]["texts"]
        entries.append(entry)
    text = json.dumps({"texts": texts, "models": entries}, separators=(",", ":"))
    (HERE / "sentencepiece.json").write_text(text + "\n")


def main():
    for name, pre, padding, bos in (
        ("gpt2", "gpt-2", 0, None), ("qwen2", "qwen2", 5, None), ("llama3", "llama-bpe", 0, "<|begin_of_text|>"),
    ):
        state = json.loads((HERE.parent / f"{name}.json").read_text())
        write_byte_level(HERE / f"{name}.gguf", state, pre, padding, bos)
    make_sentencepiece()
    if len(sys.argv) > 2:
        for name, pre, bos in (
            ("qwen2", "qwen2", None), ("qwen2.5", "qwen2", None), ("qwen3", "qwen2", None),
            ("llama3", "llama-bpe", "<|begin_of_text|>"),
        ):
            state = json.loads((pathlib.Path(sys.argv[1]) / name / "tokenizer.json").read_text())
            write_byte_level(pathlib.Path(sys.argv[2]) / f"{name}.gguf", state, pre, bos=bos)


if __name__ == "__main__":
    main()
