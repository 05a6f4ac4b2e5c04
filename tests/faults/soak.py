"""The soak: troubles of all kinds at random moments, for as long as it is told.

    python -m tests.faults.soak --seconds 1200 --seed 7

It goes in rounds of a few minutes, each on a database and with a history of its own, so that
neither memory nor rows grow with the time. The seed says what is done when; what becomes of it
depends on the machine. It ends with 1, and says where the history is kept, if anything is found.
"""

import asyncio
import random
import secrets
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Final

from tests.conftest import migrate
from tests.faults.trial import TEMPLATE, Shape, Trial, trying
from tests.faults.troubles import Deck
from tests.harness.nats import Nats, nats_cluster, nats_server
from tests.harness.postgres import Postgres
from tests.histories.history import Finding
from tests.histories.recorder import keep

ROUND_S_MAX: Final = 180.0
REST_S_MAX: Final = 3.0
TOGETHER: Final = 0.3  # two troubles at once
TOLD_EVERY_S: Final = 10.0
RATE: Final = 40.0
SHOWN_MAX: Final = 20
LINE_MAX: Final = 600

Say = Callable[[str], None]


async def trouble(trial: Trial, chance: random.Random, deck: Deck, say: Say) -> None:
    """One trouble or two at once, from its beginning until it is undone, and a rest."""
    some = [deck.draw() for _ in range(1 + (chance.random() < TOGETHER))]
    say(" and ".join(each.__name__ for each in some))
    # Each has chance of its own: what one draws must not depend on how far the other is.
    await asyncio.gather(*(each(trial, random.Random(chance.random())) for each in some))
    await asyncio.sleep(chance.uniform(0, REST_S_MAX))


# ── a round ──────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def some_nats(chance: random.Random) -> AsyncIterator[tuple[Nats, ...]]:
    """One server, a cluster, or none."""
    kind = chance.choice(("none", "one", "one", "cluster"))
    if kind == "one":
        async with nats_server() as server:
            yield (server,)
    elif kind == "cluster":
        async with nats_cluster() as servers:
            yield tuple(servers)
    else:
        yield ()


async def run_round(
    postgres: Postgres, folder: Path, seed: int, seconds: float, say: Say
) -> list[Finding]:
    """Trouble a trial, and give what was found."""
    chance = random.Random(seed)
    async with some_nats(chance) as servers:
        shape = Shape(
            instances=chance.randint(2, 4),
            followers=chance.choice((8, 30)),
            rate=RATE,
            nats=servers,
        )
        say(f"seed {seed}: {shape.instances} instances, {len(servers)} NATS")
        async with trying(postgres, folder, shape, seed) as trial:
            telling = asyncio.create_task(tell(trial, say))
            try:
                deck, end = Deck(trial, chance), monotonic() + seconds
                while monotonic() < end:
                    await trouble(trial, chance, deck, say)
                found = await trial.findings()
            except Exception as error:  # noqa: BLE001 - whatever it was, it is looked into later
                found = [Finding("the soak itself failed", f"{type(error).__name__}: {error}")]
            finally:
                telling.cancel()
                with suppress(asyncio.CancelledError):
                    await telling
            say(progress(trial))
            if found:
                keep(trial.recorder.history, folder / "history.jsonl")
            return found


async def tell(trial: Trial, say: Say) -> None:
    while True:
        await asyncio.sleep(TOLD_EVERY_S)
        say(progress(trial))


def progress(trial: Trial) -> str:
    heard = sum(len(sub.heard) for each in trial.followers.followers for sub in each.subscriptions)
    recorder = trial.recorder
    return (
        f"{recorder.answered} answered, {recorder.turned_away} told to come back,"
        f" {heard} events heard over {trial.followers.connections} connections"
    )


# ── the whole ────────────────────────────────────────────────────────────────────────────────────


async def soak(folder: Path, seed: int, seconds: float, say: Say) -> list[Finding]:
    """Round after round, until the time is over or anything is found."""
    postgres, end, number = Postgres.start(careful=True), monotonic() + seconds, 0
    try:
        migrate(postgres.create(TEMPLATE))
        while (left := end - monotonic()) > 0:
            length = min(left, ROUND_S_MAX)
            found = await run_round(
                postgres, folder / f"round-{number}", seed + number, length, say
            )
            if found:
                return found
            number += 1
        return []
    finally:
        postgres.stop()


def main() -> int:
    """Run it; 0 if nothing was found."""
    parser = ArgumentParser(prog="soak")
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    folder, begun = Path(tempfile.mkdtemp(prefix="tuppence-soak-")), monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"{monotonic() - begun:7.1f} s  {text}\n")
        sys.stdout.flush()

    say(f"SEED={seed} SECONDS={given.seconds:g}, in {folder}")
    found = asyncio.run(soak(folder, seed, given.seconds, say))
    for each in found[:SHOWN_MAX]:
        say(str(each)[:LINE_MAX])
    if found:
        say(f"{len(found)} findings; the history and the logs are in {folder}")
        return 1
    shutil.rmtree(folder)
    say("nothing was found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
