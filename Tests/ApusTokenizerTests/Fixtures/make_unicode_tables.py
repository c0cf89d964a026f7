#!/usr/bin/env python3
"""Writes Sources/ApusTokenizer/UnicodeData*.swift from what Hugging Face `tokenizers` does.

The character tables are read off the reference itself: its regex engine, its normalizers and its splitters
each carry their own Unicode version, and ids depend on them. Usage: make_unicode_tables.py OUTPUT_FOLDER
"""

import pathlib
import sys
import unicodedata

from tokenizers import Regex
from tokenizers import normalizers
from tokenizers import pre_tokenizers

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-"


def removed_by(pre_tokenizer):
    """The scalars a splitter with the behaviour "removed" takes out."""
    removed = set()
    for start in range(0, len(SCALARS), 4096):
        block = SCALARS[start : start + 4096]
        kept = set()
        for _, (first, last) in pre_tokenizer.pre_tokenize_str("".join(map(chr, block))):
            kept.update(block[first:last])
        removed.update(c for c in block if c not in kept)
    return removed


def numeric():
    """The scalars that the Digits splitter isolates."""
    found = set()
    digits = pre_tokenizers.Digits(individual_digits=True)
    for start in range(0, len(SCALARS), 4096):
        block = SCALARS[start : start + 4096]
        for _, (first, last) in digits.pre_tokenize_str("".join("a" + chr(c) for c in block)):
            if last - first == 1 and first % 2 == 1:
                found.add(block[first // 2])
    return found


def ranges(scalars):
    result = []
    for c in sorted(scalars):
        if result and result[-1][1] == c - 1:
            result[-1][1] = c
        else:
            result.append([c, c])
    return result


def packed(number):
    """Base 64, most significant digit first."""
    digits = DIGITS[number % 64]
    number //= 64
    while number:
        digits = DIGITS[number % 64] + digits
        number //= 64
    return digits


def field(number):
    """A number of known end: its count of digits is told by a leading mark, none for one digit."""
    digits = packed(number)
    return {1: "", 2: "!", 3: "#", 4: "$"}[len(digits)] + digits


def packed_ranges(scalars):
    text, previous = "", 0
    for first, last in ranges(scalars):
        text += field(first - previous) + field(last - first)
        previous = last
    return text


def literal(name, documentation, text):
    lines = [text[i : i + 100] for i in range(0, len(text), 100)]
    body = "".join(f"    {line}\\\n" for line in lines[:-1]) + f"    {lines[-1]}\n"
    return f'  /// {documentation}\n  static let {name}: StaticString = """\n{body}    """\n'


def category_text():
    category = {}
    for name in CATEGORIES:
        if name in ("Cs", "Cn"):
            continue
        for c in removed_by(pre_tokenizers.Split(Regex(rf"\p{{{name}}}"), "removed")):
            category[c] = name
    text, run, previous = "", 0, None
    for c in range(0x110000 + 1):
        now = None if c == 0x110000 else "Cs" if 0xD800 <= c < 0xE000 else category.get(c, "Cn")
        if now != previous and previous is not None:
            text += field(run) + DIGITS[CATEGORIES.index(previous)]
            run = 0
        previous = now
        run += 1
    return text, category


def decompositions():
    canonical, compatibility, pairs = {}, {}, {}
    nfd, nfkd, nfc = normalizers.NFD(), normalizers.NFKD(), normalizers.NFC()
    for c in SCALARS:
        if 0xAC00 <= c < 0xD7A4:
            continue
        text = chr(c)
        long = nfd.normalize_str(text)
        if long != text:
            canonical[c] = long
            if nfc.normalize_str(text) == text:
                first = nfc.normalize_str(long[:-1])
                assert len(first) == 1, hex(c)
                pairs[c] = (ord(first), ord(long[-1]))
        if nfkd.normalize_str(text) != long:
            compatibility[c] = nfkd.normalize_str(text)
    return canonical, compatibility, pairs


def combining_classes():
    """Marks that the reference's normalizers reorder; their classes are stable since they were assigned."""
    nfd, result = normalizers.NFD(), {}
    for c in SCALARS:
        number = unicodedata.combining(chr(c))
        if number and any(
            nfd.normalize_str(probe + chr(c)) != nfd.normalize_str(probe) + nfd.normalize_str(chr(c))
            or nfd.normalize_str(chr(c) + probe) != nfd.normalize_str(chr(c)) + nfd.normalize_str(probe)
            for probe in ("\u0334", "\u0345", "\u0301")
        ):
            result[c] = number
    return result


def mapping_text(mapping):
    """Runs of scalars that map to one scalar each at a constant distance, and single scalars with their text."""
    text, previous, keys = "", 0, sorted(mapping)
    i = 0
    while i < len(keys):
        c, target, count = keys[i], mapping[keys[i]], 1
        if len(target) == 1:
            while i + count < len(keys) and keys[i + count] == c + count and (
                mapping[c + count] == chr(ord(target) + count)
            ):
                count += 1
        text += field(c - previous)
        if len(target) == 1:
            text += field(0) + field(count) + field(ord(target))
        else:
            text += field(len(target)) + "".join(field(ord(t)) for t in target)
        previous = c + count - 1
        i += count
    return text


HEADER = """// Generated by Tests/ApusTokenizerTests/Fixtures/make_unicode_tables.py from the behaviour of Hugging Face
// `tokenizers`. Do not edit. `UnicodeData.swift` describes the packing.

"""


def main():
    folder = pathlib.Path(sys.argv[1])
    text, category = category_text()
    punctuation = removed_by(pre_tokenizers.Punctuation("removed"))
    by_name = lambda *names: {c for c in category if category[c] in names}
    word = removed_by(pre_tokenizers.Split(Regex(r"\w"), "removed"))
    space = removed_by(pre_tokenizers.Split(Regex(r"\s"), "removed"))
    letters = by_name("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "Pc")
    assert not letters - word
    canonical, compatibility, pairs = decompositions()
    marks = {c for c in SCALARS if not normalizers.StripAccents().normalize_str(chr(c))}
    classes = combining_classes()
    class_text, previous = "", 0
    for number in sorted(set(classes.values())):
        members = packed_ranges({c for c in classes if classes[c] == number})
        class_text += field(number) + field(len(ranges({c for c in classes if classes[c] == number}))) + members
    pair_text, previous = "", 0
    for c in sorted(pairs):
        pair_text += field(c - previous) + field(pairs[c][0]) + field(pairs[c][1])
        previous = c
    files = {
        "Categories": [
            ("categoryRuns", "General categories: runs of a length and an index into `GeneralCategory`.", text),
            ("space", r"`\s` and White_Space.", packed_ranges(space)),
            ("wordExtra", r"`\w` beyond letters, marks, decimal and letter numbers and connectors.",
             packed_ranges(word - letters)),
            ("numeric", "What the Digits splitter isolates.", packed_ranges(numeric())),
            ("punctuation", "What the Punctuation splitter isolates.", packed_ranges(punctuation)),
            ("accents", "What StripAccents removes.", packed_ranges(marks)),
        ],
        "Canonical": [
            ("canonical", "Full canonical decompositions, Hangul syllables excepted.", mapping_text(canonical)),
            ("compositions", "Primary composites with the two scalars that compose to them.", pair_text),
            ("combiningClasses", "Canonical combining classes other than 0.", class_text),
        ],
        "Compatibility": [
            ("compatibility", "Full compatibility decompositions that differ from the canonical ones.",
             mapping_text(compatibility)),
        ],
    }
    for name, tables in files.items():
        body = "\n".join(literal(*table) for table in tables)
        (folder / f"UnicodeData{name}.swift").write_text(HEADER + "extension UnicodeData {\n" + body + "}\n")


if __name__ == "__main__":
    main()
