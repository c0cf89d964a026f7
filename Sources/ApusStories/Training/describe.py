"""Descriptions: facts of one topic, in a natural order, joined with varied sentences."""

import random
import re

from spintax import capitalized, expand, tidy, with_article
from topics import MASS, Topic, plural, singular

AUXILIARIES = ("is", "was", "can")
LENGTHS = {"tiny": (1, 1), "short": (3, 4), "medium": (5, 7), "long": (8, 12), "story": (8, 12)}

SURPRISES = [
    "[Few people|Not many people] know that it {vp}.",
    "Oddly enough, it {vp}.",
    "Strange as it sounds, it {vp}.",
    "What surprises most people is that it {vp}.",
    "It is hard to believe, but it {vp}.",
    "Here is something that surprises [many|most] people: it {vp}.",
    "{S} {vp}.",
    "{S} {vp}.",
    "{S} {vp}, and that is a wonder in itself.",
]
ANIMAL_HABITS = [
    "Watch it for a while, and you will see how it {vp}.",
    "If you are patient, you may see how it {vp}.",
    "Anyone who watches it closely will notice that it {vp}.",
]
CLOSINGS = {
    "animal": [
        "So if you meet {one} one day, [stand still|be quiet] and [enjoy the moment|give it time].",
        "Whoever has watched {one} for an hour does not forget it.",
        "The world would be a poorer place without it.",
    ],
    "plant": [
        "[Take a closer look some day|Stop beside it for a moment some day]: it is worth the time.",
        "It asks for very little and gives a great deal.",
        "Every year it does all of this again.",
    ],
    "nature": [
        "Nobody has ever grown tired of looking at it.",
        "It was here before us, and it will outlast us.",
        "The longer you look, the more you see.",
    ],
    "weather": [
        "Tomorrow everything may look different.",
        "There is no use in complaining about it.",
        "A warm kitchen is a good place to watch it from.",
    ],
    "thing": [
        "It is a small thing, but life would be harder without it.",
        "Somebody had a very good idea there.",
        "Simple things are often the best ones.",
    ],
    "instrument": [
        "It takes a year to play it a little, and a lifetime to play it well.",
        "Close your eyes when you hear it: that is the best way to listen.",
        "A house with music in it is never quite empty.",
    ],
    "machine": [
        "It is a fine example of what people can do when they think hard.",
        "Somebody had a very good idea there.",
        "Treat it well, and it will serve you for a long time.",
    ],
    "food": [
        "No wonder that nobody leaves the table early.",
        "There is always a little room left for it.",
        "A good day begins or ends with it.",
    ],
    "place": [
        "Go there on a quiet [morning|evening], and you will see what I mean.",
        "Those who leave it always come back one day.",
        "It looks different every time you visit it.",
    ],
    "trade": [
        "It is hard work, but {he} would not change it for any other.",
        "Without {him} the village would be a different place.",
        "Ask {him} about it, and you will still be standing there an hour later.",
    ],
}
CLOSINGS["bird"] = CLOSINGS["animal"]


def pronouns_of(topic: Topic, rng: random.Random) -> tuple[str, str, str]:
    """Pronouns of a person; fixed where the word itself names a man."""
    male = topic.name in ("fisherman", "postman") or rng.random() < 0.5
    return ("he", "his", "him") if male else ("she", "her", "her")


def with_adverb(phrase: str, adverb: str) -> str:
    """`hunts` to `also hunts`, but `is` to `is also`."""
    first, _, rest = phrase.partition(" ")
    return f"{first} {adverb} {rest}" if first in AUXILIARIES else f"{adverb} {phrase}"


def general_name(topic: Topic, rng: random.Random) -> str:
    """`the fox` or `a fox`, as the subject of a general statement."""
    if topic.name in MASS or topic.kind in ("nature", "weather") or rng.random() < 0.8:
        return topic.subject
    return with_article(topic.name)


def chosen_facts(topic: Topic, count: int, rng: random.Random) -> list[tuple[str, str]]:
    """`count` facts in the lexicon's order; a short answer takes the most telling ones."""
    facts = topic.facts
    if count >= len(facts):
        return facts
    kept = sorted(rng.sample(range(len(facts)), count))
    return [facts[index] for index in kept]


def _opening(topic: Topic, facts: list, rng: random.Random) -> str:
    name, what = capitalized(general_name(topic, rng)), topic.get("w")
    countable = topic.name not in MASS and topic.kind not in ("nature", "weather")
    draw = rng.random()
    if facts and facts[0][0] in "lpe" and draw < 0.22 and topic.kind != "trade":
        return f"{name}, {what}, {singular(facts.pop(0)[1])}."
    if draw < 0.30 and countable and topic.is_animal:
        return expand(
            "Have you ever [watched|seen|met] {one}? It is {what}.",
            rng,
            one=with_article(topic.name),
            what=what,
        )
    return f"{name} is {what}."


def _sentence(topic: Topic, key: str, fact: str, previous: str, rng: random.Random) -> str:
    if key == "s":
        return fact
    phrase, many = singular(fact), plural(fact)
    subject = "it" if rng.random() < 0.8 or previous == "name" else topic.subject
    draw = rng.random()
    if many and draw < 0.12 and topic.name not in MASS and topic.kind not in ("nature", "weather"):
        return f"{capitalized(topic.plural)} {many}."
    if key == "f":
        if phrase.startswith(("is not", "is neither", "grows", "can be")):
            return f"{capitalized(subject)} {phrase}."
        return expand(rng.choice(SURPRISES), rng, S=capitalized(subject), vp=phrase)
    if key == "d" and topic.is_animal and draw < 0.25:
        return expand(rng.choice(ANIMAL_HABITS), rng, vp=phrase)
    if previous == key and draw < 0.5:
        return f"{capitalized(subject)} {with_adverb(phrase, 'also')}."
    if key == "h" and draw < 0.2:
        return f"Besides, it {phrase}."
    return f"{capitalized(subject)} {phrase}."


