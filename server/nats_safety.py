"""Whether NATS is set so that what it says to have is on its disks, for `tuppence check`.

Nothing that it loses is lost to Tuppence, whose truth is the database: but a server that loses its
stream makes instances slower to hear of each other, and whoever set it up should know.
"""

from typing import Any, Final

import httpx
import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import StorageType, StreamInfo
from nats.js.errors import APIError, NotFoundError

from events.nats import REPLICAS
from server.settings import Settings

ANSWER_S_MAX: Final = 5
NS: Final = 1_000_000_000


async def find_dangers(settings: Settings) -> list[str]:
    """What isn't safe about the servers that are set, in a sentence each; none if all is."""
    found = await _of_stream(settings.nats_url, settings.nats_stream)
    if not settings.nats_monitor_url:
        found.append(
            "NATS: nobody can say when it writes to its disks: name its monitors in"
            " TUPPENCE_NATS_MONITOR_URL."
        )
    async with httpx.AsyncClient(timeout=ANSWER_S_MAX, trust_env=False) as http:
        for monitor in settings.nats_monitor_url:
            found += await _of_server(http, monitor)
    return found


async def _of_stream(servers: tuple[str, ...], name: str) -> list[str]:
    try:
        client = await _connect(servers)
    except (NatsError, OSError, TimeoutError) as error:
        return [f"NATS: no server of TUPPENCE_NATS_URL answers ({type(error).__name__})."]
    try:
        stream = client.jetstream(timeout=ANSWER_S_MAX)
        return _judge(await stream.stream_info(name))
    except NotFoundError:
        return [f"NATS: there is no stream {name} yet: `tuppence serve` makes it."]
    except (APIError, NatsError, TimeoutError) as error:
        return [f"NATS: JetStream does not answer ({type(error).__name__})."]
    finally:
        await client.close()


async def _connect(servers: tuple[str, ...]) -> Client:
    async def passed_over(_error: Exception) -> None:
        """What keeps a server from answering: the next is tried, and the last is told of."""

    return await nats.connect(
        list(servers),
        name="tuppence check",
        connect_timeout=ANSWER_S_MAX,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        reconnect_time_wait=0,
        error_cb=passed_over,
    )


def _judge(stream: StreamInfo) -> list[str]:
    kept, name = stream.config, stream.config.name
    replicas = kept.num_replicas or 1
    found: list[str] = []
    if kept.storage != StorageType.FILE:
        found.append(f"NATS: the stream {name} is kept in memory only: make it anew, on disk.")
    if replicas < REPLICAS:
        found.append(
            f"NATS: the stream {name} has {replicas} of {REPLICAS} replicas: run {REPLICAS} servers"
            f" as a cluster, then `nats stream edit {name} --replicas={REPLICAS}`."
        )
    return found


async def _of_server(http: httpx.AsyncClient, monitor: str) -> list[str]:
    try:
        answer = await http.get(f"{monitor}/jsz", params={"config": "1"})
        told: Any = answer.raise_for_status().json()
        settings: dict[str, Any] = told["config"]
    except (httpx.HTTPError, ValueError, TypeError, KeyError) as error:
        return [f"NATS: {monitor} does not tell of JetStream ({type(error).__name__})."]
    if settings.get("sync_always"):
        return []
    seconds = int(settings.get("sync_interval", 0)) // NS
    cure = "set `jetstream { sync_interval: always }`"
    return [f"NATS: {monitor} writes to its disk every {seconds} s only: {cure}."]
