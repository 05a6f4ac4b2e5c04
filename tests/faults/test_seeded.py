"""Troubles by chance, a few of them; `make soak` goes on for as long as it is told."""

import random
from pathlib import Path

import pytest

from tests.faults.soak import trouble
from tests.faults.trial import Shape, trying
from tests.faults.troubles import Deck
from tests.harness.nats import nats_server
from tests.harness.postgres import Postgres

TROUBLES = 4


@pytest.mark.parametrize("seed", [20261129])
async def test_whatever_happens_all_that_was_promised_is_kept(
    careful_postgres: Postgres, tmp_path: Path, seed: int
) -> None:
    async with nats_server() as nats:
        shape = Shape(instances=2, rate=40, nats=(nats,))
        async with trying(careful_postgres, tmp_path, shape, seed) as trial:
            chance = random.Random(seed)
            deck = Deck(trial, chance)
            for _ in range(TROUBLES):
                await trouble(trial, chance, deck, print)

            await trial.ends_well()
