"""The demo: a program with members and what they did in the past year, told through the ledger.

Every row is written the way a caller's is, on a clock of the demo's own that begins a year ago and
ends now. The same plot tells the same story; only ids, and the day it ends on, differ.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import Connection, bindparam, func, select

from events.audit import TERMINAL
from ledger import Ledger
from ledger.batch import Outcome
from ledger.refusals import Refusal
from ledger.registry import CreateProgram, FreezeWallet, UpsertMember
from models.database import Database
from models.tables import transactions
from server.demo_campaigns import GUEST_OF, Shown, open_campaigns
from server.receiver import keep_secret, secrets_file
from server.settings import CannotRun, Settings
from server.story import DAY, HOUR, Act, Guest, Plot, Story
from server.upkeep import bring_up_to_date, opened

OPEN_AT: Final = (7, 14)
"""The hours from which each of a day's two scenes may begin."""
SEQUEL_AFTER: Final = HOUR // 10
MEMBERS: Final = 300
SUBMITTED_MAX: Final = 500
"""So many commands are submitted at once."""

_COUNT: Final = select(func.count()).where(transactions.c.program_id == bindparam("program_id"))

TRY: Final = """
Things to try, once `tuppence serve` runs, at http://{host}:{port}/graphql :

  {{ program(name: "{program}") {{
      summary {{ active promised held credited redeemed expired reversed }} }} }}

  {{ wallet(ref: {{ owner: {{ identity: "{identity}", program: "{program}" }} }}) {{
      balance {{ active promised held }} expiring {{ points expiresAt }}
      transactions(first: 10) {{ edges {{ node {{ kind points description effectiveAt }} }} }} }} }}

  {{ creditedNotRedeemed(program: "{program}", since: "{since}", minPoints: 20, first: 10) {{
      edges {{ node {{ member {{ name email }} balance {{ active }} }} }} }} }}

Three campaigns run in it from now on: a reminder of points that were not used for three days, a
bonus on large credits, a warning of what expires soon. `tuppence serve --dev` sends their messages
to this machine, and `tuppence receive --port {receiver_port}` shows them.
To see days pass in seconds: `tuppence demo --fast-clock`.

`tuppence check` verifies every row of it.
"""


