"""`tuppence check` tells what is unsafe about the NATS servers that are set."""

import pytest

from tests.harness.clock import VirtualClock
from tests.harness.nats import Nats, nats_cluster, nats_server
from tests.harness.patience import poll
from tests.harness.postgres import free_port
from tests.harness.processes import tuppence
from tests.harness.servers import running

SOUND = "0 wallets, 0 transactions: all is sound.\n"


def check(database_url: str, *servers: Nats, monitored: bool = True) -> str:
    monitors = [f"http://127.0.0.1:{each.monitor}" for each in servers] if monitored else []
    done = tuppence(
        "check",
        database_url=database_url,
        TUPPENCE_NATS_URL=" ".join(each.url for each in servers),
        TUPPENCE_NATS_MONITOR_URL=" ".join(monitors),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(SOUND)
    return done.stdout.removeprefix(SOUND)


async def serve_once(database_url: str, clock: VirtualClock, *servers: Nats) -> None:
    """Let an instance make its stream."""
    urls = tuple(each.url for each in servers)
    async with running(database_url, clock, nats_url=urls) as service:

        async def is_connected() -> bool:
            return service.inside.nats.connected

        assert await poll(is_connected)


async def test_a_cluster_that_syncs_always_is_safe(sqlite_url: str, clock: VirtualClock) -> None:
    async with nats_cluster() as servers:
        await serve_once(sqlite_url, clock, *servers)

        assert check(sqlite_url, *servers) == ""


async def test_one_server_that_syncs_now_and_then_is_not(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with nats_server(sync="2m") as server:
        await serve_once(sqlite_url, clock, server)

        assert check(sqlite_url, server) == (
            "NATS: the stream tuppence has 1 of 3 replicas: run 3 servers as a cluster, then"
            " `nats stream edit tuppence --replicas=3`.\n"
            f"NATS: http://127.0.0.1:{server.monitor} writes to its disk every 120 s only: set"
            " `jetstream { sync_interval: always }`.\n"
        )


async def test_what_cannot_be_known_is_said(sqlite_url: str) -> None:
    async with nats_server() as server:
        assert check(sqlite_url, server, monitored=False) == (
            "NATS: there is no stream tuppence yet: `tuppence serve` makes it.\n"
            "NATS: nobody can say when it writes to its disks: name its monitors in"
            " TUPPENCE_NATS_MONITOR_URL.\n"
        )
        server.kill()

        assert check(sqlite_url, server) == (
            "NATS: no server of TUPPENCE_NATS_URL answers (NoServersError).\n"
            f"NATS: http://127.0.0.1:{server.monitor} does not tell of JetStream (ConnectError).\n"
        )


@pytest.mark.parametrize(
    ("setting", "value", "wanted"),
    [
        ("NATS_URL", "http://nats-1:4222", "servers like nats://nats-1:4222 nats://nats-2:4222"),
        ("NATS_URL", "nats://a:b@", "servers like nats://nats-1:4222 nats://nats-2:4222"),
        ("NATS_STREAM", "two words", "1 to 64 letters, digits, _ and -, not 'two words'"),
        ("NATS_STREAM", "a.b", "1 to 64 letters, digits, _ and -, not 'a.b'"),
        ("NATS_MONITOR_URL", "nats-1", "addresses like http://nats-1:8222, not 'nats-1'"),
    ],
)
def test_what_is_no_address_is_refused(setting: str, value: str, wanted: str) -> None:
    more = {f"TUPPENCE_{setting}": value}

    done = tuppence("settings", database_url=None, cwd=None, **more)

    assert (done.returncode, done.stderr) == (2, f"TUPPENCE_{setting} must be {wanted}.\n")


def test_no_password_is_shown() -> None:
    servers = f"nats://tuppence:secret@127.0.0.1:{free_port()},tls://u:secret@[::1]:4222"

    told = tuppence("settings", TUPPENCE_NATS_URL=servers).stdout

    assert "secret" not in told
    assert "nats://tuppence:***@127.0.0.1" in told
