#!/usr/bin/env python3
"""Trains tiny tokenizers and writes down what Hugging Face `tokenizers` makes of the corpus with them.

Usage: make_fixtures.py [SHARED_DATA_FOLDER]. Written beside this file: one `tokenizer.json` of each kind with its
cases, `normalizers.json`, `pre-tokenizers.json` and `decoders.json` (every component and setting by itself),
`patterns.json` (regular expressions alone) and, where a folder of real tokenizers is given, `shared-data.json`, whose
tests run where that folder is. Training breaks ties at random: the vocabularies differ from run to run.
"""

import json
import pathlib
import random
import sys

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from corpus import NASTY, SENTENCES, SPECIALS, random_texts

HERE = pathlib.Path(__file__).parent
QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DEEPSEEK = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PATTERNS = [
    QWEN, LLAMA3, CL100K, O200K, DEEPSEEK, "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", " ?[^ ]+| +", r"\p{N}{1,3}",
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", r"a*", r"(?:ab|a)b?", r"a+?b*?",
    r"\w+", r"\W", r"\d+", r"\D+", r"\S+\s?", r"\bt", r"\B\w", r"^.", r".$", r"^\s*", r"(?<=\s)\S", r"(?<!\w)\w+",
    r"(?=['\s]).", r"[a-z&&[^aeiou]]+", r"[^a-z\d]", r"[]a]+", r"[a\-z]", r"[\p{Lu}[0-9]]+", r"\P{L}+", r"\p{^Lu}",
    r"(?i)HELLO|k|it's", r"(?i:[a-f]+)x?", r"(?i:[^a-y])", r"(?>a+)b|a", r"\x41|\x{e9}|\u0301", r"(?:a|b|cd){2,3}",
    r"\s{2,}", r"[\s\S]{5}", r"(?m:.)+", r"\.|\*|\[|\]", r"x{,2}y?", r"(?:  |\n)+?", r"[^\x00-\x7f]+", r"a{", r"\p{P}",
    r"\p{S}+|\p{M}|\p{Z}+|\p{C}", r"(a)(b)?", r"", r"\A.|.\z", r"[\[\]()]", r"(?:(?:a|b)*c)+| ", r"\p{Nd}\p{No}?|\p{Nl}", r"a*aab", r"\s*\n",
    r"\s{2,}\S",
]


def byte_level_model(**settings):
    """A small byte-level BPE trained on the corpus."""
    tokenizer = Tokenizer(models.BPE(**settings))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(QWEN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def train(tokenizer, size, alphabet, specials=()):
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, special_tokens=list(specials), show_progress=False,
        limit_alphabet=len(alphabet) + 40,
    )
    tokenizer.train_from_iterator(SENTENCES * 3 + NASTY, trainer)
    return tokenizer


def kinds():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    gpt2 = byte_level_model()
    gpt2.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    gpt2.post_processor = processors.ByteLevel(trim_offsets=False)
    yield "gpt2", train(gpt2, 420, alphabet, ["<|endoftext|>"]), dict(legacy_merges=True)

    qwen = byte_level_model()
    qwen.normalizer = normalizers.NFC()
    train(qwen, 420, alphabet)
    qwen.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    qwen.add_tokens([AddedToken(t, normalized=False) for t in ("<think>", "</think>", "<tool_call>")])
    yield "qwen2", qwen, dict(legacy_merges=True)

    llama3 = byte_level_model(ignore_merges=True)
    llama3.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    train(llama3, 420, alphabet)
    llama3.add_special_tokens(["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"])
    begin = llama3.token_to_id("<|begin_of_text|>")
    llama3.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing("<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", begin)]),
        ]
    )
    yield "llama3", llama3, {}

    for name in ("llama2", "mistral"):
        yield name, sentencepiece(name), {}


