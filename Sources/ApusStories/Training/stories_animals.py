"""Stories whose hero is an animal."""

import random

import people
from spintax import expand, with_article
from topics import LARGE, WANTS_NO_FOOD, Topic, friend_of, own

OPENINGS = [
    "[Once upon a time|Long ago|Many years ago|There was a time when] {a_hero}{called} lived {at}.",
    "{At} there lived {a_hero}{called}.",
    "{Intro}, and {his} home was {at}.",
]
LAND_TROUBLES = [
    "a great storm came over the hills and scattered everything that {he} had gathered",
    "the river rose and covered all the paths",
    "the first snow fell and hid everything under a white blanket",
    "a thick fog came up from the valley, and nobody could see the end of {his} own nose",
    "the long heat dried up the grass and the wells",
]
WATER_TROUBLES = [
    "a great storm stirred up the sea until the water was as grey as the sky",
    "a strong current carried everything away",
    "a thick fog lay down on the water, and all the sounds were wrong",
    "the water turned so cold that a skin of ice grew from the shore",
]
WANTING = [
    "There was nothing in the world that {he} liked better than {wants}.",
    "More than anything else {he} loved {wants}.",
    "All day long {he} dreamed of {wants}.",
]
THANKS = [
    "From that day on the two of them were [friends|the best of friends], and they shared [everything they "
    "found|every meal].",
    "Since then you can see the two of them together [every evening|whenever the weather is fine], {at}.",
    "'[Next time we start together|Next time we will not wait for trouble]', said {f}, and that is exactly "
    "what they did.",
]
MORALS = [
    "[Two heads|Two friends] find more than one.",
    "Nobody can do everything, but everybody can do something.",
    "It is good to be clever, but it is better to have a friend.",
    "Help comes from those you did not think of.",
]


def _cast(topic: Topic, rng: random.Random, name: str | None) -> dict[str, str]:
    if name is None and rng.random() < 0.6:
        name = rng.choice(people.ANIMAL_NAMES)
    hero = people.animal(name, topic.name, rng)
    named = not hero.name.startswith("the ")
    size = rng.choice(["young", "small", "old", ""] if topic.name not in LARGE else ["young", "old", ""])
    a_hero = with_article((size + " " + topic.name).strip())
    values = hero.variables() | people.season_and_day(rng)
    values |= {
        "a_hero": a_hero,
        "called": f" called {hero.name}" if named else "",
        "at": topic.get("at"),
        "At": topic.get("at"),
        "good": own(topic.get("good"), hero.he, hero.his),
        "my_good": own(topic.get("good"), "I", "my"),
        "wants": topic.get("wants"),
        "species": topic.name,
        "child_word": topic.get("child") or "young one",
        "Intro": f"{hero.name} was {a_hero}" if named else f"There was once {a_hero}",
    }
    return values


def together(topic: Topic, topics: list[Topic], rng: random.Random, name=None, friend=None) -> str:
    """The hero wants something, meets an obstacle, and succeeds with the help of another animal."""
    friend = friend or friend_of(topic, topics, rng)
    trouble = rng.choice(WATER_TROUBLES if topic.in_water else LAND_TROUBLES)
    values = _cast(topic, rng, name)
    values |= {
        "f": "the " + friend.name,
        "a_f": with_article(friend.name),
        "fgood": friend.get("good"),
        "my_fgood": own(friend.get("good"), "I", "my"),
        "trouble": trouble,
        "fwants": friend.get("wants"),
    }
    first = (
        rng.choice(OPENINGS)
        + " "
        + rng.choice(WANTING)
        + (" [Then|But|But then], one {weather} {season} [morning|evening|day], {trouble}.")
    )
    second = (
        "[{n} was hungry and a little afraid|{n} waited for a day and a night|{n} did not know what to do], "
        "[and at last {he} set out|but {he} was not one to give up, and so {he} set out]. [It was not long "
        "before {he} met {a_f}.|Before noon {he} met {a_f}.|Near the [old stones|tall reeds] {he} met "
        "{a_f}.]"
    )
    talk = rng.choice(
        [
            "'Where are you going in such weather?' asked {f}. 'I am looking for {wants}', said {n}, 'but I "
            "cannot find any way to get there.' {f} thought for a while. 'I can {my_fgood}', it said. 'And "
            "you?' 'I can {my_good}', said {n}. 'Then we have all we need', said {f}.",
            "'You look sad', said {f}. 'I have lost my way', {n} answered, 'and I have had nothing to eat "
            "since yesterday.' 'I can {my_fgood}', said {f}, 'but alone I would not dare to go on.' 'I can "
            "{my_good}', said {n}. 'Let us go together.'",
            "'Turn back', said {f}, 'there is nothing there.' '[I cannot|I will not]', said {n}. 'I can "
            "{my_good}, but that is not enough today.' 'I can {my_fgood}', said {f} slowly. 'Perhaps it is "
            "enough if we are two.'",
        ]
    )
    third = (
        "So they went on [side by side|together]. [When they could go no farther|When things became "
        "difficult], it helped that {f} could {fgood}; and when even that was not enough, it helped that "
        "{n} could {good}. [Before the sun went down|Before night fell|On the second day] they [found "
        "{wants} and {fwants}, more than they could eat|found what they had been looking for, and there was "
        "enough for both of them|sat side by side with {wants} and {fwants} in front of them]."
    )
    if topic.name in WANTS_NO_FOOD:
        third = third[: third.rindex("they [found")] + "they found what they had been looking for."
    last = rng.choice(THANKS) + ("" if rng.random() < 0.6 else " " + rng.choice(MORALS))
    return expand("\n\n".join([first, second + " " + talk, third + " " + last]), rng, **values)


