"""A power cut at any instant: what was acknowledged is there, a unit of work is whole or not there.

The service's own ledger writes, by its own pragmas and statements, on a disk that notes all that is
asked of it (`disk.py`). From that, what a cut leaves is made for one instant after another: nothing
that was not synced, or any part of it. SQLite itself, as Python has it, opens what is left.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, select
from sqlalchemy import text as sql
from sqlalchemy.exc import DatabaseError

from events.audit import SERVICE
from ledger.commands import Command, Credit, Debit, Owner, PlaceHold, Transfer
from ledger.health import audit
from models import pragmas
from models.database import Database, open_database
from models.tables import idempotency_keys
from tests.faults.disk import Disk, Platter, Sync
from tests.faults.driver import address_on
from tests.harness.book import Book, open_book
from tests.harness.clock import VirtualClock

SEEDS = tuple(range(1, 1 + int(os.environ.get("POWER_CUT_SEEDS", "1"))))
LIVES = 2
CUTS = 60
"""Instants of one life at which the power goes, besides those beside each sync."""
UNITS = 20
"""Units of work of one life: SQLite does a checkpoint by itself every tenth, or so …"""
CHECKPOINT = "PRAGMA wal_autocheckpoint=1000"
"""… if it does them oftener than it is told to, so that there are some to be cut."""
COMMANDS = 12
PEOPLE = 12
OPENING = 1_000_000

FULL = 2
LOST = "a unit of work that was acknowledged is lost"

OPENING_CREDITS: list[Command] = [
    Credit(wallet=Owner(f"m{number}"), points=OPENING, key=f"opening-{number}")
    for number in range(PEOPLE)
]

_KEYS = select(idempotency_keys.c.key, idempotency_keys.c.transaction_id)
_disks = count()


@dataclass
class Unit:
    """Commands that were submitted together, and what was answered."""

    commands: list[Command]
    answers: dict[str, str | None] = field(default_factory=dict[str, str | None])
    answered_at: int | None = None
    """How many deeds the disk had done by then."""


def draw(chance: random.Random, name: str) -> Unit:
    """Credits, debits, transfers and holds, and some that are refused for good."""
    commands: list[Command] = []
    for number in range(COMMANDS):
        key, points = f"{name}-{number}", chance.randint(1, 9) * 1_000
        one, other = (Owner(f"m{each}") for each in chance.sample(range(PEOPLE), 2))
        commands.append(
            chance.choice(
                [
                    Credit(wallet=one, points=points, key=key, description="coffee"),
                    Debit(wallet=one, points=points, key=key),
                    Debit(wallet=one, points=OPENING * 1_000, key=key),
                    Transfer(sender=one, receiver=other, points=points, key=key),
                    PlaceHold(wallet=one, points=points, key=key),
                ]
            )
        )
    return Unit(commands)


@dataclass
class Life:
    """What one process asked for, from power to power, and what its disk did."""

    disk: Disk
    found: dict[str, bytes]
    """The files as they lay there at its beginning."""
    units: list[Unit]

    def cuts(self, chance: random.Random) -> Iterator[tuple[int, dict[str, bytes]]]:
        """What would be left at one instant after another, by how many deeds were done."""
        deeds = self.disk.deeds
        syncs = {number for number, deed in enumerate(deeds) if isinstance(deed, Sync)}
        beside = {number + step for number in syncs for step in (0, 1)}
        wanted = beside | set(chance.choices(range(len(deeds) + 1), k=CUTS))
        platter = Platter(self.found)
        for number in range(len(deeds) + 1):
            if number in wanted:
                yield number, platter.cut(chance if chance.random() < 2 / 3 else None)
            if number < len(deeds):
                platter.take(deeds[number])


def write(files: dict[str, bytes]) -> None:
    for name, content in files.items():
        Path(name).write_bytes(content)


def clear(file: Path) -> None:
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()


@asynccontextmanager
async def living(file: Path, synchronous: str) -> AsyncIterator[tuple[Disk, Book]]:
    disk = Disk(f"lossy-{next(_disks)}")
    async with open_book(address_on(disk, file), VirtualClock()) as book:
        spoil(book.database, synchronous)
        yield disk, book
    disk.unregister()


def spoil(database: Database, synchronous: str) -> None:
    """Have the writer's connection sync as it is told, once it has said what it wants itself."""

    def tell(raw: Any, _: object) -> None:
        raw.cursor().execute(CHECKPOINT)
        if synchronous != "as it is":
            raw.cursor().execute(f"PRAGMA synchronous={synchronous}")

    event.listen(database.engines[0], "connect", tell)


async def live(file: Path, past: list[Unit], chance: random.Random, synchronous: str) -> Life:
    """Ask for all that was ever asked for, then for more; the end is one as of any process."""
    files = {str(part): part.read_bytes() for part in file.parent.glob(f"{file.name}*")}
    async with living(file, synchronous) as (disk, book):
        for unit in past:
            await ask(disk, book, unit)
        new = [draw(chance, f"{len(past)}-{number}") for number in range(UNITS)]
        for unit in new:
            await ask(disk, book, unit)
    return Life(disk, files, [*past, *new])


