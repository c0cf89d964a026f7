"""Expands templates: `[a|b]` picks one alternative (they nest), `{name}` inserts a variable."""

import random
import re

_VARIABLE = re.compile(r"\{(\w+)\}")
_VOWEL_SOUND = re.compile(r"^(?!one\b|uni|use|euro)[aeiou]|^hour|^honest", re.IGNORECASE)


def with_article(noun: str) -> str:
    """`fox` to `a fox`, `owl` to `an owl`."""
    return ("an " if _VOWEL_SOUND.match(noun) else "a ") + noun


def capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _choose(template: str, position: int, rng: random.Random, top: bool) -> tuple[str, int]:
    alternatives, current = [], []
    while position < len(template):
        character = template[position]
        if character == "[":
            text, position = _choose(template, position + 1, rng, False)
            current.append(text)
            continue
        if character == "]" and not top:
            alternatives.append("".join(current))
            return rng.choice(alternatives), position + 1
        if character == "|" and not top:
            alternatives.append("".join(current))
            current = []
        else:
            current.append(character)
        position += 1
    assert top, f"unbalanced brackets: {template}"
    return "".join(current), position


def tidy(text: str) -> str:
    """Single spaces, no space before punctuation, a capital at the start of every sentence."""
    text = re.sub(r" +", " ", text)
    text = re.sub(r" ([,.;:?!])", r"\1", text)
    text = re.sub(r" *\n *", "\n", text)
    # A sentence may begin after `.'`, but after `?'` usually comes `asked`.
    text = re.sub(
        r"(^|[.?!] |\.' |\n)('?)([a-z])",
        lambda match: match.group(1) + match.group(2) + match.group(3).upper(),
        text,
    )
    return text.strip()


def expand(template: str, rng: random.Random, **variables: str) -> str:
    """One random expansion of a template. Variables may hold templates themselves."""
    text = template
    for _ in range(4):
        text, _end = _choose(text, 0, rng, True)
        replaced = _VARIABLE.sub(lambda match: variables[match.group(1)], text)
        if replaced == text:
            break
        text = replaced
    return tidy(text)


def with_double_quotes(text: str) -> str:
    """Speech is written with single quotes in the templates, apart from apostrophes inside words."""
    text = re.sub(r"(^|\s)'(?=\S)", r'\1"', text)
    text = re.sub(r"([?!])',", r'\1"', text)
    text = text.replace("',", ',"')
    return re.sub(r"([.?!])'(?=\s|$)", r'\1"', text)
