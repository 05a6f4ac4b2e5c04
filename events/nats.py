"""NATS: word of where the log has got to, from the instance that wrote to all that read.

    nats = Nats(address, database, heard=feed.ring)
    await nats.start()
    nats.ring()                      # events were committed here

What travels is the log's end: two numbers, nothing of points and nothing of people. Whoever hears
of a later end than it knew reads the log. So the database stays the only truth, and whatever NATS
loses, repeats, mixes up or makes up costs time and never an event.

A word is told after the commit, its `Nats-Msg-Id` being the end that it tells of: two instances
that see the same end tell it once. What was committed and not told of, since an instance died or
NATS was away, is told by whichever instance next sees that the log has got further than the last
word: each looks every SWEEP_S.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError

from events.log import LogEnd, log_end
from models.database import Database, DatabaseError

SWEEP_S: Final = 1.0
"""How often the log's end is held against the last word."""

RETRY_S: Final = 0.5
"""How long to rest before NATS is tried again."""

ANSWER_S_MAX: Final = 2.0
"""How long NATS may take to answer."""

HEARTBEAT_S: Final = 1.0
"""How often NATS is asked for a sign of life, and gives one; after two that are missing it is away.
"""

CLOSE_S_MAX: Final = 1.0
"""How long hanging up may take, and how long it takes until it is tried again."""

CANCELS_MAX: Final = 3

REPLICAS: Final = 3
"""How many servers of a cluster keep the stream. One that is alone keeps it alone."""

WORDS_MAX: Final = 100
"""How many words are kept: one would do, the last."""

WORD_BYTES_MAX: Final = 1_024
SAME_WORD_S: Final = 120
"""How long a word that was told is not told again."""

NOT_CLUSTERED: Final = 10074
TOO_FEW_SERVERS: Final = 10005
KEPT_OTHERWISE: Final = 10058

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Address:
    """Which servers, and by which name installations that share them are kept apart."""

    servers: tuple[str, ...]
    stream: str = "tuppence"

    @property
    def subject(self) -> str:
        """Under which words are told."""
        return f"{self.stream}.log"


def unnoted(_way: str) -> None:
    """What is called where nobody counts words."""


class Away(Exception):
    """The connection to NATS has ended."""


class Nats:
    """Tells other instances where the log has got to, and calls `heard` when they tell it.

    While NATS is away it tries again, and nobody waits for it. `noted` is called with each word's
    way: it was `told` here, or `heard` of another.
    """

    def __init__(
        self,
        address: Address,
        database: Database,
        heard: Callable[[], None],
        noted: Callable[[str], None] = unnoted,
    ) -> None:
        """Nothing is connected before `start`."""
        self._address = address
        self._database = database
        self._heard = heard
        self._noted = noted
        self._rung = asyncio.Event()
        self._last = LogEnd(0, 0)
        self._lost = False
        self._missed = False
        self._task: asyncio.Task[None] | None = None
        self.connected = False

    async def start(self) -> None:
        """Begin to connect. Nobody waits until it is done."""
        self._task = asyncio.create_task(self._run(), name="nats")

    async def close(self) -> None:
        """Hang up."""
        task, self._task = self._task, None
        for _ in range(CANCELS_MAX):  # nats-py keeps to itself that it was cancelled, at times
            if task and not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=CLOSE_S_MAX)

    def ring(self) -> None:
        """Something was committed here: tell the others."""
        self._rung.set()

    # ── one connection after another ─────────────────────────────────────────────────────────────

    async def _run(self) -> None:
        while True:
            try:
                await self._talk()
            except (NatsError, Away, OSError, TimeoutError) as error:
                self._miss(type(error).__name__)
            except Exception as error:
                log.exception("nats failed")
                self._miss(type(error).__name__)
            await asyncio.sleep(RETRY_S)

    def _miss(self, reason: str) -> None:
        self.connected = False
        if not self._missed:  # said once: each further try would say the same
            log.warning("nats is away; instances look at the log", reason=reason)
        self._missed = True

    async def _lose(self) -> None:
        self._lost = True
        self._rung.set()

    async def _talk(self) -> None:
        """Hear and tell until the connection ends. Raises Away, or what NATS raises."""
        async with _connected(self._address.servers, self._lose) as client:
            self._lost = False  # it was, as often as no server was there
            stream = client.jetstream(timeout=ANSWER_S_MAX)
            await _open_stream(stream, self._address)
            await stream.subscribe(
                self._address.subject,
                stream=self._address.stream,
                cb=self._hear,
                ordered_consumer=True,
                idle_heartbeat=HEARTBEAT_S,
                deliver_policy=DeliverPolicy.LAST,
            )
            self.connected, self._missed = True, False
            log.info("nats is connected")
            self._rung.clear()  # what was written meanwhile may have been written elsewhere
            while not self._lost:
                await self._tell(stream)
                with suppress(TimeoutError):
                    async with asyncio.timeout(SWEEP_S):
                        await self._rung.wait()
        raise Away

    # ── telling and hearing ──────────────────────────────────────────────────────────────────────

    async def _tell(self, stream: JetStreamContext) -> None:
        """Tell of the log's end, if it is later than the last word."""
        last, rung = self._last, self._rung.is_set()
        self._rung.clear()
        try:
            end = await self._database.read(log_end)
        except DatabaseError:
            return  # the feed says so
        if end < last:
            # An older state of the database was brought back. What was written to it since then
            # was told of by nobody who still took the later end for true.
            self._last = end
            self._heard()
        if end <= self._last:
            return
        if not rung:  # it was written elsewhere, and nobody told
            self._heard()
        await stream.publish(
            self._address.subject,
            orjson.dumps(end._asdict()),
            timeout=ANSWER_S_MAX,
            stream=self._address.stream,
            headers={"Nats-Msg-Id": f"{end.position}.{end.erasures}"},
        )
        self._last = max(self._last, end)
        self._noted("told")

    async def _hear(self, message: Msg) -> None:
        end = _read(message.data)
        if end is None:
            log.warning("nats carried what is no word of a log")
        elif end > self._last:
            self._last = end
            self._noted("heard")
            self._heard()


