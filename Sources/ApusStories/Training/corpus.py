"""Writes the corpus: one JSON object a line, {"prompt": ..., "text": ...}, shuffled, with a held-out part.

python corpus.py --documents 150000 --seed 20 --out build
"""

import argparse
import json
import random
from pathlib import Path

import describe
import people
import stories_animals
import stories_days
import stories_people
import topics as lexicon
from spintax import with_article, with_double_quotes
from topics import MASS, Topic

LENGTH_ORDER = ["tiny", "short", "medium", "long"]


def named(topic: Topic, rng: random.Random) -> str:
    """The topic inside a request: mostly `the fox`, sometimes `a fox`, `foxes`."""
    draw = rng.random()
    if topic.name in MASS:
        return topic.name if draw < 0.5 else "the " + topic.name
    if draw < 0.78 or topic.kind in ("nature", "weather"):
        return "the " + topic.name
    return with_article(topic.name) if draw < 0.9 else topic.plural


def request(about: str, rng: random.Random) -> str:
    """`Tell me about ABOUT` in the ways in which people type it."""
    draw = rng.random()
    if draw < 0.76:
        text = f"Tell me about {about}"
    elif draw < 0.82:
        text = f"tell me about {about}"
    elif draw < 0.88:
        text = rng.choice([f"Please tell me about {about}", f"Tell me about {about}, please"])
    elif draw < 0.94:
        return rng.choice([f"Can you tell me about {about}?", f"What can you tell me about {about}?"])
    else:
        text = rng.choice(
            [f"Describe {about}", f"Tell me something about {about}", f"I want to hear about {about}"]
        )
    return text + ("." if rng.random() < 0.35 else "")