def small_gift(topic: Topic, topics: list[Topic], rng: random.Random, name=None, friend=None) -> str:
    """A hero who thinks little of its own gift, until a day when only that gift helps."""
    first_friend = friend or friend_of(topic, topics, rng)
    second_friend = friend_of(topic, topics, rng, first_friend)
    values = _cast(topic, rng, name)
    values |= {
        "f1": "the " + first_friend.name,
        "g1": first_friend.get("good"),
        "f2": "the " + second_friend.name,
        "g2": second_friend.get("good"),
        "lost": rng.choice(people.GIRLS + people.BOYS),
    }
    event = rng.choice(
        [
            "One {weather} {season} evening a cry for help came from far away. Everybody ran to and fro, "
            "and nobody knew what to do.",
            "One {weather} {season} night, the youngest {child_word} did not come home. They called until "
            "they were hoarse, but no answer came.",
            "One {weather} {season} day, a stranger came, tired and ill, and asked for a safe place for the "
            "night. There was none to be found.",
        ]
    )
    lines = [
        "[{At} there lived {a_hero}{called}, and {he} thought that {he} was good for nothing.|There was "
        "once {a_hero}{called} who believed that everybody else was cleverer.] '{f1} can {g1}', said {n}, "
        "'and {f2} can {g2}. I can only {my_good}, and what use is that?' [Nobody had an answer.|'Wait', "
        "said the old ones, 'its day will come.'|The others laughed, but not unkindly.]",
        event
        + " {f1} tried, and {f2} tried, but [it was no use|they came back with hanging heads]. Then {n} "
          "stepped forward. "
        "'I can {my_good}', {he} said in a small voice, 'and perhaps that is what we need.' [And so it "
        "was.|It was exactly what was needed.] [In less than an hour|Before the moon was high] everything "
        "was well again, [and nobody could say how {he} had done it|and all of them stood around {n} and "
        "did not know what to say].",
        "[Since that night|From then on] [nobody laughed|no one thought little of {him}] any more. [And "
        "{n}? {He_cap} went home and slept until noon.|{n} {self} only asked for a little peace and a long "
        "sleep.|'You see', said the oldest of them, 'every gift is small until somebody needs it.']",
    ]
    values["He_cap"] = values["he"].capitalize()
    return expand("\n\n".join(lines), rng, **values)


