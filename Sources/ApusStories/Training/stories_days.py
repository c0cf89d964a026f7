"""Days at a place in some weather, and stories about things that have no entry in the lexicon."""

import random

import people
from spintax import capitalized, expand, with_article
from topics import Topic

WEATHER = {
    "rainy": (
        [
            "It rained from early morning",
            "The rain had begun in the night and did not think of stopping",
            "Rain ran down the windows and gathered in the gutters",
        ],
        [
            "the puddles grew into small lakes",
            "everything dripped, and every colour was darker than usual",
            "the umbrellas bumped into each other",
        ],
        "rain",
    ),
    "foggy": (
        [
            "The fog was so thick that one could not see {his} own shoes",
            "A white fog had swallowed everything",
            "The world ended after ten steps",
        ],
        [
            "voices came from nowhere and went nowhere",
            "every sound seemed close",
            "things appeared suddenly and were gone again",
        ],
        "fog",
    ),
    "windy": (
        [
            "The wind blew from the west and could not be tamed",
            "The wind had been up since four in the morning",
            "It was a day on which hats learn to fly",
        ],
        [
            "doors banged and flags snapped",
            "leaves ran along the ground like mice",
            "nobody could hear what the others were saying",
        ],
        "wind",
    ),
    "snowy": (
        [
            "It had snowed all night",
            "Snow fell in large, slow flakes",
            "In the morning everything was white",
        ],
        [
            "every footstep creaked",
            "the roofs wore thick white caps",
            "it was so quiet that one could hear the snow fall",
        ],
        "snow",
    ),
    "stormy": (
        [
            "The barometer had fallen since noon, and now the storm was there",
            "Black clouds stood in the west like a wall",
            "The storm came an hour earlier than expected",
        ],
        [
            "thunder rolled from one side of the sky to the other",
            "the windows rattled, and the lamps swung to and fro",
            "a bucket rolled by, all alone",
        ],
        "storm",
    ),
    "sunny": (
        [
            "The sky was blue from one end to the other",
            "The sun was up early and had good ideas",
            "It was one of those days on which nobody wants to be inside",
        ],
        [
            "the stones were warm under the feet",
            "everybody walked a little more slowly",
            "the cats lay in the best places",
        ],
        "sun",
    ),
    "hot": (
        [
            "It was so hot that even the flies were tired",
            "The heat lay on everything like a heavy blanket",
            "By ten o'clock the air was trembling",
        ],
        [
            "the shade was full of people and dogs",
            "somebody sold lemonade and was rich by noon",
            "nobody spoke more than necessary",
        ],
        "heat",
    ),
    "cold": (
        [
            "It was so cold that breath turned to smoke",
            "The cold bit into ears and noses",
            "Frost had drawn flowers on every window",
        ],
        [
            "people stamped their feet and rubbed their hands",
            "the pump was frozen",
            "a cup of soup was worth more than gold",
        ],
        "cold",
    ),
    "quiet": (
        [
            "Nothing at all happened in the morning",
            "It was a day without wind and without hurry",
            "The clock seemed to go more slowly than usual",
        ],
        [
            "a fly walked across the table",
            "somebody yawned, and then everybody yawned",
            "one could hear a spoon fall three houses away",
        ],
        "quiet",
    ),
}
EVENTS = [
    "Towards noon [a stranger|an old woman|a boy with a suitcase] came along and asked for the way to the "
    "sea. Nobody knew it exactly, but everybody gave an answer. In the end {n} walked a little way with "
    "{them}, and came back with [a new friend|a story].",
    "In the afternoon {n} found a [small dog|wet kitten] under a bench. Nobody knew to whom it belonged. By "
    "evening it had a name, a blanket and [three owners|a place beside the stove].",
    "In the afternoon {n} made a bet with a friend: who could stay outside for longer? Both of them won, "
    "and both of them [had a cold the next day|got a piece of cake].",
    "{n} had wanted to leave early that day, but [missed the bus|forgot the time]. '[It does not "
    "matter|Then stay]', said the others, and moved closer together. [Somebody sang.|Somebody told the "
    "story of the three-legged cat.]",
    "About three o'clock the lights went out. {n} fetched candles, [somebody brought a guitar|somebody "
    "began to tell a story], and when the lights came back, nobody was glad of it.",
]


