"""Makes schemas.json and patterns.json: texts with the verdict of other people's code.

Needs Python packages: jsonschema with its format checkers (pip install "jsonschema[format-nongpl]") and regex.
Run in this folder: python make_fixtures.py
"""

import json
import random

import regex
from jsonschema import Draft202012Validator as Validator

random.seed(7)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def spaced(value):
    return json.dumps(value, ensure_ascii=False)


NODE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": ["integer", "null"]},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["value", "children"],
        }
    },
    "$ref": "#/$defs/node",
}
# Name, schema, values that satisfy it and are in what is generated, values that do not satisfy it.
SCHEMAS = [
    ("person",
     {"type": "object",
      "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
                     "tags": {"type": "array", "items": {"type": "string", "maxLength": 4}, "maxItems": 2}},
      "required": ["name"], "additionalProperties": False},
     [{"name": ""}, {"name": "Zoë 🐦\n\"\\", "age": 150}, {"name": "x", "tags": []},
      {"name": "x", "age": 0, "tags": ["abcd", "ÄÖÜß"]}],
     [{}, {"name": 1}, {"name": "x", "age": 151}, {"name": "x", "age": -1}, {"age": 3},
      {"name": "x", "tags": ["abcde"]}, {"name": "x", "tags": ["", "", ""]}, {"name": "x", "other": 1}, [], "x"]),
    ("types", {"type": ["integer", "null", "boolean"]}, [0, -7, None, True, False], [1.5, "1", [], {}]),
    ("anything", True, [None, 1.25, "x", [[], [1, {"a": [None]}]], {"": {"b": {}}}], []),
    ("discriminated",
     {"oneOf": [
         {"type": "object", "properties": {"kind": {"const": "circle"}, "r": {"type": "number"}},
          "required": ["kind", "r"], "additionalProperties": False},
         {"type": "object", "properties": {"kind": {"const": "cube"}, "r": {"type": "string"}},
          "required": ["kind", "r"], "additionalProperties": False}]},
     [{"kind": "circle", "r": 1.5}, {"kind": "cube", "r": "1.5"}],
     [{"kind": "circle", "r": "1.5"}, {"kind": "cube", "r": 1.5}, {"kind": "square", "r": 1}]),
    ("nested alternatives",
     {"anyOf": [
         {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {
             "b": {"type": "integer"}}, "required": ["b"]}}}, "required": ["a"]},
         {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {
             "b": {"type": "string"}}, "required": ["b"]}}, "c": {"type": "null"}}, "required": ["a", "c"]}]},
     [{"a": [{"b": 1}]}, {"a": [{"b": "1"}, {"b": ""}], "c": None}, {"a": []}, {"a": [], "c": None}],
     [{"a": [{"b": "1"}]}, {"a": [{"b": None}], "c": None}, {"c": None}]),
    ("recursive", NODE,
     [{"value": 1, "children": []}, {"value": None, "children": [{"value": 2, "children": [
         {"value": 3, "children": []}]}, {"value": 4, "children": []}]}],
     [{"value": 1}, {"value": 1, "children": [1]}, {"value": 1, "children": [{"value": "x", "children": []}]}]),
    ("tuple",
     {"type": "array", "prefixItems": [{"type": "string"}, {"enum": ["a", 1, None, {"x": [1, 2]}]}],
      "items": {"type": "boolean"}, "minItems": 2, "maxItems": 4},
     [["", "a"], ["x", 1, True], ["x", None, False, True], ["y", {"x": [1, 2]}]],
     [["x"], [1, "a"], ["x", 2], ["x", 1, 1], ["x", 1, True, True, True], ["x", {"x": [1]}]]),
    ("closed tuple", {"type": "array", "prefixItems": [{"type": "null"}, {"type": "null"}], "items": False},
     [[], [None], [None, None]], [[None] * 3, [1]]),
    ("additional",
     {"type": "object", "properties": {"a": {"type": "string"}, "ab": {"type": "integer"}},
      "additionalProperties": {"type": "boolean"}, "required": ["a"]},
     [{"a": ""}, {"a": "", "ab": 1, "b": True}, {"a": "", "abc": False, "A": True, "": True, "\"é": False}],
     [{"ab": 1}, {"a": True}, {"a": "", "b": 1}, {"a": "", "ab": True}]),
    ("merged",
     {"allOf": [{"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}, "required": ["a"]},
                {"properties": {"a": {"maximum": 17}, "b": {"type": "string", "minLength": 1}}}]},
     [{"a": 3}, {"a": 17, "b": "x"}], [{"a": 2}, {"a": 18}, {"a": 3, "b": ""}, {"b": "x"}]),
    ("merged with alternatives",
     {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"],
      "anyOf": [{"required": ["b"], "properties": {"b": {"const": 1}}},
                {"required": ["c"], "properties": {"c": {"const": 2}}}]},
     [{"a": 0, "b": 1}, {"a": 0, "c": 2}], [{"a": 0}, {"a": 0, "b": 2}, {"b": 1}]),
    ("lengths", {"type": "string", "minLength": 2, "maxLength": 3}, ["ab", "äöü", "🐦🐦", "a\n\t"],
     ["", "a", "abcd", "🐦", "🐦🐦🐦🐦"]),
    ("lengths beside others",
     {"anyOf": [{"type": "string", "maxLength": 2}, {"type": "string", "minLength": 4, "maxLength": 5},
                {"const": "abcdefg"}]},
     ["", "a", "ab", "abcd", "🐦bcde", "abcdefg"], ["abc", "🐦🐦🐦", "abcdef", "abcdefgh"]),
    ("pattern", {"type": "string", "pattern": "^[A-Z][a-z]+$"}, ["Ab", "Zzz"], ["", "A", "aB", "Ab1", "\nAb"]),
    ("pattern anywhere", {"type": "string", "pattern": "b[\"\\\\]|^x"}, ["ab\"c", "b\\", "x", "xyz\n"],
     ["", "b", "ax", "\"b"]),
    ("pattern and length", {"type": "string", "pattern": "^(ab)*$", "minLength": 3, "maxLength": 6},
     ["abab", "ababab"], ["", "ab", "aba", "abababab"]),
    ("two patterns", {"allOf": [{"type": "string", "pattern": "a"}, {"pattern": "b$"}]}, ["ab", "bab"],
     ["a", "b", "ba"]),
    ("escapes in names", {"type": "object", "properties": {"a\"b\\c\u0001": {"const": 1}},
                          "required": ["a\"b\\c\u0001"], "additionalProperties": False},
     [{"a\"b\\c\u0001": 1}], [{"a": 1}]),
    ("false among alternatives", {"anyOf": [False, {"const": "x"}]}, ["x"], ["y", None]),
    ("date", {"type": "string", "format": "date"}, ["2024-02-29", "0001-01-01", "2000-02-29", "9999-12-31"],
     ["2023-02-29", "1900-02-29", "2024-13-01", "2024-04-31", "2024-1-1", "24-01-01", ""]),
    ("time", {"type": "string", "format": "time"}, ["00:00:00Z", "23:59:59.123+05:30"],
     ["24:00:00Z", "12:60:00Z", "12:00", "12:00:00+5:00"]),
    ("date-time", {"type": "string", "format": "date-time"}, ["2024-02-29T12:00:00Z",
                                                               "1999-12-31T23:59:59.5-08:00"],
     ["2023-02-29T12:00:00Z", "2024-02-29 12:00", "2024-02-29"]),
    ("duration", {"type": "string", "format": "duration"}, ["P1D", "P3Y6M4DT12H30M5S", "PT1M", "P2W"],
     ["P", "PT", "1D", "P1", "P1S"]),
    ("uuid", {"type": "string", "format": "uuid"}, ["123e4567-e89b-12d3-a456-426614174000"],
     ["123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"]),
    ("ipv4", {"type": "string", "format": "ipv4"}, ["0.0.0.0", "255.249.99.1"], ["256.0.0.1", "1.2.3", "01.2.3.4"]),
    ("ipv6", {"type": "string", "format": "ipv6"}, ["::", "::1", "1:2:3:4:5:6:7:8", "fe80::1:2", "1:2:3:4:5:6::"],
     ["1:2:3:4:5:6:7", "1::2::3", "12345::", ":::"]),
    ("email", {"type": "string", "format": "email"}, ["a.b+c@example.org"], ["nobody"]),
    ("hostname", {"type": "string", "format": "hostname"}, ["a", "example.org", "a-b.c0"],
     ["-a", "a..b", "a_b", "a" * 64]),
    ("uri", {"type": "string", "format": "uri"}, ["https://example.org/a?b=c#d", "mailto:a@b.c", "urn:x:y"],
     ["//example.org", "a b", "/a"]),
]
# Numbers beside bounds; both verdicts count.
NUMBERS = [
    {"type": "integer", "minimum": -12, "maximum": 1005}, {"type": "integer", "exclusiveMinimum": 9.5},
    {"type": "integer", "exclusiveMaximum": -100}, {"type": "number", "minimum": 0.125, "exclusiveMaximum": 100},
    {"type": "number", "exclusiveMinimum": -2.5, "maximum": -0.25}, {"type": "number", "minimum": -1.5},
    {"type": "number", "exclusiveMinimum": 0}, {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 2},
    {"type": "number", "minimum": 10.05, "maximum": 10.5}, {"type": "integer", "minimum": 7, "maximum": 7},
]
# Texts that are no JSON, whatever the schema says.
MALFORMED = ['"', '"\n"', '"\\x"', '"\\u12"', '"\\ud800"', '"\\ud800\\u0041"', '"\\udc00"', "01", "1.", ".5", "+1",
             "1e", "- 1", "[1,]", "[,1]", '{"a"}', '{"a":}', '{a:1}', "tru", "nul", "[1", '{"a":1,}', "", " 1",
             "[1 ,2]", "[  1]", '{"a":  1}', "1 "]
