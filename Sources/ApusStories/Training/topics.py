"""Reads the lexicon: one block of facts a topic.

A block begins with `@ name; plural; kind; length`. Each following line is `key: text`:
w what it is, l how it looks, p where it lives, e what it eats or how it works, d what it does,
f a curious fact, h its part in people's lives (verb phrases in the third person singular, each verb
that must change in the plural marked with `*`), s a whole sentence; the other keys feed the stories.
"""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

LEXICON = Path(__file__).parent / "lexicon"
FACT_KEYS = "lpedfhs"
MASS = set(
    """corn rain snow fog thunder bread cheese soup honey chocolate tea salt autumn spring winter
ivy moss""".split()
)
WATER = set("whale dolphin seal turtle crab octopus jellyfish salmon penguin gull".split())
LARGE = set("whale dolphin horse cow bear wolf elephant lion camel deer donkey seal sheep goat".split())


@dataclass
class Topic:
    name: str
    plural: str
    kind: str
    length: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    def get(self, key: str) -> str | None:
        return next((text for other, text in self.lines if other == key), None)

    def all(self, key: str) -> list[str]:
        return [text for other, text in self.lines if other == key]

    @property
    def facts(self) -> list[tuple[str, str]]:
        return [(key, text) for key, text in self.lines if key in FACT_KEYS]

    @property
    def subject(self) -> str:
        """The topic as the subject of a general statement: `the fox`, but `bread`."""
        return self.name if self.name in MASS else "the " + self.name

    @property
    def is_animal(self) -> bool:
        return self.kind in ("animal", "bird")

    @property
    def in_water(self) -> bool:
        return self.name in WATER


def load() -> list[Topic]:
    topics = []
    for path in sorted(LEXICON.glob("*.txt")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.startswith("@ "):
                topics.append(Topic(*[part.strip() for part in line[2:].split(";")]))
                continue
            key, separator, text = line.partition(": ")
            assert separator, f"{path.name}:{number}: expected `key: text`, found {line!r}"
            topics[-1].lines.append((key, text))
    return topics


_IRREGULAR = {
    "is": "are",
    "has": "have",
    "does": "do",
    "was": "were",
    "goes": "go",
    "catches": "catch",
    "carries": "carry",
    "buries": "bury",
    "flies": "fly",
    "dries": "dry",
    "annoys": "annoy",
    "teaches": "teach",
    "reaches": "reach",
    "passes": "pass",
    "pushes": "push",
    "touches": "touch",
    "washes": "wash",
    "hisses": "hiss",
    "watches": "watch",
    "searches": "search",
    "stretches": "stretch",
    "presses": "press",
    "catch": "catch",
}


def plural_verb(verb: str) -> str:
    return _IRREGULAR.get(verb, verb[:-1] if verb.endswith("s") else verb)


def singular(phrase: str) -> str:
    return phrase.replace("*", "")


def plural(phrase: str) -> str | None:
    """The verb phrase for a plural subject, or None where only the singular reads well."""
    if not phrase.startswith("*") or re.search(r"\b(its|itself|it|whose)\b", phrase):
        return None
    return re.sub(r"\*(\w+)", lambda match: plural_verb(match.group(1)), phrase)


HOT = {"elephant", "camel", "lion"}
ANYWHERE = {"mouse", "ant", "bat", "owl", "snail", "butterfly", "spider"}
WANTS_NO_FOOD = {"owl", "firefly", "wolf", "lion", "crab", "eagle", "salmon"}


def may_meet(first: Topic, second: Topic) -> bool:
    """Whether a story may bring the two animals together."""
    if first.in_water != second.in_water:
        return False
    hot = {first.name, second.name} & HOT
    return not hot or {first.name, second.name} <= HOT | ANYWHERE


def friend_of(topic: Topic, topics: list[Topic], rng: random.Random, *besides: Topic) -> Topic:
    """Another animal that can plausibly meet this one."""
    taken = {topic.name} | {other.name for other in besides}
    return rng.choice(
        [
            other
            for other in topics
            if other.is_animal
            and other.name not in taken | WANTS_NO_FOOD
            and other.get("good")
            and may_meet(topic, other)
            and all(may_meet(other, third) for third in besides)
        ]
    )


def own(phrase: str, he: str, his: str) -> str:
    """`land on its feet` as said of or by somebody: `land on my feet`, `land on her feet`."""
    phrase = phrase.replace(" its ", f" {his} ")
    return phrase.replace(" it was ", " I was " if he == "I" else f" {he} was ")
