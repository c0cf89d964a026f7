"""Writes expressions.jsonl and programs.jsonl: random templates, and what transformers' Jinja makes of them.

    python make_expressions.py

Each line is [template, text], or [template] where rendering raises. The first line has the variables that all
see, and what stands before every program.
"""

import random
import re

from jinja_oracle import render, write_lines

VARIABLES = {
    "s": "Hello, World",
    "e": "",
    "u": "  Ünïcödé \u00df\u4e16 \U0001f600\tx ",
    "q": "it's \"quoted\"\n\\ and\u00a0more",
    "l": [3, 1, 2],
    "w": ["pear", "Apple", "fig", "apple"],
    "m": [1, "a", None, True, 2.5],
    "d": {"b": 1, "a": [1, 2], "items": 5, "C": "x"},
    "n": 7,
    "z": 0,
    "f": 2.5,
    "g": -0.1,
    "t": True,
    "nil": None,
    "users": [
        {"name": "Ann", "age": 31, "tags": ["x", "y"]},
        {"name": "bob", "age": 4, "tags": []},
        {"name": "Cy", "age": 31, "role": {"id": 3}},
    ],
}

R = random.Random(20240706)


def pick(*choices):
    return R.choice(choices)


def maybe(text, share=0.5):
    return text if R.random() < share else ""


def any_value(depth):
    return pick(string, string, integer, number, boolean, sequence, dictionary, anything)(depth)


def anything(depth):
    if depth <= 0:
        return pick("nil", "nothing", "none", "true", "users", "m", "d", "t", "e", "z")
    return pick(
        lambda: f"({any_value(depth-1)} if {boolean(depth-1)}{maybe(f' else {any_value(depth-1)}', 0.8)})",
        lambda: f"({any_value(depth-1)} {pick('and', 'or')} {any_value(depth-1)})",
        lambda: f"{sequence(depth-1)}[{integer(depth-1)}]",
        lambda: f"{sequence(depth-1)}|{pick('first', 'last', 'min', 'max')}",
        lambda: f"{dictionary(depth-1)}{pick('.b', '.a', '.items', '.C', '.zz', '[s]', '[1]', '.get(' + string(0) + ')')}",
        lambda: f"{any_value(depth-1)}|default({any_value(depth-1)}{maybe(', true')})",
        lambda: f"users[{integer(0)}].{pick('name', 'age', 'tags', 'role', 'none')}",
    )()


def string_literal():
    return pick("'a'", "'l'", "', '", "''", "'Hello'", "'o W'", "\"it's\"", "'\\n'", "'ß'", "'Σ'", "'x y  z'",
                "'%s'", "'a,b,,c'", "'42'", "' 3.5 '", "'-7'", "'abcabc'", "'{}'", "'1_000'", "'ΟΔΥΣΣΕΥΣ'")


def string(depth):
    if depth <= 0:
        return pick("s", "e", "u", "q", string_literal(), string_literal())
    one = lambda: string(depth - 1)
    return pick(
        lambda: f"({one()} ~ {any_value(depth-1)})",
        lambda: f"({one()} + {one()})",
        lambda: f"({one()} * {pick(0, 1, 2, 3, -1)})",
        lambda: f"{one()}|{pick('upper', 'lower', 'title', 'capitalize', 'trim', 'reverse', 'string', 'center(9)')}",
        lambda: f"{one()}.{pick('upper', 'lower', 'title', 'capitalize', 'swapcase', 'strip', 'lstrip', 'rstrip')}()",
        lambda: f"{one()}.{pick('strip', 'lstrip', 'rstrip')}({one()})",
        lambda: f"{one()}.{pick('removeprefix', 'removesuffix')}({one()})",
        lambda: f"{one()}.{pick('ljust', 'rjust', 'center', 'zfill')}({pick(0, 3, 8, 15)})",
        lambda: f"{one()}[{maybe(integer(0))}:{maybe(integer(0))}{maybe(':' + pick('1', '2', '-1', '-2', '3'))}]",
        lambda: f"{one()}|replace({one()}, {one()}{maybe(', ' + pick('1', '2', '0'))})",
        lambda: f"{one()}.replace({one()}, {one()})",
        lambda: f"{sequence(depth-1)}|join({maybe(one())})",
        lambda: f"{one()}.join({sequence(depth-1)}|map('string'))",
        lambda: f"{any_value(depth-1)}|tojson{maybe('(' + pick('indent=2', 'ensure_ascii=true', 'sort_keys=true', 'indent=0', 'separators=(e, s)', 'true, 4') + ')', 0.4)}",
        lambda: f"{any_value(depth-1)}|string",
        lambda: f"{one()}|indent({pick('2', '4, true', '1, false, true', repr('--'))})",
        lambda: f"{one()}|truncate({pick('3', '5, true', '8, false', '4')}{maybe(', end=' + repr(pick('', '.')))})",
        lambda: f"({pick(repr('%s|%s'), repr('%d-%s'), repr('%5s|%-4s|'), repr('%r %s'))} % ({any_value(depth-1)}, {any_value(depth-1)}))",
        lambda: f"({pick(repr('%05d'), repr('%.2f'), repr('%+d'), repr('%x'), repr('%e'), repr('%g'), repr('%s%%'))} % {number(depth-1)})",
        lambda: f"{repr(pick('{}', '{} {}', '{0}{0}', '{1}', '{:>8}', '{:^9}|', '{!r}', '{{}}{}'))}.format({any_value(depth-1)}, {any_value(0)})",
        lambda: f"{repr(pick('{:5.2f}', '{:03d}', '{:,}', '{:+}', '{:e}', '{:.3g}', '{:x}', '{:%}', '{:<6}|'))}.format({number(depth-1)})",
        lambda: f"{one()}.{pick('partition', 'rpartition')}({one()})[{pick(0, 1, 2)}]",
        lambda: f"{one()}.split({maybe(one())})[{pick(0, -1, 1)}]",
    )()


