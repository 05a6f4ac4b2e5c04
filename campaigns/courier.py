"""The courier: carries what is due. Claims, pays or renders and sends, settles.

    courier = Courier(means)
    handled = await courier.work()        # all that is due now, until nothing is
    handled = await courier.step()        # a part of it, again and again while the service runs

Nothing is sent inside a unit of work. Many parcels are on their way at once; those that land are
settled together, so that one slow receiver holds up its own parcels alone.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import orjson
import structlog
from sqlalchemy import Connection

from campaigns import claims, rewards
from campaigns.cargo import Cargo, load
from campaigns.channels.parcels import Parcel, Receipt, rejected, sent
from campaigns.channels.retries import is_repeatable
from campaigns.channels.switchboard import Channels
from campaigns.claims import Claimed
from campaigns.liquid import (
    Aborted,
    MissingProperty,
    Rendered,
    Renderer,
    RendererUnavailable,
    Template,
)
from campaigns.listeners import Versions
from campaigns.records import Channel
from campaigns.settling import Landing, Message, Outcome, Paid, Postponed, settle
from campaigns.situations import LEASE_US, Situations
from events.audit import SERVICE
from ledger import Ledger, Overloaded
from ledger.commands import Owner
from models.collisions import until_it_stands
from models.database import Database, DatabaseError

IN_FLIGHT_MAX: Final = 64
"""How many parcels are on their way at once."""

CLAIMED_MAX: Final = 16
"""How many one unit of work claims: on SQLite, the ledger waits for it."""

LAND_S: Final = 0.25
"""How long what has room waits for a parcel to land before it looks for more to send."""

log = structlog.get_logger()

P = ParamSpec("P")
T = TypeVar("T")
Clock = Callable[[], int]
Passed = Callable[[str], None]


def unwatched(_step: str) -> None:
    """What is called after each step where nobody watches."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the courier works with. `chance` is from 0 up to 1; `passed` hears of each step.

    `lease_us` is by the clock: longer on one that runs faster than ours.
    """

    database: Database
    clock: Clock
    ledger: Ledger
    renderer: Renderer
    ways: Channels
    versions: Versions
    chance: Callable[[], float]
    changed: Callable[[], None]
    passed: Passed = unwatched
    lease_us: int = LEASE_US

    async def commit(
        self,
        unit: Callable[Concatenate[Connection, int, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a unit of work, given the instant at which it runs; again if it collides."""

        async def write() -> T:
            return await self.database.write(unit, self.clock(), *args, **kwargs)

        return await until_it_stands(write)