def argument(topic: Topic, topics: list[Topic], rng: random.Random, name=None, friend=None) -> str:
    """Two animals quarrel about who is the better one, and a third one settles it."""
    other = friend or friend_of(topic, topics, rng)
    judge = friend_of(topic, topics, rng, other)
    values = _cast(topic, rng, None if name is None else name)
    values |= {
        "o": "the " + other.name,
        "ogood": other.get("good"),
        "my_ogood": own(other.get("good"), "I", "my"),
        "j": "the " + judge.name,
        "a_o": with_article(other.name),
        "jwants": judge.get("wants"),
    }
    lines = [
        "[One {weather} {season} day|One {weather} {season} morning] {a_hero}{called} and {a_o} met {at} "
        "and began to argue. '[Look at me|I am the better one]', said {n}. 'I can {my_good}. [Who else can "
        "do that?|You cannot.]' '[That is nothing|And what of it?]', said {o}. 'I can {my_ogood}.' [They "
        "argued until noon, and then they argued until evening.|Neither of them would give way.]",
        "At last they went to {j} and asked [who was right|which of them was the better one]. {j} [closed "
        "its eyes|said nothing for a long time|looked from one to the other]. 'I am hungry', it said at "
        "last. 'Bring me {jwants}, and then I will tell you.' They ran off, each on its own way, and each "
        "of them came back with nothing. [So they had to try once more, this time together.|'Perhaps', said "
        "{o}, 'we should go together this time.'] {n} could {good}, {o} could {ogood}, and [before "
        "dark|within an hour] they were back with {jwants}.",
        "'[Now|Well], who is the better one?' asked {j} with a full mouth. The two looked at each other and "
        "[began to laugh|had forgotten the question]. [They have not argued since, except about the "
        "weather.|On the way home they talked about other things.|'Ask us tomorrow', said {n}.]",
    ]
    return expand("\n\n".join(lines), rng, **values)


def rescue(topic: Topic, topics: list[Topic], rng: random.Random, name=None, friend=None) -> str:
    """A child finds a small animal in trouble, helps it, and lets it go."""
    finder = people.child(rng)
    trouble = rng.choice(
        [
            "It had [lost its way in the storm|been out in the rain for too long], and it was trembling.",
            "It [sat quite still|did not move], and only its eyes followed {him}.",
            "It had fallen into an old bucket and could not get out again.",
        ]
    )
    if topic.kind == "bird":
        trouble = rng.choice([trouble, "One wing hung down, and it could not fly."])
    named = name or (rng.choice(people.ANIMAL_NAMES) if rng.random() < 0.5 else None)
    values = finder.variables() | people.season_and_day(rng)
    values |= {
        "one": with_article("small " + topic.name),
        "animal": "the " + topic.name,
        "wants": topic.get("wants"),
        "food": "food and water" if topic.name in WANTS_NO_FOOD else topic.get("wants"),
        "at": topic.get("at"),
        "name": named or "",
        "fact": rng.choice(topic.all("f") or topic.all("d")).replace("*", ""),
        "g": rng.choice(["grandmother", "grandfather", "mother", "father"]),
        "good": topic.get("good"),
    }
    lines = [
        "[One {weather} {season} morning|On a {weather} {season} afternoon] a {child} called {n} found "
        "{one} {at}. "
        + trouble
        + " {n} [took off {his} scarf and wrapped it around {animal}|carried it home in both hands|put it "
          "into {his} cap and carried it home].",
        "'[Do not keep it too long|It is not a toy]', said {his} {g}. 'A {species} belongs outside.' [{n} "
        "knew that.|{n} nodded.] {he} made a bed of [hay|soft grass|wool] in a box and brought {food}. "
        + ("{he} called it {name}. " if named else "")
        + "'Did you know', said {his} {g}, 'that it {fact}?' [{n} had not known it.|{n} shook {his} head "
          "and looked at {animal} with new respect.] "
        "[For three days|For a week] it slept, ate and slept again.",
        "[Then, one {weather} morning|On the next {weather} day], {n} carried the box back and opened it. "
        "{animal} looked around, [waited for a moment|turned once] and [was gone|went its way]. [{n} stood "
        "there for a long time.|It was strangely quiet at home that evening.] [But a year later, when {he} "
        "came by again, {one} sat {at} and looked at {him} as if it were about to say something.|Sometimes, "
        "when {he} passes there, {he} leaves {food} behind, and in the morning nothing is left of it.|'You "
        "did well', said {his} {g}. 'Letting go is the hardest part.']",
    ]
    values["species"] = topic.name
    text = "\n\n".join(lines).replace(
        "A {species}",
        with_article("{species}").capitalize() if topic.name[0] not in "aeiou" else "An {species}",
    )
    return expand(text, rng, **values)


SMALL_ENOUGH_TO_CARRY = set(
    """hedgehog mouse squirrel hare mole bat frog toad swallow sparrow robin owl crow
gull duck butterfly snail otter fox cat""".split()
)


def animal_story(topic: Topic, topics: list[Topic], rng: random.Random, name=None, friend=None) -> str:
    kinds = [together, together, small_gift, argument]
    if topic.name in SMALL_ENOUGH_TO_CARRY and friend is None:
        kinds += [rescue, rescue]
    return rng.choice(kinds)(topic, topics, rng, name, friend)
