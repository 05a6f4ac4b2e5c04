"""THE BOOK: what may happen to points. `Ledger.submit(command)` is its door."""

from asyncio import gather
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from sqlalchemy import Connection

from events.audit import Actor, Deed, note
from ledger.actions import ACTIONS, QuietCommand
from ledger.batch import Outcome
from ledger.checks import check
from ledger.commands import Command, Credit
from ledger.coupons import CreateCoupon, create_coupon
from ledger.erasure import erase_member
from ledger.records import Coupon, Member, Program, Wallet
from ledger.refusals import InvalidInput, Refusal
from ledger.registry import (
    AsBefore,
    CreateProgram,
    EraseMember,
    FreezeWallet,
    UpdateProgram,
    UpsertMember,
    create_program,
    freeze_wallet,
    update_program,
    upsert_member,
)
from ledger.sweep import sweep
from ledger.writer import Clock, Measured, Overloaded, Writer, unmeasured
from models.database import Database

A = TypeVar("A", bound=QuietCommand)
T = TypeVar("T", bound=Program | Member | Wallet | Coupon | str)

CREDITS_MAX: Final = 1_000
"""How many credits one batch may hold: as many commands as one unit of work takes."""

__all__ = ["Clock", "Ledger", "Outcome", "Overloaded"]


class Ledger:
    """The one way to move points. Every answer is durable before it is given.

    `by` is whoever asks for it: what is done is written down with its actor, in the same unit of
    work. A refusal and a replay do nothing, and nothing of them is written.

    Raises Overloaded (nothing was done), models.database.Unavailable (nothing was done) and
    OutcomeUnknown (retry with the same key); every other "no" is a Refusal in the answer.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        committed: Callable[[], None],
        measured: Measured = unmeasured,
    ) -> None:
        """`committed` and `measured` are called in the event loop after each commit: see Writer."""
        self._database = database
        self._writer = Writer(database, clock, committed, measured)

    async def start(self) -> None:
        """Begin to write."""
        await self._writer.start()

    async def close(self) -> None:
        """Write what is waiting, then stop."""
        await self._writer.close()

    @property
    def backlog(self) -> int:
        """How many commands wait to be written."""
        return self._writer.backlog

    async def submit(self, command: Command, by: Actor) -> Outcome:
        """Do what the command says, once for its key."""
        if wrong := check(command):
            return Outcome(refusal=wrong)
        return await self._writer.submit([(command, by)])[0]

    async def submit_all(self, commands: Sequence[Command], by: Actor) -> list[Outcome]:
        """Do what the commands say, in their order; each stands or falls alone.

        Overloaded refuses all of them.
        """
        outcomes = [
            Outcome(refusal=wrong) if (wrong := check(command)) else None for command in commands
        ]
        sound = [
            (command, by)
            for command, outcome in zip(commands, outcomes, strict=True)
            if outcome is None
        ]
        answers = iter(await gather(*self._writer.submit(sound)))
        return [outcome or next(answers) for outcome in outcomes]

    async def submit_batch(
        self, credits: Sequence[Credit], by: Actor
    ) -> list[Outcome] | InvalidInput:
        """Do what up to CREDITS_MAX credits say, or say that they are too many."""
        if len(credits) > CREDITS_MAX:
            return InvalidInput(f"credits must be at most {CREDITS_MAX}.", ("credits",))
        return await self.submit_all(credits, by)

    async def sweep(self) -> int:
        """Write what is due, up to a bound; gives how much was written, 0 when nothing is left."""
        return await self._writer.alone(sweep, first=True)

    async def create_program(self, asked: CreateProgram, by: Actor) -> Program | Refusal:
        """A new program, or InvalidInput or NameTaken."""
        return await self._alone(create_program, asked, by)

    async def update_program(self, asked: UpdateProgram, by: Actor) -> Program | Refusal:
        """The changed program, or InvalidInput or ProgramNotFound."""
        return await self._alone(update_program, asked, by)

    async def upsert_member(self, asked: UpsertMember, by: Actor) -> Member | Refusal:
        """The member as it is now, or InvalidInput."""
        return await self._alone(upsert_member, asked, by)

    async def erase_member(self, asked: EraseMember, by: Actor) -> str | Refusal:
        """The id of the member that was erased, or MemberNotFound."""
        erased = await self._alone(erase_member, asked, by)
        if isinstance(erased, str):
            await self._database.scrub()
        return erased

    async def freeze_wallet(self, asked: FreezeWallet, by: Actor) -> Wallet | Refusal:
        """The wallet as it is now, or WalletNotFound."""
        return await self._alone(freeze_wallet, asked, by)

    async def create_coupon(self, asked: CreateCoupon, by: Actor) -> Coupon | Refusal:
        """A new coupon, or InvalidInput, ProgramNotFound or NameTaken."""
        return await self._alone(create_coupon, asked, by)

    async def _alone(
        self,
        unit: Callable[[Connection, int, A], T | AsBefore[T] | Refusal],
        asked: A,
        by: Actor,
    ) -> T | Refusal:
        def noted(connection: Connection, now: int) -> T | Refusal:
            answer = unit(connection, now, asked)
            if isinstance(answer, AsBefore):
                return answer.record
            if not isinstance(answer, Refusal):
                subject_id = answer if isinstance(answer, str) else answer.id
                note(connection, now, [Deed(by, ACTIONS[type(asked)], subject_id)])
            return answer

        return await self._writer.alone(noted)