def day(topic: Topic, adjective: str, rng: random.Random) -> str:
    """One day at a place, from morning until evening."""
    hero = people.child(rng)
    opening, effects, noun = WEATHER[adjective]
    seen = rng.sample(topic.all("seen"), 3)
    chosen = rng.sample(effects, 2)
    values = hero.variables() | {
        "in": topic.get("in"),
        "who": topic.get("who"),
        "seen1": seen[0],
        "seen2": seen[1],
        "seen3": seen[2],
        "opening": rng.choice(opening).replace("{his}", "one's"),
        "e1": chosen[0],
        "e2": chosen[1],
        "weather": noun,
        "them": "{th}",
    }
    event = rng.choice(EVENTS)
    lines = [
        "{opening}. {In}, {e1}, and {e2}. [{seen1}.|All the same, {seen1}.] {who} [looked up at the sky and "
        "shrugged|did what they always did, only in other coats|had seen worse and went on with their "
        "work].",
        event,
        "Towards evening [it changed at last|the {weather} was forgotten]: {seen2}, {seen3}, and [a yellow "
        "light fell on everything|the first lamps were lit]. '[What a day|A day like any other]', said {n}, "
        "[and meant it kindly|and hung up {his} wet coat|and went home whistling].",
    ]
    values["In"] = topic.get("in")
    values["th"] = "the stranger"
    if adjective in ("sunny", "hot", "quiet"):
        lines[0] = lines[0].replace(
            "did what they always did, only in other coats", "did what they always did, only more slowly"
        )
    if adjective not in ("rainy", "snowy", "stormy", "foggy"):
        lines[2] = lines[2].replace("|and hung up {his} wet coat", "")
    return expand("\n\n".join(lines), rng, **values)


COMMON = """hat chair table teapot dragon robot wizard cake balloon coat shoe spoon wheel box rope
barrel ladder bench fountain statue tunnel tower garden gate fence path hill meadow field pond
stream road shop kitchen attic cellar window door roof chimney stove fire smoke stone feather shell
coin ring crown sword shield horn whistle song poem dance dream shadow secret promise journey king
queen prince princess giant dwarf witch ghost knight pirate painter singer dancer hunter farmer
nurse student soldier pilot astronaut scientist engineer banana lemon pear cherry plum nut potato
carrot onion cabbage tomato bean rice egg butter milk sugar cinnamon pepper cookie sandwich ice
cream tiger monkey zebra giraffe kangaroo parrot peacock goose hen rooster pig rabbit snake lizard
shark starfish beetle cricket worm wasp mosquito panda koala hamster pony unicorn dinosaur computer
telephone camera radio rocket car bus tram truck tractor submarine airplane helicopter hammer saw
needle thread scarf glove blanket pillow lamp bottle cup plate bowl basket bag suitcase carpet
curtain picture painting statue calendar pencil notebook newspaper ball doll game puzzle sledge
swing circus museum church temple palace hotel hospital airport factory planet comet galaxy cloud
hailstone lightning summer morning evening birthday wedding festival""".split()
ADJECTIVES = """red blue green yellow silver golden wooden paper
glass tiny giant old new forgotten silent lucky""".split()


def invented_name(rng: random.Random) -> str:
    """A thing to tell about: a common noun, or a word made up of syllables."""
    draw = rng.random()
    if draw < 0.45:
        return rng.choice(COMMON)
    if draw < 0.75:
        return rng.choice(ADJECTIVES) + " " + rng.choice(COMMON)
    onset, vowel = (
        "b d f g k l m n p r s t v z br dr fl gr kr pl st tr sh qu".split(),
        "a e i o u ee oo ai".split(),
    )
    ending = "l n r s t m x ck nd lt ng ff bble mp zle ster ling".split()
    return "".join(rng.choice(onset) + rng.choice(vowel) for _ in range(rng.randint(1, 2))) + rng.choice(
        ending
    )


