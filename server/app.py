"""The application: the storeys put together, opened in order and closed in the reverse.

/graphql   the API, and GraphiQL for a browser
/healthz   the process is up
/readyz    it can do its work: the database answers and is current, the ledger takes commands, and
           nobody has told it to stop
/metrics   numbers for Prometheus, for this machine and for keys with `admin`
/          leads to /graphql
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from access.door import Door
from access.rates import Rates
from campaigns.desk import Campaigns
from events.feed import Feed
from events.nats import Address, Nats
from graph.deadlines import Deadlines
from graph.faults import Refused
from graph.graphiql import page_routes
from graph.limits import Limits
from graph.spans import find_tracer
from graph.telemetry import Telemetry, tell
from graph.view import admit, graphql_app
from ledger import Ledger
from ledger.writer import BACKLOG_MAX
from models.database import Database, DatabaseError, open_database
from models.migrations import is_enough
from server import clock as wall
from server.clock import Clock
from server.draining import STOPPING, Drain
from server.first_key import open_first_key
from server.gate import Gate, refuse
from server.metrics import Metrics
from server.parsing import is_loopback
from server.planning import Bells, plan_campaigns, running
from server.providers import open_provider
from server.settings import Settings
from server.upkeep import NOT_CURRENT, bring_up_to_date
from server.workers import run_sweeper

GRAPHQL: Final = "/graphql"

POLL_S: Final = 0.25
"""How often the log is looked at where other instances may write it too."""

FORWARDING: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
METRICS_REFUSED: Final = "metrics are for keys with admin"

READY_S_MAX: Final = 2.0
"""How long the database may take to answer and still be called ready."""


@dataclass(frozen=True, slots=True)
class Service:
    """The storeys below the edge, as one service."""

    database: Database
    ledger: Ledger
    feed: Feed
    nats: Nats | None
    door: Door
    rates: Rates
    clock: Clock
    limits: Limits
    settings: Settings
    metrics: Metrics
    telemetry: Telemetry
    deadlines: Deadlines
    campaigns: Campaigns
    bells: Bells
    drain: Drain = field(default_factory=Drain)

    @classmethod
    def of(cls, settings: Settings, clock: Clock, developer_token: str | None = None) -> "Service":
        """A service that is yet to be opened."""
        database = open_database(settings.database_url)
        poll_s = None if settings.database_file else POLL_S
        feed, bells = Feed(database, poll_s=poll_s), Bells()

        metrics = Metrics()
        nats = _nats(settings, database, feed, metrics)

        def committed() -> None:
            feed.ring()
            bells.events.set()
            if nats:
                nats.ring()

        ledger = Ledger(database, clock, committed, metrics.note_commit)
        metrics.watch(ledger, feed, sweeper=settings.sweeper)
        if nats:
            metrics.watch_nats(nats)
        telemetry = Telemetry(metrics.registry, find_tracer())
        door = Door(database, clock, developer_token, open_provider(settings, clock))
        rates = Rates(settings.rate_key, settings.rate_member, settings.rate_stranger)
        return cls(
            database,
            ledger,
            feed,
            nats,
            door,
            rates,
            clock,
            settings.limits,
            settings,
            metrics,
            telemetry,
            Deadlines(),
            plan_campaigns(settings, database, clock, ledger, bells, poll_s),
            bells,
        )

    @property
    def origins(self) -> tuple[str, ...]:
        """Whose pages may call it besides its own."""
        return self.settings.origins

    @property
    def graphiql(self) -> bool:
        """Whether GraphiQL is served to browsers."""
        return self.settings.graphiql

    @property
    def compiled(self) -> bool:
        """Whether operations are compiled."""
        return self.settings.compiled

    @property
    def introspection(self) -> bool:
        """Whether the schema describes itself."""
        return self.settings.introspection

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Open what can be opened; close it, in the reverse order, however the block ends.

        Raises CannotRun, or what the database raises.
        """
        async with AsyncExitStack() as opened:
            opened.callback(tell)
            opened.push_async_callback(self.database.close)
            await bring_up_to_date(self.database, self.settings)
            await open_first_key(self.database, self.clock(), self.settings.admin_key)
            await self.door.start()
            opened.push_async_callback(self.door.close)
            await self.feed.start()
            opened.push_async_callback(self.feed.close)
            if self.nats:
                await self.nats.start()
                opened.push_async_callback(self.nats.close)
            await self.ledger.start()
            opened.push_async_callback(self.ledger.close)
            opened.push_async_callback(self.campaigns.close)
            if self.settings.sweeper:
                await opened.enter_async_context(_sweeping(self.ledger, self.metrics))
            if self.settings.campaigns:
                await opened.enter_async_context(running(self.campaigns, self.bells))
            yield

    async def obstacles(self) -> list[str]:
        """What keeps the service from doing its work, if anything does."""
        reasons = [STOPPING] if self.drain.is_begun else []
        try:
            async with asyncio.timeout(READY_S_MAX):
                if not await self.database.read(is_enough):
                    reasons.append(NOT_CURRENT)
        except (DatabaseError, TimeoutError):
            reasons.append("The database does not answer.")
        if self.ledger.backlog >= BACKLOG_MAX:
            reasons.append("The ledger has all the commands waiting that it takes.")
        return reasons