ESCAPED = ['"\\u00e9\\/\\b"', '"\\ud83d\\udc26"', '"\\uD83D\\uDC26"', '"\\u0000"', '"\x7f\u2028"', "-0.5", "1e+5",
           '{"a": [1, 2]}', '{"a":[1,2]}']

PATTERNS = [
    r"[a-c]{2,4}", r"(a|ab)(c|bcd)?", r"a*b+c?", r"(\d{1,3}\.){3}\d{1,3}", r"\w+@\w+\.(com|org)", r"[^a-c]x",
    r".", r"..", r"", r"|a", r"(?:ab)*?c", r"(?P<n>a+)(?<m>b)", r"[\w.-]+", r"[]\-a]" .replace("]\\-a]", r"\]\-a]"),
    r"\s\S", r"é|[à-ç]{2}", r"[^\x00-\x7f]{1,2}", "[\U0001F600-\U0001F64F]+", r"\x41\u0042", r"a{0}b", r"a{2,}",
    r"^a$", r"^(a|^b)c", r"[a\]b]", r"\[\(\.\)\]", r"(a*)*b", r"(a|b)*abb", r"-?(0|[1-9][0-9]*)",
]


def number_texts():
    edges = [-101, -100, -99, -13, -12, -2.5, -1.5, -0.25, 0, 0.125, 1, 2, 7, 9.5, 10, 10.05, 10.5, 99, 100, 1005, 1006]
    values = set()
    for edge in edges:
        for delta in [0, 1, -1, 0.5, -0.5, 0.01, -0.01, 0.001, -0.001]:
            values.add(round(edge + delta, 6))
    for _ in range(60):
        values.add(round(random.uniform(-200, 2000), random.randint(0, 4)))
    texts = set()
    for value in values:
        texts.add(repr(int(value)) if value == int(value) else repr(value))
        if value != int(value):
            texts.add(repr(value) + "00")
    return sorted(texts)