def sentencepiece(name):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    specials = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    train(tokenizer, 520, [chr(c) for c in range(0x20, 0x7F)], specials)
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = state["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    first = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence(first + [decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    if name == "llama2":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
        tokenizer.pre_tokenizer = None
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
        tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return tokenizer


def small(*, bytes_alphabet=False, **settings):
    """A model of single characters and some merges, for component cases."""
    characters = sorted(pre_tokenizers.ByteLevel.alphabet()) if bytes_alphabet else sorted(
        {c for text in NASTY[12:14] + SENTENCES[:2] for c in text} | set("\u2581 abcdefghijklmnopqrstuvwxyz0123456789")
    )
    merges = [("t", "h"), ("th", "e"), ("a", "n"), ("i", "n"), ("l", "l"), ("e", "l"), ("1", "2"), ("a", "a"), ("aa", "aa")]
    space = "\u0120" if bytes_alphabet else "\u2581"
    merges += [(space, "t"), (space, "a"), (space, "the"), (space, space)]
    tokens = ["<unk>"] + characters
    tokens += [a + b for a, b in merges if a + b not in tokens]
    merges = [(a, b) for a, b in merges if a in tokens and b in tokens]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    return Tokenizer(models.BPE(vocabulary, merges, **settings))


def components():
    """Every component and setting, most on a byte-level model, which shows its output as it is."""
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    metaspace = lambda *a, **k: pre_tokenizers.Metaspace("\u2581", *a, **k)

    def bytes_model(pre=None, normalizer=None):
        tokenizer = small(bytes_alphabet=True)
        tokenizer.pre_tokenizer = pre or level
        tokenizer.decoder = decoders.ByteLevel()
        if normalizer is not None:
            tokenizer.normalizer = normalizer
        return tokenizer

    N, P, D = normalizers, pre_tokenizers, decoders
    for name, normalizer in {
        "NFC": N.NFC(), "NFD": N.NFD(), "NFKC": N.NFKC(), "NFKD": N.NFKD(), "Lowercase": N.Lowercase(),
        "StripAccents": N.Sequence([N.NFD(), N.StripAccents()]), "Strip": N.Strip(), "StripLeft": N.Strip(right=False),
        "StripRight": N.Strip(left=False), "Prepend": N.Prepend("xy"), "ReplaceString": N.Replace("the", "THE"),
        "ReplaceRegex": N.Replace(Regex(r"\s+|\d"), "_"),
        "Sequence": N.Sequence([N.NFKC(), N.Sequence([N.Lowercase(), N.Strip()]), N.Replace("\u00b4", "'")]),
    }.items():
        yield f"normalizer {name}", bytes_model(normalizer=normalizer)
    for name, pre in {
        "prefix space": P.ByteLevel(add_prefix_space=True, use_regex=True), "o200k": [P.Split(Regex(O200K), "isolated")],
        "cl100k": [P.Split(Regex(CL100K), "removed", invert=True)], "split string": [P.Split("th", "isolated")],
        "deepseek": [P.Split(Regex(r"\p{N}{1,3}"), "isolated"), P.Split(Regex(PATTERNS[5]), "isolated"), P.Split(Regex(DEEPSEEK), "isolated")],
        "falcon": P.Sequence([P.Punctuation("contiguous"), P.ByteLevel(False), P.Digits(), P.Split(Regex("[0-9][0-9][0-9]"), "isolated")]),
        "digits": [P.Digits(individual_digits=True)], "digit runs": [P.Digits()], "whitespace": [P.Whitespace()],
        "whitespace split": [P.WhitespaceSplit()], 
    }.items():
        yield f"pre-tokenizer {name}", bytes_model(P.Sequence(pre + [level]) if isinstance(pre, list) else pre)
    for behavior in ("isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous"):
        for invert in (False, True):
            pre = P.Sequence([P.Split(Regex(r"\s|[.,!]|the|aa"), behavior, invert=invert), level])
            yield f"split {behavior} {invert}", bytes_model(pre)
        yield f"punctuation {behavior}", bytes_model(P.Sequence([P.Punctuation(behavior), level]))
    for scheme in ("first", "never", "always"):
        for split in (False, True):
            tokenizer = small(unk_token="<unk>", fuse_unk=split)
            tokenizer.pre_tokenizer = metaspace(prepend_scheme=scheme, split=split)
            tokenizer.decoder = D.Metaspace("\u2581", prepend_scheme=scheme, split=split)
            add_flagged(tokenizer)
            yield f"metaspace {scheme} {split}", tokenizer
    for name, decoder in {
        "none": None, "fuse": D.Fuse(), "strip tokens": D.Sequence([D.Replace("\u2581", " "), D.Strip(" ", 1, 0), D.Strip("a", 2, 0)]),
        "strip text": D.Sequence([D.Fuse(), D.Strip("\u2581", 2, 3), D.Strip("a", 0, 1), D.Replace("the", "\u2581t")]),
        "regex": D.Sequence([D.Replace(Regex(r"[aeiou]"), "*"), D.Fuse(), D.Metaspace()]), "unfused": D.Replace("\u2581", " "),
        "fuse twice": D.Sequence([D.Fuse(), D.Sequence([D.Replace("aa", "b"), D.Fuse()]), D.Replace("ba", "c")]),
    }.items():
        tokenizer = small(unk_token="<unk>")
        tokenizer.pre_tokenizer = metaspace(prepend_scheme="first")
        if decoder is not None:
            tokenizer.decoder = decoder
        yield f"decoder {name}", tokenizer
    for name, normalizer in {"NFC": N.NFC(), "lower": N.Lowercase(), "llama2": N.Sequence([N.Prepend("\u2581"), N.Replace(" ", "\u2581")])}.items():
        tokenizer = small(unk_token="<unk>") if name == "llama2" else bytes_model(normalizer=normalizer)
        tokenizer.normalizer = normalizer
        add_flagged(tokenizer)
        yield f"added tokens {name}", tokenizer
    for name, normalizer in {
        "strip": N.Sequence([N.Strip(), N.Prepend("x")]), "remove": N.Replace(" ", ""), "accents": N.StripAccents(),
        "replace": N.Replace(Regex(r"^\s+"), "x"),
    }.items():
        tokenizer = small(unk_token="<unk>")
        tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = metaspace(prepend_scheme="first", split=False)
        yield f"metaspace after {name}", tokenizer
    yield "no unknown token", small()
    tokenizer = small(unk_token="<unk>", byte_fallback=True)
    yield "byte fallback without byte tokens", tokenizer
    tokenizer = small(unk_token="<unk>", ignore_merges=True)
    tokenizer.pre_tokenizer = P.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing("$A <unk> <unk>", special_tokens=[("<unk>", 0)])
    yield "ignore merges", tokenizer


def add_flagged(tokenizer):
    tokenizer.add_special_tokens(["<s>", AddedToken("<|im_start|>", normalized=True), "<|im_end|>"])
    tokenizer.add_tokens(
        [
            AddedToken("[WORD]", single_word=True, normalized=False), AddedToken("[LEFT]", lstrip=True, normalized=False),
            AddedToken("[RIGHT]", rstrip=True, normalized=False), AddedToken("[BOTH]", lstrip=True, rstrip=True),
            AddedToken("[Norm]", normalized=True), AddedToken("it", single_word=True), "\u00e9t", "[", "<|im_start|><|",
        ]
    )


def attempt(action):
    """The action's result, or None where the reference trips over its own offsets and has no answer."""
    try:
        return action()
    except BaseException as error:
        if type(error).__name__ not in ("PanicException", "TypeError"):
            raise
        return None


def cases(tokenizer, texts, generator, streams):
    """Ids and texts; what equals the plain expectation (the ids, the text) is left out."""
    tokenizer.no_truncation()
    result = {"texts": texts, "ids": [], "plain": {}, "decoded": {}, "skipped": {}, "streams": []}
    ordinary = Tokenizer.from_str(tokenizer.to_str())
    ordinary.encode_special_tokens = True
    for index, text in enumerate(texts):
        ids = attempt(lambda: tokenizer.encode(text).ids)
        plain = attempt(lambda: ordinary.encode(text, add_special_tokens=False).ids)
        decoded = attempt(lambda: tokenizer.decode(ids, skip_special_tokens=False))
        skipped = attempt(lambda: tokenizer.decode(ids, skip_special_tokens=True))
        if None in (ids, plain, decoded, skipped):
            result["ids"].append(None)
            continue
        result["ids"].append(ids)
        for key, value, usual in (("plain", plain, ids), ("decoded", decoded, text), ("skipped", skipped, decoded)):
            if value != usual:
                result[key][str(index)] = value
    known = sorted(set(tokenizer.get_vocab().values()))
    for _ in range(streams):
        length = generator.choice([1, 2, 5, 12])
        ids = [generator.choice(known[: generator.choice([300, len(known)])]) for _ in range(length)]
        texts = [attempt(lambda: tokenizer.decode(ids, skip_special_tokens=skip)) for skip in (False, True)]
        if None not in texts:
            result["streams"].append([ids, *texts])
    return result


def write(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


def main():
    generator = random.Random(20)
    texts = NASTY + SPECIALS + random_texts(generator, 60)
    for name, tokenizer, options in kinds():
        state = json.loads(tokenizer.to_str())
        if options.get("legacy_merges"):
            state["model"]["merges"] = [" ".join(pair) for pair in state["model"]["merges"]]
        write(f"{name}.json", state)
        write(f"{name}.cases.json", cases(Tokenizer.from_str(json.dumps(state)), texts, generator, 80))

    short = [t for t in NASTY if len(t) < 40] + random_texts(generator, 4)
    groups = {"normalizers.json": [], "pre-tokenizers.json": [], "decoders.json": []}
    for name, tokenizer in components():
        first = name.split()[0]
        group = {"normalizer": "normalizers.json", "decoder": "decoders.json", "metaspace": "decoders.json"}
        entry = cases(Tokenizer.from_str(tokenizer.to_str()), short, generator, 6)
        del entry["texts"]
        groups[group.get(first, "pre-tokenizers.json")].append({"name": name, "tokenizer": tokenizer.to_str(), **entry})
    for file, entries in groups.items():
        write(file, {"texts": short, "cases": entries})
    lines = NASTY + random_texts(generator, 40)
    write("patterns.json", {"texts": lines, "patterns": [
        {"pattern": pattern, "ends": [
            [len(text[: end].encode()) for _, (_, end) in pre_tokenizers.Split(Regex(pattern), "isolated").pre_tokenize_str(text)]
            for text in lines
        ]} for pattern in PATTERNS
    ]})
    if len(sys.argv) > 1:
        folder = pathlib.Path(sys.argv[1])
        texts = NASTY + SPECIALS + random_texts(generator, 100)
        names = ["qwen2", "qwen2.5", "qwen3", "llama3", "stories260K-hf", "stories260K-hf-bytelevel"]
        write("shared-data.json", {"texts": texts, "cases": [
            {"name": name, **{
                key: value for key, value in cases(
                    Tokenizer.from_file(str(folder / name / "tokenizer.json")), texts, generator, 60
                ).items() if key != "texts"
            }} for name in names
        ]})


if __name__ == "__main__":
    main()