def integer(depth):
    if depth <= 0:
        return pick("n", "z", "1", "2", "-1", "0", "3", "10", "-3", "0x1F", "1_000")
    return pick(
        lambda: f"({integer(depth-1)} {pick('+', '-', '*', '//', '%')} {integer(depth-1)})",
        lambda: f"(-{integer(depth-1)})",
        lambda: f"({integer(0)} ** {pick('2', '0', '3')})",
        lambda: f"{pick(string, sequence, dictionary)(depth-1)}|length",
        lambda: f"{any_value(depth-1)}|int{maybe('(5)', 0.2)}",
        lambda: f"{string(depth-1)}|wordcount",
        lambda: f"{string(depth-1)}.{pick('find', 'rfind', 'count', 'index')}({string(depth-1)})",
        lambda: f"{sequence(depth-1)}|sum",
        lambda: f"{integer(depth-1)}|abs",
        lambda: f"{integer(depth-1)}|round{maybe('(-1)')}",
        lambda: f"{sequence(depth-1)}.{pick('count', 'index')}({any_value(0)})",
    )()


def number(depth):
    if depth <= 0:
        return pick("n", "f", "g", "z", "1.0", "0.1", "1e3", "2.675", "1e-7", "123456789.123", "1e16", "1e22", "-2.5", "3.0")
    return pick(
        lambda: integer(depth),
        lambda: f"({number(depth-1)} {pick('+', '-', '*', '/', '//', '%')} {number(depth-1)})",
        lambda: f"({number(0)} ** {pick('2', '-1')})",
        lambda: f"({pick('n', 'f', 'z', '1e3')} ** 0.5)",
        lambda: f"{any_value(depth-1)}|float",
        lambda: f"{number(depth-1)}|round({pick('1', '2', '0', '-2', '1, ' + repr('floor'), '2, ' + repr('ceil'))})",
        lambda: f"{number(depth-1)}|abs",
        lambda: f"(-{number(depth-1)})",
    )()


TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping",
         "sequence", "iterable", "callable", "lower", "upper", "escaped", "odd", "even"]