class Courier:
    """Carries deliveries."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self.situations = Situations(means.ways, is_repeatable, means.lease_us)
        self._flying: set[asyncio.Task[list[Landing]]] = set()
        self._landed: list[Landing] = []

    async def work(self) -> int:
        """Carry all that is due, until nothing is; gives how many deliveries were dealt with."""
        handled = 0
        while some := await self.step():
            handled += some
        return handled

    async def step(self) -> int:
        """Send off what there is room for, and settle what has landed; 0 when nothing is left."""
        handled = await self._fill()
        return handled + await self._land(LAND_S)

    async def drain(self, seconds: float) -> None:
        """Send off nothing more, and settle what lands within so many seconds.

        What is still on its way then is given up: its lease says the rest.
        """
        with suppress(TimeoutError, DatabaseError):
            async with asyncio.timeout(seconds):
                while await self._land(seconds):
                    pass
        for flight in self._flying:
            flight.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)
        self._flying.clear()

    async def _fill(self) -> int:
        """Claim as much as there is room for, and send it off; gives how many were looked at."""
        room = min(CLAIMED_MAX, IN_FLIGHT_MAX - len(self._flying))
        if room <= 0 or not await self._means.database.read(claims.is_due, self._means.clock()):
            return 0
        means = self._means
        looked, claimed = await means.commit(claims.take, room, means.versions, self.situations)
        if looked:
            means.changed()
        if claimed:
            means.passed("claimed")
            await self._send_off(claimed)
        return looked

    async def carry(self, claimed: Sequence[Claimed]) -> None:
        """Carry these now, apart from what is due, and settle them."""
        means = self._means
        cargos = await means.database.read(load, claimed, means.clock())
        landings = [one for group in _grouped(cargos) for one in await self._carry(group)]
        await means.commit(settle, landings)
        means.changed()

    async def _send_off(self, claimed: Sequence[Claimed]) -> None:
        cargos = await self._means.database.read(load, claimed, self._means.clock())
        for group in _grouped(cargos):
            self._flying.add(asyncio.create_task(self._carry(group), name="courier"))

    async def _land(self, seconds: float) -> int:
        """Wait for parcels to land, and settle all that have; 0 when none is on its way."""
        awaited = len(self._flying)
        if self._flying:
            done, self._flying = await asyncio.wait(
                self._flying, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            self._landed += [landing for flight in done for landing in flight.result()]
        if self._landed:  # kept until it is written, should the database fail
            await self._means.commit(settle, self._landed)
            self._landed = []
            self._means.passed("settled")
            self._means.changed()
        return awaited

    # ── one step of one delivery ─────────────────────────────────────────────────────────────────

    async def _carry(self, cargos: Sequence[Cargo]) -> list[Landing]:
        """Pay or send what is in hand, and tell what came of it. Whatever happens, it lands."""
        try:
            if len(cargos) > 1 or _is_upload(cargos[0]):
                return await self._upload(cargos)
            [cargo] = cargos
            return [await (self._pay(cargo) if _pays(cargo) else self._send(cargo))]
        except (Overloaded, DatabaseError, RendererUnavailable) as error:
            log.warning("deliveries have to wait", reason=type(error).__name__)
            return [self._landing(cargo, Postponed()) for cargo in cargos]
        except Exception as error:
            log.exception("deliveries could not be carried")
            fault = rejected(f"our own fault, see the log: {type(error).__name__}")
            return [self._landing(cargo, fault) for cargo in cargos]

    def _landing(self, cargo: Cargo, outcome: Outcome, message: Message | None = None) -> Landing:
        claimed = cargo.claimed
        channel = claimed.channel if claimed.step == "MESSAGE" else None
        return Landing(
            claimed.delivery.id,
            claimed.delivery.campaign_id,
            claimed.delivery.attempts,
            cargo.now,
            outcome,
            _has_message(claimed),
            channel and channel.id,
            channel and channel.kind,  # type: ignore[arg-type]
            message,
            self._means.chance(),
        )

    async def _pay(self, cargo: Cargo) -> Landing:
        plan, one = cargo.claimed.compiled.plan, cargo.claimed.delivery
        assert plan.reward, "what is paid is a reward"
        assert cargo.pays_in, "a reward is paid in a program"
        points = rewards.amount(plan.reward, dict(cargo.properties), cargo.pays_in)
        if points is None:
            return self._landing(cargo, MissingProperty(f"Event.{plan.reward.percent_of}"))
        if points == 0:
            return self._landing(cargo, Paid(None, "the reward comes to 0 points"))
        owner = Owner(cargo.member.identity, cargo.pays_in.name)
        credit = rewards.command(one.id, one.campaign_id, plan.reward, points, owner)
        outcome = await self._means.ledger.submit(credit, SERVICE)
        self._means.passed("paid")
        refusal = outcome.refusal and outcome.refusal.message
        return self._landing(cargo, Paid(outcome.transaction_id, refusal))

    async def _send(self, cargo: Cargo) -> Landing:
        claimed = cargo.claimed
        assert claimed.channel, "a message goes by a channel"
        message = await self._write(cargo)
        if not isinstance(message, Message):
            return self._landing(cargo, message)
        self._means.passed("rendered")
        parcel = cargo.parcel(message.subject, message.body, message.html)
        receipt = await self._hand_over(claimed.channel, parcel)
        self._means.passed("sent")
        return self._landing(cargo, receipt, message)

    async def _hand_over(self, channel: Channel, parcel: Parcel) -> Receipt:
        if channel.kind == "INBOX":
            return sent()  # the row is written as the delivery is settled
        settings, secrets = orjson.loads(channel.settings), orjson.loads(channel.secrets)
        kind: Any = channel.kind
        return await self._means.ways.send(kind, settings, secrets, parcel)

    async def _upload(self, cargos: Sequence[Cargo]) -> list[Landing]:
        """Send many events at once."""
        channel = cargos[0].claimed.channel
        assert channel, "an upload goes by a channel"
        landings: list[Landing] = []
        ready: list[tuple[Cargo, Message]] = []
        for cargo in cargos:
            message = await self._write(cargo)
            if isinstance(message, Message):
                ready.append((cargo, message))
            else:
                landings.append(self._landing(cargo, message))
        if ready:
            parcels = [cargo.parcel(text.subject, text.body, text.html) for cargo, text in ready]
            settings, secrets = orjson.loads(channel.settings), orjson.loads(channel.secrets)
            receipts = await self._means.ways.send_to_clevertap(settings, secrets, parcels)
            self._means.passed("sent")
            landings += [
                self._landing(cargo, receipt, text)
                for (cargo, text), receipt in zip(ready, receipts, strict=True)
            ]
        return landings

    async def _write(self, cargo: Cargo) -> Message | Outcome:
        """The message, as it was written for an earlier attempt or as it is rendered now."""
        one, compiled = cargo.claimed.delivery, cargo.claimed.compiled
        if one.body is not None:
            return Message(one.subject, one.body, one.html)
        if compiled.plan.message is None:
            return Message(None, None, None)
        asked = compiled.plan.message
        template = Template(asked.subject, asked.body, asked.html)
        key = f"{one.campaign_id}/{'test ' + one.id if one.is_test else one.version}"
        written = await self._means.renderer.render(key, template, cargo.scene())
        if not isinstance(written, Rendered):
            return written
        if not written.body.strip():
            return Aborted("nothing is left of the message")
        return Message(written.subject, written.body, written.html)


def _pays(cargo: Cargo) -> bool:
    return cargo.claimed.step == "REWARD"


def _has_message(claimed: Claimed) -> bool:
    plan = claimed.compiled.plan
    return plan.message is not None or plan.channel_id is not None


def _is_upload(cargo: Cargo) -> bool:
    channel = cargo.claimed.channel
    return not _pays(cargo) and channel is not None and channel.kind == "CLEVERTAP"


def _grouped(cargos: Sequence[Cargo]) -> list[list[Cargo]]:
    """Each parcel by itself, but those that a channel takes many of at once."""
    uploads: dict[str, list[Cargo]] = {}
    groups: list[list[Cargo]] = []
    for cargo in cargos:
        if _is_upload(cargo):
            assert cargo.claimed.channel
            uploads.setdefault(cargo.claimed.channel.id, []).append(cargo)
        else:
            groups.append([cargo])
    return groups + list(uploads.values())