UNKNOWN = [
    [
        "Nobody in the village could remember who had first told them about {the}. [Some said that it had "
        "come with the old sailors|The old people said that it had always been there], and [some said that "
        "it was only a story|the children did not ask].",
        "{n} was the first to ask. '[What do we really know about {the}?|Where does {the} come from?]' "
        "Nobody had an answer, and so {n} took [a notebook and a pencil|a bag with bread and apples] and "
        "went from door to door. [The baker|The miller] knew one thing, the [postman|teacher] knew another, "
        "and {e_n} knew more than both of them together. '[You only have to look at it properly|Look at it "
        "with your own eyes]', said {e_n}, 'and then look again.'",
        "[In the end|At the end of the summer] {n} knew more about {the} than anybody else. [Most of it "
        "could be said in one sentence|{he} wrote it all down]: {lesson}.",
    ],
    [
        "[There was once {a}|Long ago there was {a}] that [nobody wanted|everybody had forgotten|stood in "
        "the corner of an old shop]. Years went by, and dust fell on it.",
        "Then, one {weather} {season} morning, {n} came in out of the wind. '[How much is {the}?|What is "
        "that?]' {he} asked. '[Nothing|Take it]', said {e_n}, 'I am glad if somebody likes it.' {n} carried "
        "{the} home, cleaned it and put it beside the window, where the light was best.",
        "[Since then the room has seemed larger.|Since then something has been different in that house.] "
        "[Visitors stop in front of it and smile, and they cannot say why.|Every evening {n} looks at {the} "
        "and thinks of the wind.] {Lesson}.",
    ],
    [
        "[One evening|Once] {n} asked {g_n}: 'Can you tell me about {the}?' {G_n} put down the newspaper. "
        "'[I saw it once', {g_he} said, 'when I was as small as you are now|That is a long story', {g_he} "
        "said, 'but we have time].'",
        "'It was a {weather} day in {season}. I came around a corner, and there was {the}, exactly as "
        "people had told me, only [smaller|larger|more beautiful]. I stood there and forgot [my cap|the "
        "milk|the time]. [Since then I know one thing: {lesson}|And then it began to rain, and I ran "
        "home].'",
        "{n} thought about {the} for a long time that night. [In the morning {he} went out to look for "
        "it.|'I will find it too', {he} said to the dark.]",
    ],
    [
        "{The} is [something that|one of those things that] everybody knows and hardly anyone [looks "
        "at|understands]. [Ask ten people about it, and you will hear ten different stories.|It takes time "
        "to get to know it.]",
        "{n} [learned that|found that out] one {weather} day in {season}. {he} had heard about {the} so "
        "often that {he} expected [something grand|a great surprise]. But it was [quiet|simple], and only "
        "after a while {n} noticed how much there was to see. {Lesson}.",
    ],
]
LESSONS = [
    "the best things do not shout",
    "what you look at for long enough becomes interesting",
    "everything has a story if somebody asks",
    "what is old may be new for somebody else",
    "you must go and see for yourself",
]


def unknown(name: str, rng: random.Random) -> str:
    """A story about anything at all: only the word itself is used."""
    hero = people.child(rng)
    guide = people.grandparent(rng, hero)
    lesson = rng.choice(LESSONS)
    values = (
        hero.variables()
        | people.elder(rng).variables("e_")
        | guide.variables("g_")
        | people.season_and_day(rng)
        | {
            "G_n": capitalized(guide.name),
            "the": "the " + name,
            "The": "the " + name,
            "a": with_article(name),
            "lesson": lesson,
            "Lesson": lesson,
        }
    )
    return expand("\n\n".join(rng.choice(UNKNOWN)), rng, **values)
