"""The people and the animals of the stories, with the pronouns that belong to them."""

import random
from dataclasses import dataclass

GIRLS = "Mara Anna Lina Ida Nora Ella Rosa Clara Greta Mina".split()
BOYS = "Tom Jonas Emil Paul Felix Oskar Leo Hugo Karl Ben".split()
ELDERS = [
    ("old Martha", "she"),
    ("old Henrik", "he"),
    ("old Agnes", "she"),
    ("old Matti", "he"),
    ("old Johanna", "she"),
    ("old Peter", "he"),
]
ANIMAL_NAMES = [
    "Pip",
    "Tuck",
    "Bramble",
    "Juniper",
    "Barley",
    "Nutmeg",
    "Pepper",
    "Clover",
    "Rowan",
    "Biscuit",
    "Thistle",
    "Misty",
]
SEASONS = {
    "spring": "[mild|windy|bright]",
    "summer": "[warm|bright|clear]",
    "autumn": "[misty|windy|golden]",
    "winter": "[cold|white|clear]",
}


@dataclass
class Person:
    """A character: `name`, and pronouns as subject, possessive, object."""

    name: str
    he: str

    @property
    def his(self) -> str:
        return {"he": "his", "she": "her", "it": "its"}[self.he]

    @property
    def him(self) -> str:
        return {"he": "him", "she": "her", "it": "it"}[self.he]

    @property
    def child(self) -> str:
        return {"he": "boy", "she": "girl"}[self.he]

    def variables(self, prefix: str = "") -> dict[str, str]:
        values = {
            "n": self.name,
            "he": self.he,
            "his": self.his,
            "him": self.him,
            "self": {"he": "himself", "she": "herself", "it": "itself"}[self.he],
        }
        if self.he != "it":
            values["child"] = self.child
        return {prefix + key: value for key, value in values.items()}


def child(rng: random.Random, name: str | None = None) -> Person:
    name = name or rng.choice(GIRLS + BOYS)
    return Person(name, "she" if name in GIRLS else "he")


def elder(rng: random.Random) -> Person:
    return Person(*rng.choice(ELDERS))


def grandparent(rng: random.Random, of: Person) -> Person:
    return Person(*rng.choice([(of.his + " grandfather", "he"), (of.his + " grandmother", "she")]))


def animal(name: str | None, species: str, rng: random.Random) -> Person:
    """A named animal is `he` or `she`; an unnamed one is `it`."""
    return Person(name, rng.choice(["he", "she"])) if name else Person("the " + species, "it")


def season_and_day(rng: random.Random) -> dict[str, str]:
    season = rng.choice(list(SEASONS))
    return {"season": season, "weather": SEASONS[season]}