def story_request(about: str, rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.7:
        text = f"Tell me a story about {about}"
    elif draw < 0.9:
        text = rng.choice(
            [
                f"Write a story about {about}",
                f"Please tell me a story about {about}",
                f"tell me a story about {about}",
                f"A story about {about}",
            ]
        )
    else:
        return f"Can you tell me a story about {about}?"
    return text + ("." if rng.random() < 0.35 else "")


def story(topic: Topic, topics: list[Topic], rng: random.Random, name=None, friend=None) -> str:
    if topic.is_animal:
        return stories_animals.animal_story(topic, topics, rng, name, friend)
    return stories_people.story(topic, topics, rng, name)


def plain(topic: Topic, topics: list[Topic], rng: random.Random) -> tuple[str, str]:
    """`Tell me about the fox`: a description as long as suits the topic."""
    length = topic.length
    if length == "story":
        opening = describe.description(topic, "short", rng, closing=0)
        return request(named(topic, rng), rng), opening + "\n\n" + story(topic, topics, rng)
    if rng.random() < 0.1:
        near = LENGTH_ORDER.index(length) + rng.choice([-1, 1])
        length = LENGTH_ORDER[min(max(near, 0), 3)]
    text = describe.description(topic, length, rng)
    if length == "long" and rng.random() < 0.35:
        text += "\n\n" + story(topic, topics, rng)
    return request(named(topic, rng), rng), text


def told(topic: Topic, topics: list[Topic], rng: random.Random) -> tuple[str, str]:
    about = with_article(topic.name) if topic.name not in MASS and rng.random() < 0.4 else named(topic, rng)
    return story_request(about, rng), story(topic, topics, rng)


def with_name(topic: Topic, topics: list[Topic], rng: random.Random) -> tuple[str, str] | None:
    """`Tell me about a fox called Pip`."""
    if topic.is_animal:
        name = rng.choice(people.ANIMAL_NAMES)
    elif topic.kind == "trade":
        male = topic.name in ("fisherman", "postman") or rng.random() < 0.5
        name = rng.choice(people.BOYS if male else people.GIRLS)
    else:
        return None
    about = f"{with_article(topic.name)} called {name}"
    ask = story_request if rng.random() < 0.4 else request
    return ask(about, rng), story(topic, topics, rng, name)


def pair(topic: Topic, topics: list[Topic], rng: random.Random) -> tuple[str, str]:
    """`Tell me about the fox and the owl`: a story if they can meet, else the two side by side."""
    if topic.is_animal and rng.random() < 0.6:
        other = lexicon.friend_of(topic, topics, rng)
        ask = story_request if rng.random() < 0.4 else request
        return ask(f"the {topic.name} and the {other.name}", rng), story(topic, topics, rng, None, other)
    same_kind = [t for t in topics if t.kind == topic.kind and t.name != topic.name]
    other = rng.choice(same_kind if rng.random() < 0.7 else topics)
    if other.name == topic.name or "{" in "".join(text for _, text in topic.facts + other.facts):
        return plain(topic, topics, rng)
    return request(f"{topic.subject} and {other.subject}", rng), describe.contrast(topic, other, rng)


def measured(topic: Topic, topics: list[Topic], rng: random.Random) -> tuple[str, str]:
    """`Tell me briefly about the fox`, `Tell me about the fox in detail`."""
    about = "the " + topic.name if topic.name not in MASS else topic.name
    length = rng.choice(["tiny", "short", "long"])
    prompt = {
        "tiny": [f"Tell me about {about} in one or two sentences", f"Tell me very briefly about {about}"],
        "short": [f"Tell me briefly about {about}", f"Tell me a little about {about}"],
        "long": [
            f"Tell me about {about} in detail",
            f"Tell me everything about {about}",
            f"Tell me a lot about {about}",
        ],
    }[length]
    return rng.choice(prompt) + ("." if rng.random() < 0.35 else ""), describe.description(
        topic, length, rng
    )


def weather_day(topic: Topic, topics: list[Topic], rng: random.Random) -> tuple[str, str]:
    place = rng.choice([t for t in topics if t.kind == "place"])
    adjective = rng.choice(list(stories_days.WEATHER))
    described = with_article(adjective) if rng.random() < 0.9 else "a"
    ask = story_request if rng.random() < 0.2 else request
    return ask(f"{described} day {place.get('in')}", rng), stories_days.day(place, adjective, rng)


def anything(topic: Topic, topics: list[Topic], rng: random.Random) -> tuple[str, str]:
    """A request about something that the lexicon does not know."""
    known = {t.name for t in topics}
    name = stories_days.invented_name(rng)
    while name in known:
        name = stories_days.invented_name(rng)
    ask = story_request if rng.random() < 0.25 else request
    about = "the " + name if rng.random() < 0.7 else with_article(name)
    return ask(about, rng), stories_days.unknown(name, rng)


def question(topic: Topic, topics: list[Topic], rng: random.Random) -> tuple[str, str] | None:
    return describe.answer_to_question(topic, rng)


def unasked(topic: Topic, topics: list[Topic], rng: random.Random) -> tuple[str, str]:
    """A text without a request, so that any beginning can be continued."""
    return "", (story if rng.random() < 0.6 else lambda *a: describe.description(topic, "medium", rng))(
        topic, topics, rng
    )


MIXTURE = [
    (plain, 44),
    (told, 16),
    (with_name, 5),
    (pair, 8),
    (measured, 4),
    (weather_day, 7),
    (anything, 8),
    (question, 4),
    (unasked, 4),
]


# Requests whose second topic or name the answer has to carry along: what a small model learns last.
CARRYING = (pair, with_name)


def documents(count: int, seed: int, carrying: float = 1):
    rng, topics = random.Random(seed), lexicon.load()
    kinds, weights = zip(*((kind, weight * (carrying if kind in CARRYING else 1)) for kind, weight in MIXTURE))
    produced = 0
    while produced < count:
        topic = rng.choice(topics)
        # What the lexicon marks as long has more to learn.
        if topic.length in ("long", "story") and rng.random() < 0.5:
            topic = rng.choice([t for t in topics if t.length in ("long", "story")])
        document = rng.choices(kinds, weights)[0](topic, topics, rng)
        if document is None:
            continue
        prompt, text = document
        yield prompt, with_double_quotes(text)
        produced += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=150_000)
    parser.add_argument("--held-out", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--carrying", type=float, default=1, help="how much oftener requests of two topics or a name are")
    parser.add_argument("--without", type=Path, help="texts of this file are left out, and none is held out")
    parser.add_argument("--out", type=Path, default=Path("build"))
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    # Held-out documents come first; a text that appears there never appears in the training part.
    held_out, texts = [], set()
    if options.without:
        texts = {json.loads(line)["text"] for line in options.without.open()}
    with (options.out / "train.jsonl").open("w") as train:
        for prompt, text in documents(options.documents, options.seed, options.carrying):
            line = json.dumps({"prompt": prompt, "text": text}, ensure_ascii=False)
            if len(held_out) < options.held_out and not options.without:
                held_out.append(line)
                texts.add(text)
            elif text not in texts:
                train.write(line + "\n")
    if not options.without:
        (options.out / "held-out.jsonl").write_text("\n".join(held_out) + "\n")


if __name__ == "__main__":
    main()
