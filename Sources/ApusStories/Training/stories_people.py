"""Stories of people: at places, with tools and instruments, with plants, in all kinds of weather."""

import random

import people
from spintax import expand, with_article
from topics import Topic, singular

PLANTED = {"oak", "apple tree", "sunflower", "rose", "corn", "pine", "willow", "daisy"}
NOT_A_SEAT = {"snowflake", "dewdrop", "night", "sun", "waterfall", "volcano"}
REPAIRABLE = set(
    """lighthouse library farm garden castle bakery inn theatre observatory orchard well bridge""".split()
)


def _said(topic: Topic, fact: str) -> str:
    return f"{topic.subject} {singular(fact)}"


def _facts(topic: Topic, keys: str, count: int, rng: random.Random) -> list[str]:
    facts = [fact for key, fact in topic.facts if key in keys]
    rng.shuffle(facts)
    return (facts + facts)[:count]


def stormy_night(topic: Topic, rng: random.Random) -> str:
    """The keeper of a place, a storm, a guest who knocks."""
    keeper = people.Person(*rng.choice(people.ELDERS))
    guest = people.child(rng)
    seen = rng.sample(topic.all("seen"), 2)
    values = (
        keeper.variables()
        | guest.variables("g_")
        | {
            "keeper": topic.get("keeper"),
            "guard": topic.get("guard"),
            "in": topic.get("in"),
            "who": topic.get("who"),
            "years": rng.choice(["nine", "twelve", "twenty", "thirty", "forty"]),
            "seen1": seen[0],
            "seen2": seen[1],
            "month": rng.choice(["October", "November", "January", "March"]),
        }
    )
    lines = [
        "For {years} years {n}, the {keeper}, had looked after {guard}, [and in all those years not a "
        "single night had been missed|in sunshine and in rain]. [Every evening it was the same: {seen1}, "
        "and {seen2}.|In the evenings {seen1}, {seen2}, and {n} was content.]",
        "Then came a night in {month} when the wind [tore at the roof|howled around every corner] and the "
        "rain came from the side. Shortly before midnight somebody knocked at the door. Outside stood a "
        "{g_child} of [ten|eleven|twelve] years, wet to the skin. 'My name is {g_n}', said the {g_child}. "
        "'I have lost my way.' '[Come in|Sit down by the stove]', said {n}, 'and drink something hot.'",
        "[Hardly had {g_n} put down the cup when|They were still talking when] there was a loud crash. The "
        "storm had damaged {guard}. 'I am too old to do it alone', said {n}. '[And I am too young|And I "
        "have never done such a thing]', said {g_n}, 'but there are two of us.' They worked [side by "
        "side|without a word] until [the morning grew grey|the wind grew tired]. [{n} held the lamp, and "
        "{g_n} climbed up.|{g_n} held the ladder, and {n} used rope, boards and nails.]",
        "When the sun rose, {seen1}, as if nothing had happened. {who} came to thank them. '[Thank "
        "{g_n}|You must thank the {g_child}]', said {n}. [Many years later {g_n} became the new {keeper}, "
        "and the old cup still stands on the shelf.|{g_n} came back every {month} after that, at first "
        "alone, and later with children of {g_his} own.|And on that day {g_n} knew what {g_he} wanted to do "
        "in life.]",
    ]
    return expand("\n\n".join(lines), rng, **values)


