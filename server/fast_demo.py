"""The fast demo: a service whose days pass in seconds, with a story that goes on by itself.

It has a folder of its own, which is made anew each time, and no database that anybody set: the
clock runs into years that are yet to come, and what is written by it would stand there for good.
"""

import asyncio
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from rich.console import Console
from typing_extensions import override

from campaigns.channels.instants import moment
from ledger import Ledger
from ledger.batch import Outcome
from ledger.commands import Credit, Debit, PlaceHold, Transfer
from models.notation import print_points
from server import clock as wall
from server.app import Service, create_app
from server.clock import FastClock
from server.connections import Config
from server.demo import OPEN_AT, Telling, play
from server.demo_campaigns import REMINDED_AFTER, Shown
from server.letters import tell
from server.listening import listen, origin, refuse_exposure
from server.logs import log_to_stderr
from server.receiver import HOST, Receiver, receiving
from server.serving import TOKEN_BYTES, Server, configuration, reaching_this_machine
from server.settings import CannotRun, Settings
from server.story import DAY, HOUR, Act, Plot, Story
from server.upkeep import bring_up_to_date, opened
from server.workers import run_worker

DAY_S: Final = 86_400
FOLDER: Final = Path("data/fast-demo")
MARK: Final = FOLDER / "THIS-IS-A-DEMO.txt"
MARKED: Final = (
    "Thrown away and made anew by each `tuppence demo --fast-clock`. Keep nothing here.\n"
)
DATABASE: Final = f"sqlite:///./{FOLDER}/tuppence.db"
CHANNEL: Final = "Demo receiver"

MEMBERS: Final = 40
DAYS: Final = 45
"""So long is the past that the fast demo begins with."""

REAL: Final = (
    "The fast demo has a database of its own, {folder}/, and runs on no other: its clock runs years"
    " ahead. Unset TUPPENCE_DATABASE_URL, or leave --fast-clock out."
)
NOT_OURS: Final = (
    "{folder}/ is there, and isn't a demo's ({mark} is missing): move it away, for the fast demo"
    " makes that folder anew."
)
INTRODUCTION: Final = """
GraphiQL, signed in:   {origin}/graphql
A key for programs:    {folder}/admin.key
A day takes {day_seconds} s. Guests earn and spend by themselves, and three campaigns run:

  Earned and not used    credited 20 {points} or more, some of which are there 3 days later
  A tenth on top         credited 100 {points} or more: a tenth of it, at once, and a message
  Use them in time       80 {points} or more of a credit expire within 14 days

Each message arrives in a frame below, signed, over HTTP. To be one of them, in GraphiQL:

  mutation {{
    upsertMember(input: {{ identity: "zoe", name: "Zoe" }}) {{ member {{ id }} }}
    creditPoints(input: {{ wallet: {{ owner: {{ identity: "zoe", program: "{program}" }} }}
                           points: 60, idempotencyKey: "zoe-1" }}) {{ wallet {{ id }} }}
  }}

Zoe is reminded in {wait_s} s; if debitPoints takes all of them before, she isn't. Ctrl-C ends it.
"""


