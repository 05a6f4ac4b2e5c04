"""Guests: the people of the demo, made up. Their numbers and addresses reach nobody."""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

GIVEN: Final = (  # noqa: SIM905 - two hundred quotation marks less
    "Ada Aisha Alejandra Amara Anders Anna Anton Ayşe Beatriz Ben Björn Camille Carlos Chidi"
    " Chloé Clara Daniel Dara Diego Ekaterina Elif Emeka Emil Emma Esther Eva Farah Felix"
    " Fiona Freya Gabriel Grace Hana Hannah Haruto Hugo Ines Ingrid Isla Ivan Jack Jana Javier"
    " João Jonas Julia Kaito Karim Kofi Lars Laura Leila Lena Leo Lina Lucía Magnus Malik"
    " Maria Mateo Maya Mei Mina Mira Nadia Nia Nikolai Noah Olga Omar Oscar Priya Rafael Ravi"
    " Rosa Ruth Sara Sean Sofia Tariq Tess Thea Tomás Uma Valentina Vera Wei Yara Yusuf Zofia"
    " Zoë"
).split()

FAMILY: Final = (  # noqa: SIM905 - two hundred quotation marks less
    "Abe Adeyemi Ahmed Almeida Andersson Aziz Bakker Banerjee Becker Bianchi Brown Byrne"
    " Castro Chen Clarke Costa Cruz Dahl Das Diaz Dubois Edwards Evans Ferrari Fischer Flores"
    " Fofana Garcia Gomez Green Haddad Hall Hansen Hassan Hoffmann Hughes Ibrahim Ito Ivanova"
    " Jansen Jensen Jones Kang Kaur Keller Khan Kim Kowalski Kumar Lam Larsen Lee Lewis Lind"
    " Lopez Mahlangu Martin Mbeki Mendes Moreau Morgan Moretti Müller Murphy Nakamura Nguyen"
    " Nielsen Novak Okafor Okoye Olsen Osei Park Patel Petrov Quinn Rahman Reyes Rossi Sato"
    " Schmidt Silva Singh Sousa Tanaka Taylor Torres Varga Visser Walker Weber Wilson Yamamoto"
    " Yilmaz Young Zhang"
).split()

PLACES: Final = (
    ("Europe/London", "London"),
    ("Europe/London", "Leeds"),
    ("Europe/Dublin", "Dublin"),
    ("Europe/Lisbon", "Lisbon"),
    ("Europe/Berlin", "Hamburg"),
)
FAVOURITES: Final = ("espresso", "flat white", "cappuccino", "filter", "cold brew", "chai", "tea")

PEOPLE_MAX: Final = len(GIVEN) * len(FAMILY)


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the demo's program."""

    identity: str
    name: str
    email: str
    phone: str
    time_zone: str
    city: str
    favourite: str


def people(chance: random.Random, count: int) -> Iterator[Person]:
    """So many people, no two of one name."""
    for number in chance.sample(range(PEOPLE_MAX), count):
        given, family = GIVEN[number % len(GIVEN)], FAMILY[number // len(GIVEN)]
        identity = _plain(f"{given}.{family}")
        time_zone, city = chance.choice(PLACES)
        yield Person(
            identity=identity,
            name=f"{given} {family}",
            email=f"{identity}@example.com",
            phone=f"+447700900{chance.randrange(1_000):03}",
            time_zone=time_zone,
            city=city,
            favourite=chance.choice(FAVOURITES),
        )


def _plain(name: str) -> str:
    """The name in small letters without their marks."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