def boolean(depth):
    if depth <= 0:
        return pick("t", "true", "false", "not t", "n is odd", "s is defined", "x is defined")
    return pick(
        lambda: f"({any_value(depth-1)} {pick('==', '!=')} {any_value(depth-1)})",
        lambda: f"({number(depth-1)} {pick('<', '<=', '>', '>=', '==')} {number(depth-1)})",
        lambda: f"({string(depth-1)} {pick('<', '<=', '>', '>=', '==', 'in', 'not in')} {string(depth-1)})",
        lambda: f"({any_value(depth-1)} {pick('in', 'not in')} {pick(sequence, dictionary)(depth-1)})",
        lambda: f"({number(0)} < {number(depth-1)} <= {number(0)})",
        lambda: f"(not {any_value(depth-1)})",
        lambda: f"({boolean(depth-1)} {pick('and', 'or')} {boolean(depth-1)})",
        lambda: f"({any_value(depth-1)} is {maybe('not ')}{pick(*TESTS)})",
        lambda: f"({integer(depth-1)} is divisibleby {pick('2', '3')})",
        lambda: f"({any_value(depth-1)} is {pick('eq', 'ne', 'lt', 'in')}({any_value(depth-1)}))",
        lambda: f"({any_value(depth-1)} is sameas {pick('true', 'false', 'none')})",
        lambda: f"{string(depth-1)}.{pick('startswith', 'endswith')}({pick(string(depth-1), '(' + string(0) + ', ' + string(0) + ')')})",
        lambda: f"{string(depth-1)}.{pick('isdigit', 'isalpha', 'isalnum', 'isspace', 'isupper', 'islower', 'istitle', 'isascii', 'isnumeric', 'isdecimal')}()",
    )()


def sequence(depth):
    if depth <= 0:
        return pick("l", "w", "m", "users", "[]", "[1, 2, 3]", "(1, 'b')", "range(4)", "range(5, 0, -2)", "[[1], [2]]", "()")
    one = lambda: sequence(depth - 1)
    return pick(
        lambda: f"[{any_value(depth-1)}, {any_value(depth-1)}]",
        lambda: f"({any_value(depth-1)}, {any_value(depth-1)})",
        lambda: f"({one()} + {one()})",
        lambda: f"({pick('l', 'w', '[0]')} * {pick(0, 2)})",
        lambda: f"{one()}[{maybe(integer(0))}:{maybe(integer(0))}{maybe(':' + pick('2', '-1', '-2'))}]",
        lambda: f"({pick(one(), string(depth-1), dictionary(depth-1))}|list)",
        lambda: f"({one()}|reverse|list)",
        lambda: f"({one()}|sort{maybe('(' + pick('reverse=true', 'case_sensitive=true') + ')')})",
        lambda: f"({one()}|unique|list)",
        lambda: f"({one()}|map('{pick('string', 'upper', 'length', 'int', 'tojson', 'first', 'trim')}')|list)",
        lambda: f"({one()}|{pick('select', 'reject')}{maybe('(' + repr(pick('string', 'number', 'odd', 'defined', 'none')) + ')', 0.8)}|list)",
        lambda: f"({one()}|{pick('select', 'reject')}('{pick('equalto', 'gt', 'in', 'ne')}', {any_value(0)})|list)",
        lambda: f"(users|map(attribute='{pick('name', 'age', 'tags', 'role.id', 'tags.0')}'{maybe(', default=9')})|list)",
        lambda: f"(users|{pick('selectattr', 'rejectattr')}('{pick('name', 'age', 'role', 'tags')}'{maybe(', ' + repr(pick('defined', 'string', 'number')))})|map(attribute='name')|list)",
        lambda: f"(users|sort(attribute='{pick('age', 'name', 'age,name')}'{maybe(', reverse=true')})|map(attribute='name')|list)",
        lambda: f"(users|groupby('{pick('age', 'name')}')|map('first')|list)",
        lambda: f"({one()}|{pick('batch', 'slice')}({pick('2', '3', '1')}{maybe(', ' + any_value(0))})|list)",
        lambda: f"({dictionary(depth-1)}|{pick('dictsort', 'items|list', 'dictsort(by=' + repr('value') + ')', 'dictsort(reverse=true)')})",
        lambda: f"{dictionary(depth-1)}.{pick('items', 'keys', 'values')}()",
        lambda: f"{string(depth-1)}.{pick('split', 'rsplit')}({maybe(string(depth-1) + maybe(', ' + pick('1', '2')))})",
        lambda: f"{string(depth-1)}.splitlines({maybe('true')})",
    )()


def dictionary(depth):
    if depth <= 0:
        return pick("d", "{}", "{'k': 1}", "users[0]", "dict(a=1, b=s)", "{1: 'x', true: 'y', none: 2}")
    return pick(
        lambda: f"{{{string(depth-1)}: {any_value(depth-1)}, {pick(string, integer)(depth-1)}: {any_value(depth-1)}}}",
        lambda: f"dict({dictionary(depth-1)}, z={any_value(depth-1)})",
        lambda: f"dict({dictionary(depth-1)}|items)",
        lambda: f"dict([({string(depth-1)}, {any_value(depth-1)})])",
        lambda: f"{dictionary(depth-1)}.copy()",
    )()