def _read(word: bytes) -> LogEnd | None:
    try:
        told = orjson.loads(word)
        return LogEnd(int(told["position"]), int(told["erasures"]))
    except (ValueError, TypeError, KeyError):
        return None


@asynccontextmanager
async def _connected(
    servers: tuple[str, ...], lost: Callable[[], Awaitable[None]]
) -> AsyncIterator[Client]:
    """A connection to one of the servers; `lost` is called when it ends, or anything goes wrong."""

    async def failed(error: Exception) -> None:
        log.debug("nats told of an error", reason=type(error).__name__)
        await lost()

    client = Client()
    try:
        await client.connect(
            list(servers),
            name="tuppence",
            allow_reconnect=False,  # we do, and ask then for what was told meanwhile
            connect_timeout=round(ANSWER_S_MAX),
            reconnect_time_wait=RETRY_S,  # pyright: ignore[reportArgumentType] - it may be a part
            ping_interval=round(HEARTBEAT_S),
            max_outstanding_pings=2,
            closed_cb=lost,
            error_cb=failed,
        )
        yield client
    finally:  # also if it was given up while it connected
        with suppress(NatsError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_S_MAX):
                await client.close()
        # It says goodbye first, and a server that stands still doesn't hear it.
        line = client._transport  # noqa: SLF001 - there is no other way to hang up  # pyright: ignore[reportPrivateUsage]
        if line is not None:
            line.close()


async def _open_stream(stream: JetStreamContext, address: Address) -> None:
    """Make the stream, if it isn't there; one that its keeper made otherwise is taken as it is."""
    wanted = StreamConfig(
        name=address.stream,
        description="Where the log of Tuppence has got to.",
        subjects=[address.subject],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        max_msgs=WORDS_MAX,
        max_msg_size=WORD_BYTES_MAX,
        duplicate_window=SAME_WORD_S,
        num_replicas=REPLICAS,
    )
    for replicas in (REPLICAS, 1):
        try:
            await stream.add_stream(wanted.evolve(num_replicas=replicas))
        except APIError as error:
            if error.err_code == KEPT_OTHERWISE:
                return
            if error.err_code not in {NOT_CLUSTERED, TOO_FEW_SERVERS}:
                raise
        else:
            return