async def ask(disk: Disk, book: Book, unit: Unit) -> None:
    outcomes = await book.ledger.submit_all(unit.commands, SERVICE)
    keys = [command.key for command in unit.commands]
    answers = dict(zip(keys, (outcome.transaction_id for outcome in outcomes), strict=True))
    if unit.answered_at is None:
        unit.answers, unit.answered_at = answers, len(disk.deeds)
    assert answers == unit.answers, "what was acknowledged is answered as it was"


def reopened(file: Path) -> Engine:
    """The file by Python's own SQLite, as the service's writer would open it."""
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool)
    event.listen(engine, "connect", lambda raw, _: pragmas.for_writer(raw))
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    return engine


@dataclass(frozen=True)
class Left:
    """What stands in the files that a cut has left."""

    effects: dict[str, str | None]
    """By key: the transaction, None for a refusal."""
    violations: list[str]


def look(engine: Engine) -> Left:
    try:
        return _look(engine)
    except DatabaseError as error:
        return Left({}, [str(error.orig)])


def _look(engine: Engine) -> Left:
    with engine.connect() as connection:
        sound = connection.execute(sql("PRAGMA integrity_check")).scalars().all()
        effects = {row.key: row.transaction_id for row in connection.execute(_KEYS)}
        health = audit(connection, VirtualClock()())
    return Left(effects, [*(each for each in sound if each != "ok"), *health.violations])


def faults_of(left: Left, life: Life, done: int) -> list[str]:
    """What is wrong with what was left after so many deeds of a life."""
    faults = list(left.violations)
    for unit in life.units:
        there = {key: left.effects[key] for key in unit.answers if key in left.effects}
        if there not in ({}, unit.answers):
            faults.append(f"a unit of work is there in part: {len(there)} of {len(unit.answers)}")
        if not there and unit.answered_at is not None and unit.answered_at <= done:
            faults.append(LOST)
    return faults


def remembered(life: Life, done: int) -> list[Unit]:
    """What the callers know when the power goes: what was answered, and what was under way."""
    known = [
        Unit(unit.commands, unit.answers, 0)
        for unit in life.units
        if unit.answered_at is not None and unit.answered_at <= done
    ]
    return [*known, *(Unit(unit.commands) for unit in life.units[len(known) : len(known) + 1])]


@dataclass
class Trial:
    """Lives of one database, each ended by a cut, and what was found wrong after any other cut."""

    file: Path
    chance: random.Random
    synchronous: str = "as it is"
    cuts: int = 0
    faults: list[str] = field(default_factory=list[str])
    checkpoints: int = 0

    async def run(self, lives: int) -> None:
        past = [Unit(OPENING_CREDITS)]
        for _ in range(lives):
            life = await live(self.file, past, self.chance, self.synchronous)
            done, files = await asyncio.to_thread(self.judge, life)
            if self.faults:
                return
            write(files)
            past = remembered(life, done)

    def judge(self, life: Life) -> tuple[int, dict[str, bytes]]:
        """Look at what each cut leaves; give one of them, to go on with."""
        engine = reopened(self.file)
        seen: dict[int, Left] = {}
        chosen = (0, life.found)
        for done, files in life.cuts(self.chance):
            clear(self.file)
            image = hash(tuple(files.items()))
            if image not in seen:
                write(files)
                seen[image] = look(engine)
            self.faults += faults_of(seen[image], life, done)
            self.cuts += 1
            if self.chance.random() < 1 / self.cuts:
                chosen = done, files
        clear(self.file)
        self.checkpoints += sum(deed == Sync(str(self.file)) for deed in life.disk.deeds)
        return chosen


def trial_of(sqlite_url: str, seed: int, synchronous: str = "as it is") -> Trial:
    return Trial(Path(sqlite_url.removeprefix("sqlite:///")), random.Random(seed), synchronous)


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_acknowledged_is_lost_and_nothing_is_there_by_half(
    sqlite_url: str, seed: int
) -> None:
    trial = trial_of(sqlite_url, seed)

    await trial.run(LIVES)

    assert trial.faults == []
    assert trial.cuts > CUTS * LIVES
    assert trial.checkpoints > LIVES, "there were hardly any checkpoints: the test shows little"


async def test_a_weaker_pragma_would_lose_what_was_acknowledged(sqlite_url: str) -> None:
    trial = trial_of(sqlite_url, SEEDS[0], "NORMAL")

    await trial.run(1)

    assert set(trial.faults) == {LOST}


async def test_the_service_writes_by_a_connection_that_syncs_each_commit(sqlite_url: str) -> None:
    def look(connection: Connection) -> list[Any]:
        names = ("journal_mode", "synchronous", "wal_autocheckpoint", "foreign_keys")
        return [connection.execute(sql(f"PRAGMA {name}")).scalar_one() for name in names]

    database = open_database(sqlite_url)
    try:
        assert await database.write(look) == ["wal", FULL, pragmas.CHECKPOINT_PAGES, 1]
    finally:
        await database.close()