NAMES = ["a", "b", "c"]


def program(depth, in_loop=False):
    return "".join(statement(depth, in_loop) for _ in range(R.randint(1, 3)))


def tag(body):
    return "{%" + pick("", "-", "+", "") + " " + body + " " + pick("", "-", "") + "%}"


def statement(depth, in_loop):
    space = pick("", " ", "\n", "\n  ", "x", " y\n")
    name = pick(*NAMES)
    value = lambda: pick("1", "n", "s", "'v'", "l", *NAMES, "ns.k")
    if depth <= 0:
        return space + pick(
            lambda: "{{" + pick("", "-") + f" {value()} " + pick("", "-") + "}}",
            lambda: tag(f"set {name} = {value()}"),
            lambda: tag(f"set ns.k = {value()}"),
            lambda: tag(f"set {name}, ns.k = {value()}, {value()}"),
            lambda: "{#" + pick("", "-") + " note " + pick("", "-") + "#}",
            lambda: tag("raw") + " {{ x }} " + tag("endraw"),
            lambda: "{{ m1(" + pick("", value(), "b=" + value(), value() + ", b=" + value()) + ") }}",
            lambda: tag(f"if {value()} is number") + tag(pick("break", "continue")) + tag("endif") if in_loop else "-",
            lambda: "{{ loop." + pick("index", "first", "last", "revindex0", "length", "previtem", "nextitem",
                                     "cycle(1, 2)", "changed(ns.k)", "index0", "depth") + " }}" if in_loop else "+",
        )() + pick("", "\n", " \n")
    inner = lambda loop=in_loop: program(depth - 1, loop)
    return space + pick(
        lambda: tag(f"if {value()}") + inner() + maybe(tag(f"elif {value()}") + inner()) + maybe(tag("else") + inner()) + tag("endif"),
        lambda: tag(f"for {name} in {pick('l', 'w', '[]', 'range(3)', 'm', 'l|select')}" + maybe(f" if {name} {pick('is number', '!= 1', 'is defined')}", 0.3))
        + inner(True) + maybe(tag("else") + inner(in_loop), 0.3) + tag("endfor"),
        lambda: tag(f"for {name}, c in {pick('d|dictsort', 'd.items()', 'dict(x=1)|items')}") + inner(True) + tag("endfor"),
        lambda: tag(f"set {name}{maybe(' | upper')}") + inner(False) + tag("endset"),
        lambda: tag("filter " + pick("upper", "trim", "replace('x', 'zz')", "trim | title")) + inner(False) + tag("endfilter"),
        lambda: tag(f"with {name} = {value()}") + inner() + tag("endwith"),
        lambda: tag("generation") + inner(False) + tag("endgeneration"),
        lambda: tag(f"macro m1(a, b={value()})") + inner(False) + maybe("{{ caller() if caller else '' }}", 0.3) + tag("endmacro"),
        lambda: tag(f"call m2({value()})") + inner(False) + tag("endcall"),
    )()


#: Before every program.
PRELUDE = ("{% set ns = namespace(k=0) %}{% macro m1(a, b=2) %}[{{ a }}|{{ b }}]{% endmacro %}"
           "{% macro m2(a) %}<{{ caller() }}{{ a }}>{% endmacro %}")


def cases(count, make, prelude=""):
    made, seen = [], set()
    failures = 0
    while len(made) < count:
        source = make()
        if source in seen or len(source) > 400:
            continue
        seen.add(source)
        text = render(prelude + source, VARIABLES)
        if text is not None and (len(text) > 600 or unsupported(text)):
            continue
        # Most of what is random is wrong; a tenth of that is enough.
        if text is None:
            failures += 1
            if failures % 10:
                continue
        made.append([source] if text is None else [source, text])
    return made


def unsupported(text):
    """What Apus refuses on purpose: addresses, and integers of more than 64 bits."""
    return " at 0x" in text or any(abs(int(x)) >= 2**63 for x in re.findall(r"\d{18,}", text))


if __name__ == "__main__":
    expressions = cases(4000, lambda: "{{ " + any_value(R.choice([1, 2, 2, 3])) + " }}")
    write_lines("expressions.jsonl", [{"variables": VARIABLES, "prelude": ""}] + expressions)
    programs = cases(2000, lambda: program(R.choice([1, 2, 3])), PRELUDE)
    write_lines("programs.jsonl", [{"variables": VARIABLES, "prelude": PRELUDE}] + programs)