def _body(topic: Topic, facts: list, rng: random.Random) -> list[str]:
    sentences, previous, index = [], "name", 0
    while index < len(facts):
        key, fact = facts[index]
        following = facts[index + 1] if index + 1 < len(facts) else None
        joinable = following and following[0] == key and key in "ld" and len(fact + following[1]) < 110
        if joinable and rng.random() < 0.4:
            sentences.append(f"It {singular(fact)}, and it {singular(following[1])}.")
            index += 2
        else:
            sentences.append(_sentence(topic, key, fact, previous, rng))
            index += 1
        previous = key
    return sentences


def description(topic: Topic, length: str, rng: random.Random, closing: float = 0.4) -> str:
    """A description of one paragraph, or of two when it is long."""
    low, high = LENGTHS[length]
    facts = chosen_facts(topic, rng.randint(low, high), rng)
    sentences = [_opening(topic, facts, rng)] + _body(topic, facts, rng)
    pronouns = pronouns_of(topic, rng)
    if length != "tiny" and rng.random() < closing:
        sentences.append(
            expand(
                rng.choice(CLOSINGS[topic.kind]),
                rng,
                one=with_article(topic.name),
                he=pronouns[0],
                him=pronouns[2],
            )
        )
    if len(sentences) > 7 and rng.random() < 0.7:
        middle = len(sentences) // 2
        text = " ".join(sentences[:middle]) + "\n\n" + " ".join(sentences[middle:])
    else:
        text = " ".join(sentences)
    return personal(text, topic, pronouns)


def personal(text: str, topic: Topic, pronouns: tuple[str, str, str]) -> str:
    """Gives a person's description `he` or `she` in place of `it`."""
    he, his, him = pronouns
    text = text.replace("{he}", he).replace("{his}", his).replace("{him}", him)
    if topic.kind == "trade":
        text = re.sub(r"(^|[.:?] |\n)It (?=[a-z])", lambda m: m.group(1) + capitalized(he) + " ", text)
        text = re.sub(
            r"(, and|, but|that|Besides,|sounds,|enough,|people:) it (?=[a-z])",
            lambda m: m.group(1) + f" {he} ",
            text,
        )
        # Two phrases speak of the work itself, not of the person.
        text = text.replace(capitalized(he) + " is hard to believe", "It is hard to believe")
        text = text.replace(capitalized(he) + " is hard work", "It is hard work")
    return tidy(text)


def answer_to_question(topic: Topic, rng: random.Random) -> tuple[str, str] | None:
    """A question about one fact and its answer in a sentence or two."""
    options = [("w", f"What is {with_article(topic.name) if topic.name not in MASS else topic.name}?")]
    if topic.is_animal:
        options += [("e", f"What does the {topic.name} eat?"), ("p", f"Where does the {topic.name} live?")]
    elif topic.kind in ("machine", "instrument"):
        options += [("e", f"How does the {topic.name} work?")]
    elif topic.kind == "place":
        options += [("d", f"What happens at the {topic.name}?")]
    key, question = rng.choice(options)
    if topic.get(key) is None:
        return None
    subject = capitalized(topic.subject)
    text = f"{subject} is {topic.get('w')}." if key == "w" else f"{subject} {singular(topic.get(key))}."
    extra = [fact for other, fact in topic.facts if other in "df" and other != key]
    if extra and rng.random() < 0.5:
        text += f" It {with_adverb(singular(rng.choice(extra)), 'also')}."
    pronouns = pronouns_of(topic, rng)
    return question, personal(text, topic, pronouns)


def contrast(first: Topic, second: Topic, rng: random.Random) -> str:
    """Two topics side by side."""

    def general(topic: Topic) -> list[str]:
        return [singular(fact) for key, fact in topic.facts if key in "lpedf"]

    a, b = general(first), general(second)
    rng.shuffle(a)
    rng.shuffle(b)
    parts = ["{A} is {wa}. {B}, [on the other hand|by contrast|however], is {wb}."]
    if a and b:
        parts.append("[{A} {a0}, while {b} {b0}.|{A} {a0}. {B} {b0}.|{A} {a0}, and {b} {b0}.]")
    if len(a) > 1 and len(b) > 1:
        also = with_adverb("{a1}", "also") if a[1].split()[0] not in AUXILIARIES else "{a1}"
        parts.append("[{A} " + also + ", but {b} {b1}.|One {a1}, the other {b1}.]")
    parts.append(
        "[At first sight they have little in common, and yet each of them is at its best in its own place."
        "|They are very different, and the world needs both of them."
        "|It would be hard to say which of them is the greater wonder.|]"
    )
    text = expand(
        " ".join(parts),
        rng,
        A=capitalized(first.subject),
        B=capitalized(second.subject),
        b=second.subject,
        a=first.subject,
        wa=first.get("w"),
        wb=second.get("w"),
        a0=(a + [""])[0],
        b0=(b + [""])[0],
        a1=(a + ["", ""])[1],
        b1=(b + ["", ""])[1],
        he="he",
        his="his",
        him="him",
    )
    return text