def run(settings: Settings, plot: Plot, day_seconds: int, receiver_port: int) -> None:
    """Show it until SIGTERM or SIGINT. Raises CannotRun, and then has changed nothing."""
    own = _own(settings)
    refuse_exposure(own, dev=True)
    _refuse_real(settings)
    log_to_stderr(own.log_level, own.log_format)
    with listen(own.host, own.port) as listener, listen(HOST, receiver_port) as ear:
        _make_folder()
        console, now = Console(highlight=False), wall.now()
        shown = Shown(CHANNEL, ear.getsockname()[1], None)
        begun = asyncio.run(_begin(own, plot, now, shown, console))
        clock = FastClock(now, DAY_S // day_seconds)
        app = create_app(own, clock, secrets.token_urlsafe(TOKEN_BYTES))
        stage = Stage(begun.story, begun.dawn, app.state.service, console)
        hints = INTRODUCTION.format(
            origin=origin(listener),
            folder=FOLDER,
            day_seconds=day_seconds,
            program=plot.program,
            points="beans",
            wait_s=REMINDED_AFTER // DAY * day_seconds,
        )

        def greet() -> None:
            console.print(hints, markup=False, soft_wrap=True)

        receiver = Receiver(lambda: [begun.secret], clock, console)
        server = DemoServer(configuration(own, app), greet, stage, receiver, ear)
        server.run_until_told(listener)


def _own(settings: Settings) -> Settings:
    """What is asked of the service, in the demo's own folder, with all that the demo needs."""
    return reaching_this_machine(
        Settings(
            database_url=DATABASE,
            host=settings.host,
            port=settings.port,
            log_level="warning" if settings.log_level == "info" else settings.log_level,
            log_format=settings.log_format,
        )
    )


def _refuse_real(settings: Settings) -> None:
    """Raise CannotRun where a database was set, or the folder is somebody's."""
    if settings.database_url not in {Settings().database_url, DATABASE}:
        raise CannotRun(REAL.format(folder=FOLDER))
    if FOLDER.is_symlink() or (FOLDER.exists() and not MARK.is_file()):
        raise CannotRun(NOT_OURS.format(folder=FOLDER, mark=MARK.name))


def _make_folder() -> None:
    try:
        if FOLDER.exists():
            shutil.rmtree(FOLDER)
        FOLDER.mkdir(parents=True, mode=0o700)
        MARK.write_text(MARKED, encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"{FOLDER} can't be made anew: {error.strerror}.") from error


@dataclass(frozen=True, slots=True)
class Begun:
    """The past as it was told, and the secret that the campaigns' messages are signed with."""

    story: Story
    dawn: int
    secret: str


async def _begin(settings: Settings, plot: Plot, now: int, shown: Shown, console: Console) -> Begun:
    """Tell the past, and have the campaigns run."""
    async with opened(settings) as database:
        await bring_up_to_date(database, settings)
        telling = Telling(database, plot, now)
        await telling.tell(console)
        secret = await telling.open_campaigns(settings, shown)
        return Begun(telling.story, telling.dawn + plot.days * DAY, secret)


class Stage:
    """Where the story goes on: each scene is played when the service's clock comes to it."""

    def __init__(self, story: Story, dawn: int, service: Service, console: Console) -> None:
        """`dawn` is that of the first day to play."""
        self._story = story
        self._ledger: Ledger = service.ledger
        self._clock = service.clock
        self._console = console
        self._scenes = self._times(dawn)
        self._next = next(self._scenes)

    async def step(self) -> int:
        """Play the next scene if its time has come; gives how many were played."""
        day, at, is_last = self._next
        if self._clock() < at:
            return 0
        self._next = next(self._scenes)
        rewards = self._story.campaign(day, at) if is_last else []
        for acts in (rewards + self._story.scene(day, at), self._story.sequel()):
            for act, outcome in await play(self._ledger, self._story, acts):
                line = told(act, outcome)
                if line:
                    tell(self._console, f"{moment(at):%a %d %b}  {line}")
        return 1

    def _times(self, dawn: int) -> Iterator[tuple[int, int, bool]]:
        """The day and the instant of each scene, and whether it is the day's last."""
        for day in count(self._story.plot.days):
            for hour in OPEN_AT:
                at = dawn + hour * HOUR + self._story.chance.randrange(5 * HOUR)
                yield day, at, hour == OPEN_AT[-1]
            dawn += DAY


def told(act: Act, outcome: Outcome) -> str | None:
    """What a guest did, in a line; None for what came to nothing or is of no interest."""
    if outcome.transaction is None:
        return None
    name = act.guest.person.name
    match act.command:
        case Credit(points=points, active_at=None, description=why):
            return f"{name} earned {print_points(points)}: {why}"
        case Credit(points=points, description=why):
            return f"{name} is promised {print_points(points)}: {why}"
        case Debit(points=points, manual=False, description=why):
            return f"{name} spent {print_points(points)}: {why}"
        case PlaceHold(points=points):
            return f"{name} has {print_points(points)} set aside at the till"
        case Transfer(points=points, description=why):
            return f"{name} gave away {print_points(points)}: {why}"
        case _:
            return None


class DemoServer(Server):
    """The service, with the story that goes on in it, and the receiver beside it.

    The story ends before the service does, the receiver after: what is sent last arrives.
    """

    def __init__(
        self,
        config: Config,
        greet: Callable[[], None],
        stage: Stage,
        receiver: Receiver,
        ear: socket.socket,
    ) -> None:
        super().__init__(config, greet)
        self._stage = stage
        self._receiver = receiver
        self._ear = ear
        self._stopping = asyncio.Event()
        self._beside = AsyncExitStack()
        self._playing: asyncio.Task[None] | None = None

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            await self._beside.enter_async_context(receiving(self._ear, self._receiver))
            playing = run_worker("the demo's story", self._stage.step, self._stopping)
            self._playing = asyncio.create_task(playing, name="story")

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        if self._playing:
            await self._playing
        await super().shutdown(sockets)
        await self._beside.aclose()