def schema_cases():
    cases = []
    for name, schema, accepted, rejected in SCHEMAS:
        validator = Validator(schema, format_checker=Validator.FORMAT_CHECKER)
        for value in accepted:
            assert validator.is_valid(value), (name, value)
        for value in rejected:
            assert not validator.is_valid(value), (name, value)
        cases.append({
            "name": name, "schema": compact(schema),
            "accepted": sorted({text for value in accepted for text in (compact(value), spaced(value))}),
            "rejected": [compact(value) for value in rejected]})
    for schema in NUMBERS:
        validator = Validator(schema)
        verdicts = {text: validator.is_valid(json.loads(text)) for text in number_texts()}
        # 1.0 is an integer to a schema; integers are spelled without a point here.
        cases.append({
            "name": "numbers " + compact(schema), "schema": compact(schema),
            "accepted": [text for text, valid in verdicts.items() if valid],
            "rejected": [text for text, valid in verdicts.items() if not valid]})
    for text in MALFORMED:
        try:
            value = json.loads(text)
            # White space, of which there is less here, and half a pair, which Python lets through.
            assert text != compact(value), text
        except ValueError:
            pass
    for text in ESCAPED:
        json.loads(text)
    cases.append({"name": "JSON itself", "schema": "true", "accepted": ESCAPED, "rejected": MALFORMED})
    return cases


def pattern_texts(pattern):
    alphabet = "aabbcxd01.@-]^é àç漢\U0001F600\n\tABcom org"
    texts = {"", "a", "ab", "abc", "abcd", "ac", "bc", "abb", "aabb", "babb", "12.3.45.255", "a@b.com", "[(.)]",
             "0", "-10", "007", "-0", "AB", "cb", "éé", "aab", "aabc"}
    for _ in range(150):
        texts.add("".join(random.choice(alphabet) for _ in range(random.randint(0, 5))))
    return sorted(texts)


def pattern_cases():
    cases = []
    for pattern in PATTERNS:
        compiled = regex.compile(pattern, regex.ASCII)
        verdicts = {text: compiled.fullmatch(text) is not None for text in pattern_texts(pattern)}
        # The dot takes no line end of any kind here, of "\n" alone in Python.
        cases.append({
            "pattern": pattern, "accepted": [text for text, ok in verdicts.items() if ok and "\r" not in text],
            "rejected": [text for text, ok in verdicts.items() if not ok]})
    return cases


for name, cases in [("schemas.json", schema_cases()), ("patterns.json", pattern_cases())]:
    with open(name, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n")
    print(name, len(cases), "cases,", sum(len(c["accepted"]) for c in cases), "accepted,",
          sum(len(c["rejected"]) for c in cases), "rejected")
