"""Context: what the resolvers of one operation share."""

import asyncio
from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

import strawberry
from sqlalchemy import Connection

from access.door import Door
from access.principal import Principal
from access.rates import Rates
from campaigns.desk import Campaigns
from events.audit import Actor
from events.feed import Feed
from graph.access import Sight
from graph.courses import Begun
from graph.deadlines import Deadlines
from graph.faults import Untold
from graph.limits import Limits
from graph.telemetry import Telemetry
from ledger import Ledger, Outcome
from ledger.commands import Command, Credit
from ledger.refusals import InvalidInput
from models.collisions import until_it_stands
from models.database import Database, DatabaseError

if TYPE_CHECKING:
    from graph.documents import Prepared
    from graph.loaders import Loaders

P = ParamSpec("P")
T = TypeVar("T")


class Service(Protocol):
    """What the edge needs of the service."""

    @property
    def database(self) -> Database: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def campaigns(self) -> Campaigns: ...
    @property
    def feed(self) -> Feed: ...
    @property
    def door(self) -> Door: ...
    @property
    def rates(self) -> Rates: ...
    @property
    def clock(self) -> Callable[[], int]: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def deadlines(self) -> Deadlines: ...
    @property
    def introspection(self) -> bool: ...
    @property
    def compiled(self) -> bool: ...
    @property
    def graphiql(self) -> bool: ...
    @property
    def telemetry(self) -> Telemetry: ...
    @property
    def origins(self) -> Container[str]: ...


class Context:
    """One operation: who asks, when, and what was loaded for it.

    The clock is read once, so that all of an answer is of one instant. A mutation and an event of
    a subscription each `renew` it: what was loaded before them isn't true after them.
    """

    def __init__(
        self,
        service: Service,
        principal: Principal,
        request_id: str,
        new_loaders: "Callable[[Context], Loaders]",
    ) -> None:
        """`request_id` names the request in logs, errors and the audit trail.

        `prepared` is the operation, once it is known: see graph.documents. `begun` is a
        subscription that follows a course.
        """
        self.service = service
        self.prepared: Prepared | None = None
        self.begun: Begun | None = None
        self._ends_at: float | None = None
        self.principal = principal
        self.sight = Sight(principal.identity)
        self.request_id = request_id
        self.ledger = service.ledger
        self.campaigns = service.campaigns
        self.feed = service.feed
        self._new_loaders = new_loaders
        self.renew()

    def renew(self) -> None:
        """Begin anew: now is now, and nothing is loaded."""
        self._now: int | None = None
        self.loaders = self._new_loaders(self)

    def again(self) -> "Context":
        """A context for another operation of the same principal, or another event."""
        return Context(self.service, self.principal, self.request_id, self._new_loaders)

    @property
    def ends_at(self) -> float:
        """When an operation's time is over, by the loop's; it begins when it is first asked for."""
        if self._ends_at is None:
            seconds = self.service.limits.execution_seconds
            self._ends_at = asyncio.get_running_loop().time() + seconds
        return self._ends_at

    @property
    def actor(self) -> Actor:
        """Who is written down for what this operation changes. Members change nothing."""
        assert self.principal.kind != "MEMBER", "a member makes no change"
        key_id = self.principal.id if self.principal.kind == "KEY" else None
        return Actor(self.principal.kind, key_id, self.request_id)

    @property
    def now(self) -> int:
        """The instant of which the answer is."""
        if self._now is None:
            self._now = self.service.clock()
        return self._now

    async def read(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a short read, in one hop."""
        return await self.service.database.read(work, *args, **kwargs)

    async def survey(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a read that may take long, beside the short ones."""
        return await self.service.database.survey(work, *args, **kwargs)

    async def write(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a unit of work that is not the ledger's; again if it collides."""

        async def write() -> T:
            return await self.service.database.write(work, *args, **kwargs)

        return await until_it_stands(write)

    async def submit(self, command: Command) -> Outcome:
        """Submit a command; a replay's transaction and wallet are read, for a payload to show.

        Raises Untold where it can't be read, which says nothing of whether it is done.
        """
        self.renew()
        outcome = await self.ledger.submit(command, self.actor)
        await self._complete([outcome])
        return outcome

    async def submit_batch(self, credits: Sequence[Credit]) -> list[Outcome] | InvalidInput:
        """Submit credits together; each stands or falls alone."""
        self.renew()
        outcomes = await self.ledger.submit_batch(credits, self.actor)
        if isinstance(outcomes, list):
            await self._complete(outcomes)
        return outcomes

    async def _complete(self, outcomes: Sequence[Outcome]) -> None:
        try:
            await self.loaders.complete(outcomes)
        except DatabaseError as error:
            raise Untold from error


Info = strawberry.Info[Context, None]
