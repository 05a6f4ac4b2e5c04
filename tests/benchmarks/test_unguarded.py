"""Tuppence without its guard, by which its cost is measured: a credit's work and nothing else."""

from pathlib import Path

from benchmarks import operations
from benchmarks.guard import count_audited
from benchmarks.rounds import Contender, check_nothing_lost, fill_wallets
from benchmarks.servers import running

CREDITS = 40


def test_it_credits_and_writes_nobody_down(tmp_path: Path) -> None:
    with running("unguarded", tmp_path, operations.first_request()) as server:
        filled = fill_wallets(server, 2, CREDITS // 2)
        page = server.ask(operations.read(1, CREDITS))

    check_nothing_lost(Contender(server, filled=filled))
    assert filled == CREDITS
    assert len(page["wallet"]["transactions"]["edges"]) == CREDITS // 2  # type: ignore[index]
    assert count_audited(server) == 0
