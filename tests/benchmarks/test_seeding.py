"""What the benchmark writes in bulk: books that close, as if each row had been asked for."""

from pathlib import Path

from benchmarks import operations
from benchmarks.history import OLDEST, deep_bodies, wallet_of
from benchmarks.rounds import count_transactions
from benchmarks.seeding import add_wallets, lengthen
from benchmarks.servers import Server, running
from tests.harness.processes import tuppence

COUNT = 3 * OLDEST


def check(server: Server) -> None:
    checked = tuppence("check", database_url=f"sqlite:///{server.database}")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def credit(server: Server, member: int, serial: int) -> dict[str, dict[str, dict[str, object]]]:
    told = server.ask(operations.credit(member).replace(operations.SERIAL, f"{serial:020}"))
    return told["creditPoints"]  # type: ignore[return-value]


def test_wallets_and_histories_in_bulk_are_sound_ones_and_go_on(tmp_path: Path) -> None:
    with running("tuppence", tmp_path, operations.first_request()) as server:
        wallet = wallet_of(server)
    add_wallets(server.database, COUNT)
    lengthen(server.database, wallet, COUNT)

    with running("tuppence", tmp_path, operations.first_request()) as server:
        deep_bodies(server, COUNT)  # which looks for the oldest
        empty = server.ask(operations.balance(COUNT - 1))
        nobody = server.ask(operations.balance(COUNT))
        first = credit(server, COUNT - 1, 7)
        body = operations.debit(0, 12 * COUNT).replace(operations.SERIAL, f"{8:020}")
        taken = server.ask(body)["debitPoints"]

    assert empty["wallet"]["balance"] == {"active": 0, "promised": 0, "held": 0}  # type: ignore[index]
    assert nobody == {"wallet": None}
    assert first["transaction"]["sequence"] == 1
    assert first["wallet"]["id"] == empty["wallet"]["id"]  # type: ignore[index]
    assert taken["transaction"]["sequence"] == COUNT + 1  # type: ignore[index]
    assert taken["wallet"]["balance"]["active"] == 0  # type: ignore[index]
    assert count_transactions(server) == COUNT + 2
    check(server)