def first_visit(topic: Topic, rng: random.Random) -> str:
    """A child sees a place for the first time, with a grandparent who knows it."""
    child = people.child(rng)
    guide = people.grandparent(rng, child)
    seen = rng.sample(topic.all("seen"), 3)
    facts = _facts(topic, "dfh", 2, rng)
    keepsake = rng.choice(["smooth stone", "feather", "rusty nail", "blue button", "old key"])
    values = (
        child.variables()
        | guide.variables("g_")
        | people.season_and_day(rng)
        | {
            "place": topic.name,
            "who": topic.get("who"),
            "seen1": seen[0],
            "seen2": seen[1],
            "seen3": seen[2],
            "fact1": _said(topic, facts[0]),
            "fact2": _said(topic, facts[1]),
            "elder": guide.name.split()[-1],
            "keepsake": keepsake,
            "a_keepsake": with_article(keepsake),
        }
    )
    lines = [
        "{n} was [six|seven|eight] years old when {g_n} took {him} along to the {place} for the first time. "
        "[It was a {weather} {season} day.|They started early, on a {weather} {season} morning.] [At first "
        "{n} only stood there and looked|{n} did not know where to look first]: {seen1}, {seen2}, and "
        "{seen3}.",
        "'Is it always like this?' asked {n}. '[No|Never]', said {g_n}, 'it is different every day. You "
        "should know that {fact1}.' [{n} thought about that for a while.|{n} nodded, although {he} did not "
        "understand all of it.] '[And what else?|Tell me more]', {he} said. '[Well|You will laugh], "
        "{fact2}', said {g_n}, [and both of them were silent for a while|and gave {him} a piece of bread].",
        "{who} greeted them like old friends, and one of them put {a_keepsake} into {n}'s hand. '[Keep "
        "it|Take good care of it]', they said, 'then you will come back.' [It still lies on {n}'s table "
        "today.|{n} has come back many times since then, and the {keepsake} has always been in {his} "
        "pocket.|In the evening {n} fell asleep with the {keepsake} under the pillow.]",
    ]
    return expand("\n\n".join(lines), rng, **values)


def made_whole(topic: Topic, rng: random.Random) -> str:
    """A neglected place is repaired by everybody together."""
    hero = people.child(rng)
    seen = rng.sample(topic.all("seen"), 2)
    values = hero.variables() | {
        "place": topic.name,
        "guard": topic.get("guard"),
        "seen1": seen[0],
        "seen2": seen[1],
        "who": topic.get("who"),
        "years": rng.choice(["five", "ten", "fifteen", "twenty"]),
    }
    lines = [
        "When {n} came to the village, the old {place} had been empty for {years} years. [The windows were "
        "broken, and grass grew in front of the door.|Nobody went there any more, except the cats.] '[It is "
        "a pity|Somebody should do something about it]', said the people, and went home. {n} said nothing. "
        "The next morning {he} came with a broom.",
        "On the first day {he} was alone. On the second day [two children came, because they were curious|a "
        "neighbour brought a bucket of paint]. On the third day the carpenter looked in, shook his head, "
        "and stayed. [Within a month|Before the summer was over] half the village was at work: [some "
        "carried stones, some cooked soup, and some only gave good advice|one had nails, another had a "
        "ladder, and everybody had an opinion]. The hardest part was {guard}. Three times they tried, and "
        "three times it went wrong. '[Once more|Once more, and slowly]', said {n}. The fourth time it held.",
        "In [September|October] they opened the {place} with [music and a long table|bread, soup and a "
        "little speech]. That evening {seen1}, and {seen2}, just as in the old days. [{who} came back, "
        "first one by one and then all together.|'It was not difficult', said the people. 'Somebody only "
        "had to begin.'|{n} leaned {his} broom in the corner and smiled.]",
    ]
    return expand("\n\n".join(lines), rng, **values)


def lost_thing(topic: Topic, rng: random.Random) -> str:
    """Something is lost at a place, everybody searches, and it turns up where nobody looked."""
    hero = people.child(rng)
    seen = rng.sample(topic.all("seen"), 2)
    values = (
        hero.variables()
        | people.season_and_day(rng)
        | {
            "in": topic.get("in"),
            "who": topic.get("who"),
            "seen1": seen[0],
            "seen2": seen[1],
            "thing": rng.choice(["ring", "red cap", "silver key", "pocket watch", "letter"]),
            "found": rng.choice(
                [
                    "in {his} own left boot",
                    "in the nest of a crow",
                    "in the pocket of {his} other coat",
                    "under a sleeping cat",
                    "in {his} own hand, behind {his} back",
                ]
            ),
        }
    )
    lines = [
        "One {weather} {season} morning {n} lost {his} {thing} {in}. [It was not worth much, but it had "
        "belonged to {his} grandmother.|{he} had had it only a moment ago.] {he} looked everywhere, while "
        "{seen1} and {seen2}.",
        "Soon {who} were helping. [One looked up, another looked down, and a third one gave advice.|They "
        "turned over every stone and opened every box.] They found [three coins, a spoon and a letter from "
        "the year before|two gloves, a comb and somebody's lunch], but no {thing}. '[When did you have it "
        "last?|Think back]', they said. {n} thought, sighed, and scratched {his} head.",
        "And there it was: {found}! [There was a silence, and then everybody began to laugh, and {n} "
        "laughed the loudest.|{n} turned as red as a tomato.] '[At least the place is tidy now|Now we have "
        "cleaned up at last]', said somebody. [They still tell that story {in}.|Since then {n} checks {his} "
        "pockets first.]",
    ]
    return expand("\n\n".join(lines), rng, **values)


