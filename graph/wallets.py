"""Wallets: one member's points in one program, at this instant, in the past and to come."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, cast

import strawberry
from strawberry import UNSET

from graph.choices import Choice, choice
from graph.context import Info
from graph.costs import up_to
from graph.errors import InvalidInput, WalletNotFound, listed
from graph.faults import BadRequest
from graph.inputs import WalletRef
from graph.nodes import Node
from graph.pagination import (
    After,
    Before,
    Connection,
    First,
    Last,
    Listing,
    a_number,
    an_id,
)
from graph.scalars import DateTime, Duration, Points, given, sought
from graph.transactions import Balance, Transaction, TransactionFilter, chosen
from ledger import filters, pages, records, registry
from ledger.commands import Owner
from ledger.reading import EXPIRING_MAX
from ledger.refusals import Refusal
from models.columns import NEVER

if TYPE_CHECKING:
    from graph.holds import Hold, HoldStatus
    from graph.members import Member
    from graph.programs import Program


@choice("Whether a wallet can be used.")
class WalletStatus(Choice):
    """See models.wallets.Wallet."""

    ACTIVE = "ACTIVE", "It can."
    FROZEN = "FROZEN", "It can't: only what it holds can be released."


@strawberry.type(
    description=(
        "What a wallet's points came to in all. What is in it is credited + transferredIn -"
        " transferredOut - redeemed - removed - expired - reversed."
    )
)
class Lifetime:
    """What is due counts as done."""

    credited: Points = strawberry.field(description="Given, promised points included.")
    transferred_in: Points = strawberry.field(description="Arrived from other wallets.")
    transferred_out: Points = strawberry.field(description="Sent to other wallets.")
    redeemed: Points = strawberry.field(description="Spent, less what was refunded.")
    removed: Points = strawberry.field(description="Taken by hand, less what was refunded.")
    expired: Points = strawberry.field(description="Run out of time.")
    reversed: Points = strawberry.field(description="Taken back with the credits that gave them.")


@strawberry.type(description="Points that expire together.")
class ExpiringPoints:
    """One line of `expiring`."""

    points: Points = strawberry.field(description="How many.")
    expires_at: DateTime = strawberry.field(description="The first instant without them.")


@strawberry.type(
    description="One member's points in one program. Opened by its first credit, or transfer to it."
)
class Wallet(Node):
    """See models.wallets.Wallet."""

    record: strawberry.Private[records.Wallet]
    status: WalletStatus = strawberry.field(description="Whether it can be used.")
    created_at: DateTime = strawberry.field(description="When it was opened.")

    @classmethod
    def of(cls, record: records.Wallet) -> "Wallet":
        status = "FROZEN" if record.frozen else "ACTIVE"
        return cls(
            id=strawberry.ID(record.id),
            record=record,
            status=cast("WalletStatus", status),
            created_at=record.created_at,
        )

    @strawberry.field(
        graphql_type=Annotated["Program", strawberry.lazy("graph.programs")],
        description="The rules it keeps.",
    )
    def program(self, info: Info) -> "Program | Awaitable[Program]":
        return info.context.loaders.program_of(self.record)

    @strawberry.field(
        graphql_type=Annotated["Member", strawberry.lazy("graph.members")],
        description="Whose it is.",
    )
    def member(self, info: Info) -> "Member | Awaitable[Member]":
        return info.context.loaders.member_of(self.record)

    @strawberry.field(
        graphql_type=Balance,
        description=(
            "What is in it: now, or at another instant. In the past it is what a read then showed;"
            " in the future, what the clock alone will make of it."
        ),
    )
    def balance(
        self,
        info: Info,
        at: Annotated[
            DateTime | None, strawberry.argument(description="The instant; now if left out.")
        ] = UNSET,
    ) -> Balance | Awaitable[Balance]:
        instant = given(at)
        if instant is not None:
            return info.context.loaders.balance_at(self.record, instant)
        if self.record.due_at <= info.context.now:
            return _balance_when_caught_up(info, self.record)
        return _balance(self.record)

    @strawberry.field(graphql_type=Lifetime, description="What its points came to in all.")
    def lifetime(self, info: Info) -> Lifetime | Awaitable[Lifetime]:
        if self.record.due_at <= info.context.now:
            return _lifetime_when_caught_up(info, self.record)
        return _lifetime(self.record)

    @strawberry.field(
        description="Its spendable points that will expire, soonest first; at most 1,000 lines.",
        metadata=up_to(EXPIRING_MAX, pages=False),
    )
    async def expiring(
        self,
        info: Info,
        within: Annotated[
            Duration | None, strawberry.argument(description="How soon; ever if left out.")
        ] = UNSET,
    ) -> list[ExpiringPoints]:
        span = given(within)
        until = NEVER if span is None else min(NEVER, info.context.now + span)
        return await info.context.loaders.expiring(self.id, until)

    @strawberry.field(description="Points of it that were set aside for checkouts, newest first.")
    async def holds(
        self,
        info: Info,
        status: Annotated[
            Annotated["HoldStatus", strawberry.lazy("graph.holds")] | None,
            strawberry.argument(description="Only those of which this has become."),
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
    ) -> Connection[Annotated["Hold", strawberry.lazy("graph.holds")]]:
        window = Listing("holds", self.id).window(first, after)
        return await info.context.loaders.holds_of(self.id, window, str(status) if status else None)

    @strawberry.field(
        description="What moved its points, newest first: what is written, not what is due."
    )
    async def transactions(
        self,
        info: Info,
        filter: Annotated[
            TransactionFilter | None, strawberry.argument(description="Only some of them.")
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Transaction]:
        window = Listing("transactions", self.id, (a_number,)).window(first, after, last, before)
        return await info.context.loaders.transactions_of(self.id, window, chosen(filter))


def _balance(record: records.Wallet) -> Balance:
    return Balance(active=record.active, promised=record.promised, held=record.held)


def _lifetime(record: records.Wallet) -> Lifetime:
    return Lifetime(
        credited=record.credited,
        transferred_in=record.transferred_in,
        transferred_out=record.transferred_out,
        redeemed=record.redeemed,
        removed=record.removed,
        expired=record.expired,
        reversed=record.reversed,
    )


async def _balance_when_caught_up(info: Info, record: records.Wallet) -> Balance:
    return _balance(await info.context.loaders.caught_up(record))


async def _lifetime_when_caught_up(info: Info, record: records.Wallet) -> Lifetime:
    return _lifetime(await info.context.loaders.caught_up(record))


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


@strawberry.input(description="Which wallets: those that are all that is set here.")
class WalletFilter:
    """See ledger.filters.WalletFilter."""

    program: str | None = strawberry.field(description="Of the program of this name.")
    identity: str | None = strawberry.field(description="Of the member of this identity.")
    status: WalletStatus | None = strawberry.field(
        description="Only those that can be used, or can't."
    )
    min_active: Points | None = strawberry.field(
        description="With so many spendable points or more."
    )
    max_active: Points | None = strawberry.field(
        description="With so many spendable points or fewer."
    )

    def to_filter(self) -> filters.WalletFilter:
        return filters.WalletFilter(
            program_name=sought(self.program),
            identity=sought(self.identity),
            frozen=None if self.status is None else self.status == WalletStatus.FROZEN,
            min_active=self.min_active,
            max_active=self.max_active,
        )


@strawberry.type
class WalletQueries:
    """The queries about wallets."""

    @strawberry.field(description="One wallet; null if it was never opened.")
    async def wallet(
        self, info: Info, ref: Annotated[WalletRef, strawberry.argument(description="Which one.")]
    ) -> Wallet | None:
        asked = ref.to_ref()
        if isinstance(asked, Owner):
            return await info.context.loaders.find_wallet_of(asked)
        return await info.context.loaders.find_wallet(asked)

    @strawberry.field(description="All wallets, newest first.")
    async def wallets(
        self,
        info: Info,
        filter: Annotated[
            WalletFilter | None, strawberry.argument(description="Only some of them.")
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Wallet]:
        listing = Listing("wallets")
        window = listing.window(first, after, last, before)
        wanted = filter.to_filter() if filter else filters.WalletFilter()
        wanted = replace(wanted, identity=info.context.sight.narrowed(wanted.identity))
        page = await info.context.read(pages.page_wallets, window, wanted, info.context.now)
        return listing.connection(page, Wallet.of)

    @strawberry.field(
        description=(
            "Who was given points and hasn't used any since: wallets whose newest credit that"
            " became spendable since an instant, of so many points or more, still has points left"
            " and no redemption after it. Newest such credit first."
        )
    )
    async def credited_not_redeemed(
        self,
        info: Info,
        since: Annotated[
            DateTime, strawberry.argument(description="Credits spendable from this instant on.")
        ],
        program: Annotated[
            str | None, strawberry.argument(description="The program's name; all if left out.")
        ] = UNSET,
        min_points: Annotated[
            Points | None, strawberry.argument(description="Credits of so many points or more.")
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
    ) -> Connection[Wallet]:
        context = info.context
        name = given(program)
        found = None if name is None else await context.loaders.find_program_named(name)
        if name is not None and found is None:
            raise BadRequest("program", "there is no program of this name")
        program_id = found.id if found else None
        listing = Listing("creditedNotRedeemed", program_id or "", (a_number, an_id))
        page = await context.read(
            pages.page_credited_not_redeemed,
            listing.window(first, after),
            program_id,
            since,
            given(min_points) or 0,
            context.now,
        )
        return listing.connection(page, Wallet.of)


# ── freezing ────────────────────────────────────────────────────────────────────────────────────

FreezeWalletError = Annotated[
    WalletNotFound | InvalidInput,
    strawberry.union("FreezeWalletError", description="Why a wallet was not frozen or thawed."),
]


@strawberry.input(description="A wallet to freeze or to thaw.")
class FreezeWalletInput:
    """See ledger.registry.FreezeWallet."""

    wallet: WalletRef = strawberry.field(description="Which one.")
    frozen: bool = strawberry.field(description="true freezes, false thaws.")

    def to_command(self) -> registry.FreezeWallet:
        return registry.FreezeWallet(wallet=self.wallet.to_ref(), frozen=self.frozen)


@strawberry.type(description="The wallet, or why it wasn't frozen or thawed.")
class FreezeWalletPayload:
    """The answer to freezeWallet."""

    wallet: Wallet | None = strawberry.field(description="The wallet as it is now.")
    errors: list[FreezeWalletError] = strawberry.field(description="Empty on success.")


@strawberry.type
class WalletMutations:
    """The mutation about wallets as such."""

    @strawberry.mutation(
        description="Freeze a wallet, so that only what it holds can be released; or thaw it."
    )
    async def freeze_wallet(
        self,
        info: Info,
        input: Annotated[FreezeWalletInput, strawberry.argument(description="Which, and how.")],
    ) -> FreezeWalletPayload:
        info.context.renew()
        answer = await info.context.ledger.freeze_wallet(input.to_command(), info.context.actor)
        if isinstance(answer, Refusal):
            return FreezeWalletPayload(wallet=None, errors=listed(answer))
        return FreezeWalletPayload(wallet=Wallet.of(answer), errors=[])