def _nats(settings: Settings, database: Database, feed: Feed, metrics: Metrics) -> Nats | None:
    if not settings.nats_url:
        return None
    address = Address(settings.nats_url, settings.nats_stream)
    return Nats(address, database, feed.ring, metrics.note_word)


@asynccontextmanager
async def _sweeping(ledger: Ledger, metrics: Metrics) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    sweeper = asyncio.create_task(run_sweeper(ledger, stopping, metrics.note_sweep), name="sweeper")
    try:
        yield
    finally:
        stopping.set()
        await sweeper


class Application(Starlette):
    """Starlette's, with nothing before what is outermost."""

    @override
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        scope["app"] = self
        assert self.middleware_stack, "it is put there when the application is made"
        return self.middleware_stack(scope, receive, send)


class Short:
    """The short way to the API; the router finds all else, and what is nearly so called."""

    def __init__(self, graphql: ASGIApp, others: ASGIApp) -> None:
        self._graphql = graphql
        self._others = others

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        is_short = scope["type"] == "http" and scope["path"] == GRAPHQL
        return (self._graphql if is_short else self._others)(scope, receive, send)


def create_app(
    settings: Settings, clock: Clock | None = None, developer_token: str | None = None
) -> Starlette:
    """The application, yet to be started; `app.state.service` is its service.

    Whoever shows the `developer_token` is an administrator, and so is the page.
    """
    service = Service.of(settings, clock or wall.now, developer_token)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with service.open():
            yield

    graphql = graphql_app(service)
    routes = [
        Route(GRAPHQL, graphql),
        WebSocketRoute(GRAPHQL, graphql),
        Route("/healthz", health),
        Route("/readyz", readiness),
        Route("/", welcome),
    ]
    if settings.graphiql:
        routes += page_routes()
    if settings.metrics:
        routes.append(Route("/metrics", metrics))
    app = Application(routes=routes, lifespan=lifespan)
    app.state.service = service
    # Without Starlette's own outermost layer: what fails is told by the gate, which is outside.
    others = ExceptionMiddleware(app.router, {HTTPException: refuse})
    app.middleware_stack = Gate(Short(graphql, others), settings)
    return app


async def health(_: Request) -> Response:
    """The process is up."""
    return JSONResponse({"up": True})


async def readiness(request: Request) -> Response:
    """Whether requests should be sent here, and why not."""
    service: Service = request.app.state.service
    reasons = await service.obstacles()
    if reasons:
        return JSONResponse({"ready": False, "reasons": reasons}, status_code=503)
    return JSONResponse({"ready": True})


async def metrics(request: Request) -> Response:
    """What the service is like, in numbers, for this machine and for keys with `admin`.

    Raises Refused, RateLimited, or what keeps the door shut.
    """
    service: Service = request.app.state.service
    if not is_near(request, service.settings):
        principal = await admit(service, request.scope)
        if not principal.has("admin"):
            raise Refused(HTTPStatus.FORBIDDEN, METRICS_REFUSED, "FORBIDDEN")
    return Response(await service.metrics.render(service.feed), media_type=CONTENT_TYPE_LATEST)


def is_near(request: Request, settings: Settings) -> bool:
    """Whether a process of this machine asks, and for nobody else as far as can be told.

    What a proxy sends on looks the same, but for what it says of where it came from.
    """
    if settings.behind_proxy or any(name in request.headers for name in FORWARDING):
        return False
    return request.client is not None and is_loopback(request.client.host)


async def welcome(_: Request) -> Response:
    """Lead whoever opens the bare address to the API."""
    return RedirectResponse("/graphql")