def place_story(topic: Topic, rng: random.Random) -> str:
    kinds = [stormy_night, stormy_night, first_visit, first_visit, lost_thing]
    if topic.name in REPAIRABLE:
        kinds.append(made_whole)
    return rng.choice(kinds)(topic, rng)


def apprentice(topic: Topic, rng: random.Random, name: str | None = None) -> str:
    """A beginner fails, gets good advice, and succeeds."""
    pupil = people.child(rng, name)
    master = people.elder(rng)
    trade = topic.name if topic.kind == "trade" else topic.get("who")
    values = (
        pupil.variables()
        | master.variables("m_")
        | {
            "trade": trade,
            "a_trade": with_article(trade),
            "act": topic.get("act"),
            "hard": topic.get("hard"),
            "well": topic.get("well"),
            "age": rng.choice(["ten", "eleven", "twelve", "fourteen"]),
            "time": rng.choice(["three weeks", "a month", "half a winter", "a whole year"]),
        }
    )
    lines = [
        "{n} was {age} years old when {he} came to {m_n}, the {trade}. '[What do you want?|Well?]' asked "
        "{m_n}. 'I want to learn to {act}', said {n}. [{m_n} looked at {his} hands and said: 'Come back "
        "tomorrow, at six.'|'Many want that', said {m_n}, 'and few are still here in spring.']",
        "The first [day|try] was a disaster: {hard}. {n} tried again, [and again {hard}|but with no more "
        "luck]. [It went on like this for {time}.|For {time} it did not get any better.] 'I will never "
        "learn it', said {n} [with tears in {his} eyes|and sat down on the floor]. '[You think of your "
        "hands all the time|You are thinking of yourself]', said {m_n}. 'Think of [the person for whom you "
        "do it|something you love], and breathe.'",
        "{n} closed {his} eyes, breathed, and thought of [{his} mother|{his} little brother|the sea in "
        "summer|home]. Then {he} began once more, quite slowly. And this time {well}. [{m_n} said nothing "
        "for a long time.|It was so quiet that one could hear the clock.] '[Now you know what I know|There "
        "is nothing more that I can teach you today]', said {m_n} at last. [Today {n} is {a_trade}, and "
        "whenever a beginner despairs, {he} tells this story.|{n} ran all the way home to tell "
        "everybody.|That evening {n} was too happy to eat.]",
    ]
    return expand("\n\n".join(lines), rng, **values)