class StoryClock:
    """The clock that the ledger is handed: it stands where the story is."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


async def tell(settings: Settings, plot: Plot, now: int, receiver_port: int) -> None:
    """Tell the whole story, and say what there is to see. Raises CannotRun if it was told."""
    console = Console(highlight=False)
    shown = Shown(f"Demo receiver of {plot.program}", receiver_port, plot.program)
    async with opened(settings, checkpoints=False) as database:
        await bring_up_to_date(database, settings)
        telling = Telling(database, plot, now)
        await telling.tell(console)
        secret = await telling.open_campaigns(settings, shown)
        keep_secret(secrets_file(settings), secret)
        written = await telling.count()
    console.print(f"{plot.program}: {plot.members:,} members, {written:,} transactions.")
    console.print(_things_to_try(settings, telling, receiver_port), markup=False, soft_wrap=True)


class Telling:
    """One telling of the story: the ledger that hears it, and the clock that it is told by."""

    def __init__(self, database: Database, plot: Plot, now: int) -> None:
        self.plot = plot
        self.now = now
        self.dawn = now - now % DAY - (plot.days - 1) * DAY
        self.clock = StoryClock(self.dawn)
        self.story = Story(plot, plot.days)
        self.program_id = ""
        self._database = database
        self._ledger = Ledger(database, self.clock, lambda: None)

    async def tell(self, console: Console) -> None:
        """Tell it day by day, under a progress bar."""
        await self._ledger.start()
        try:
            await self._open_program()
            with _progress(console) as progress:
                bar = progress.add_task(f"The past of {self.plot.program}", total=self.plot.days)
                for day in range(self.plot.days):
                    await self._day(day)
                    progress.advance(bar)
                await self._end()
        finally:
            await self._ledger.close()

    async def open_campaigns(self, settings: Settings, shown: Shown) -> str:
        """Have campaigns run from now on; gives the secret that signs their messages."""
        return await open_campaigns(settings, self._database, self.clock, self._ledger, shown)

    async def count(self) -> int:
        """How many transactions the program has."""
        return await self._database.survey(_count, self.program_id)

    async def _open_program(self) -> None:
        created = await self._ledger.create_program(_program(self.plot), TERMINAL)
        if isinstance(created, Refusal):
            raise CannotRun(f"{created.message} (Name another program with --program.)")
        self.program_id = created.id

    async def _day(self, day: int) -> None:
        dawn = self.dawn + day * DAY
        for guest in self.story.joining(day):
            await self._join(guest)
        for number, hour in enumerate(OPEN_AT):
            at = dawn + hour * HOUR + self.story.chance.randrange(5 * HOUR)
            if at + SEQUEL_AFTER >= self.now:
                return
            self._move(at)
            if number == 0:
                await self._sweep()
            rewards = self.story.campaign(day, at) if number == 1 else []
            await self._play(rewards + self.story.scene(day, at))
            self._move(at + SEQUEL_AFTER)
            await self._play(self.story.sequel())

    async def _end(self) -> None:
        """Come to the present: all that is due by now is written, and a little is left open."""
        self._move(self.now)
        await self._sweep()
        await self._play(self.story.ending(self.now))
        poorest = min(self.story.guests, key=lambda guest: guest.active)
        await self._ledger.freeze_wallet(FreezeWallet(wallet=poorest.wallet, frozen=True), TERMINAL)

    async def _join(self, guest: Guest) -> None:
        person = guest.person
        asked = UpsertMember(
            identity=person.identity,
            name=person.name,
            email=person.email,
            phone=person.phone,
            time_zone=person.time_zone,
            attributes={
                "city": person.city,
                "favourite": person.favourite,
                GUEST_OF: self.plot.program,
            },
        )
        joined = await self._ledger.upsert_member(asked, TERMINAL)
        assert not isinstance(joined, Refusal), joined

    async def _play(self, acts: Sequence[Act]) -> None:
        await play(self._ledger, self.story, acts)

    async def _sweep(self) -> None:
        while await self._ledger.sweep():
            pass

    def _move(self, to: int) -> None:
        self.clock.now = max(self.clock.now, to)


async def play(ledger: Ledger, story: Story, acts: Sequence[Act]) -> list[tuple[Act, Outcome]]:
    """Have the ledger do what guests do, and the story hear of it; gives what came of each."""
    came: list[tuple[Act, Outcome]] = []
    for start in range(0, len(acts), SUBMITTED_MAX):
        some = acts[start : start + SUBMITTED_MAX]
        outcomes = await ledger.submit_all([act.command for act in some], TERMINAL)
        came += zip(some, outcomes, strict=True)
    for act, outcome in came:
        story.learn(act, outcome)
    return came


def _program(plot: Plot) -> CreateProgram:
    return CreateProgram(
        name=plot.program,
        points_name="beans",
        expiry_rule="AFTER",
        expiry_count=plot.expiry_months,
        expiry_unit="MONTH",
        time_zone="Europe/London",
        expiring_soon_days=14,
    )


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("day {task.completed:.0f} of {task.total:.0f}"),
        TimeRemainingColumn(),
        console=console,
    )


def _count(connection: Connection, program_id: str) -> int:
    return connection.execute(_COUNT, {"program_id": program_id}).scalar_one()


def _things_to_try(settings: Settings, telling: Telling, receiver_port: int) -> str:
    richest = max(telling.story.guests, key=lambda guest: guest.active)
    month_ago = datetime.fromtimestamp((telling.now - 30 * DAY) / 1_000_000, UTC)
    return TRY.format(
        host=settings.host,
        port=settings.port,
        program=telling.plot.program,
        identity=richest.person.identity,
        receiver_port=receiver_port,
        since=month_ago.strftime("%Y-%m-%dT00:00:00Z"),
    )