def from_the_attic(topic: Topic, rng: random.Random) -> str:
    """An old thing is found, repaired, and used again."""
    child = people.child(rng)
    elder = people.elder(rng)
    facts = _facts(topic, "edfh", 1, rng)
    values = (
        child.variables()
        | elder.variables("e_")
        | people.season_and_day(rng)
        | {
            "thing": topic.name,
            "a_thing": with_article("old " + topic.name),
            "hard": topic.get("hard"),
            "well": topic.get("well"),
            "fact": singular(facts[0]),
            "who": topic.get("who"),
            "act": topic.get("act"),
        }
    )
    lines = [
        "[Behind a broken chair in the attic|Under a heap of blankets in the barn], {n} found {a_thing}. It "
        "was covered with dust, and [a spider had moved in|one part of it was loose]. 'Whose is it?' {he} "
        "asked. '[It belonged to your great-grandfather|Nobody knows any more]', said {his} mother. 'Go and "
        "ask {e_n}.'",
        "{e_n} had been {a_who} for half a lifetime. '{thing_cap}', said {e_n} slowly, and stroked the dust "
        "away. '[You should know that it|Did you know that it] {fact}[.|?]' Together they cleaned it, oiled "
        "it and mended what was broken. At the first try {hard}. [{n} had to laugh.|They looked at each "
        "other.] At the second try it was a little better. And at the third try {well}.",
        "[On Sunday|At the {season} festival] {n} showed it to [the whole village|everybody]. [People stood "
        "around {him} in a circle.|Nobody spoke for a while.] '[I had forgotten how beautiful it is|And I "
        "thought I would never see that again]', said {e_n}. [Since then it has had a place of honour "
        "beside the window.|The spider got a new home in the shed.|{n} has never let it gather dust again.]",
    ]
    text = "\n\n".join(lines).replace(
        "'[You should know that it|Did you know that it] {fact}[.|?]'",
        rng.choice(["'You should know that it {fact}.'", "'Did you know that it {fact}?'"]),
    )
    values["a_who"] = with_article(topic.get("who"))
    values["thing_cap"] = with_article(topic.name).capitalize()
    return expand(text, rng, **values)


def chain_of_gifts(topic: Topic, topics: list[Topic], rng: random.Random, name: str | None = None) -> str:
    """A gift goes from hand to hand through the village and comes back as something else."""
    others = [t for t in topics if t.kind == "trade" and t.name != topic.name and t.get("made")]
    a, b, c = rng.sample(others, 3)
    hero = people.child(rng, name)
    if topic.name in ("fisherman", "postman") and name is None:
        hero = people.child(rng, rng.choice(people.BOYS))
    values = (
        hero.variables()
        | people.season_and_day(rng)
        | {
            "trade": topic.name,
            "made": topic.get("made"),
            "ta": a.name,
            "ma": a.get("made"),
            "tb": b.name,
            "mb": b.get("made"),
            "tc": c.name,
            "mc": c.get("made"),
            "act": topic.get("act"),
            "at": topic.get("at"),
        }
    )
    lines = [
        "{n}, the {trade}, had worked all day {at}, and in the evening {he} had {made} left over. '[What "
        "shall I do with it?|Somebody will be glad of it]', said {n}, and gave it to the {ta}.",
        "The {ta} was so pleased that the {tb} got {ma} the very next morning. The {tb} did not want to be "
        "[less generous|in anybody's debt] and brought {mb} to the {tc}. And the {tc}, who had had [a bad "
        "week|nothing but trouble that {season}], [began to sing|smiled for the first time in days] and "
        "thought: '[To whom can I give something now?|Now it is my turn.]'",
        "So it came about that [on Saturday|one {weather} {season} evening] there was a knock at {n}'s "
        "door. Outside lay {mc}, with a note: 'From somebody who is happy.' {n} never learned [who had left "
        "it|how it had come about]. But {he} thought about it while {he} went to bed, and the next evening, "
        "[without knowing why|just like that], {he} had something left over again.",
    ]
    return expand("\n\n".join(lines), rng, **values)


def planted(topic: Topic, rng: random.Random) -> str:
    """A plant and a child grow up together."""
    child = people.child(rng)
    guide = people.grandparent(rng, child)
    facts = _facts(topic, "ldfh", 2, rng)
    values = (
        child.variables()
        | guide.variables("g_")
        | {
            "plant": topic.name,
            "at": topic.get("at"),
            "fact1": singular(facts[0]),
            "fact2": singular(facts[1]),
            "a_plant": with_article(topic.name),
        }
    )
    lines = [
        "When {n} was five years old, {g_n} gave {him} a small brown paper bag. '[What is in it?|Is it "
        "sweets?]' asked {n}. '[Something better|Wait and see]', said {g_n}. They went out together and "
        "found a place for it {at}. 'Now comes the hardest part', said {g_n}, and sat down. 'We wait.'",
        "[For weeks nothing happened.|Nothing happened on the first day, nor on the second.] {n} came every "
        "morning and looked. {he} [told it stories|sang to it|brought it water in a cup]. Then, after a "
        "night of rain, there was a tiny green tip. '[It is coming!|Look!]' cried {n}. '{a_plant_cap} "
        "{fact1}', said {g_n}, 'and you will see that it {fact2}. But it does so in its own time.'",
        "[Years have passed since then.|That was a long time ago.] {n} has grown, and [so has what they "
        "planted|it is still there]. [{g_n} is no longer alive, but whenever {n} goes there, it feels as if "
        "somebody had kept a place free.|And when {n}'s own daughter asks what is in the little brown bag, "
        "{n} says: 'Wait and see.'|'Which of us was more patient?' {n} asks sometimes, but there is no "
        "answer except the wind.]",
    ]
    values["a_plant_cap"] = (
        topic.subject.capitalize()
        if topic.name in ("corn", "ivy", "moss")
        else with_article(topic.name).capitalize()
    )
    return expand("\n\n".join(lines), rng, **values)


def questions(topic: Topic, rng: random.Random) -> str:
    """A child asks about the sky, the sea or the weather, and a grandparent answers."""
    seat = topic.get("at")
    if topic.kind == "weather" or topic.name in NOT_A_SEAT:
        seat = rng.choice(["at the window", "on the bench in front of the house", "beside the stove"])
    child = people.child(rng)
    guide = people.grandparent(rng, child)
    facts = _facts(topic, "ldfh", 2, rng)
    values = (
        child.variables()
        | guide.variables("g_")
        | people.season_and_day(rng)
        | {
            "topic": topic.subject,
            "at": seat,
            "fact1": singular(facts[0]),
            "fact2": singular(facts[1]),
            "what": topic.get("w"),
        }
    )
    lines = [
        "[One {weather} {season} evening|One {season} evening] {n} sat {at} with {g_n}. They had a "
        "[blanket|bag of nuts|pot of tea] between them and all the time in the world. '[What is {topic}, "
        "really?|Tell me about {topic}]', said {n}.",
        "{g_n} took a while to answer. '[Some people will tell you that it is|It is] {what}', {g_he} said. "
        "'But that is not all. It {fact1}.' '[And then?|Is that all?]' asked {n}. 'It {fact2}', said {g_n}. "
        "'[I have thought about that all my life.|The rest you must find out for yourself.]'",
        "[They sat there until it was too cold to sit.|For a long time nobody said anything.] [Years later "
        "{n} could no longer remember every word, but {he} remembered the voice.|On the way home {n} held "
        "{g_his} hand very tightly.|'Tomorrow again?' asked {n}. 'Tomorrow again', said {g_n}.]",
    ]
    text = "\n\n".join(lines).replace(
        "'[What is {topic}, really?|Tell me about {topic}]', said {n}.",
        rng.choice(["'What is {topic}, really?' asked {n}.", "'Tell me about {topic}', said {n}."]),
    )
    return expand(text, rng, **values)


def story(topic: Topic, topics: list[Topic], rng: random.Random, name: str | None = None) -> str:
    """A story that suits the kind of topic."""
    if topic.kind == "place":
        text = place_story(topic, rng)
    elif topic.kind == "trade":
        text = (
            chain_of_gifts(topic, topics, rng, name) if rng.random() < 0.5 else apprentice(topic, rng, name)
        )
    elif topic.kind in ("instrument", "thing", "machine"):
        text = (
            from_the_attic(topic, rng)
            if rng.random() < 0.5
            and topic.name
            not in ("church bell", "windmill", "ferry", "steam engine", "train", "hot air balloon")
            else apprentice(topic, rng)
        )
    elif topic.kind == "food":
        text = apprentice(topic, rng)
    elif topic.kind == "plant":
        text = planted(topic, rng) if topic.name in PLANTED else questions(topic, rng)
    else:
        text = questions(topic, rng)
    return text
