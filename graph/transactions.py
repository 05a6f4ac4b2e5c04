"""Transactions: the immutable rows of the book, as a statement shows them."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final, cast

import strawberry
from strawberry import UNSET, Parent

from graph.choices import Choice, choice
from graph.compiled import of_classes
from graph.context import Info
from graph.execution import null_without
from graph.nodes import Node
from graph.pagination import After, Before, Connection, First, Last, Listing
from graph.scalars import JSON, DateTime, Points, sought
from ledger import filters, pages
from ledger.entries import Entry

if TYPE_CHECKING:
    from graph.holds import Hold
    from graph.wallets import Wallet


@choice("Where a credit or a debit comes from.")
class CreditSource(Choice):
    """See models.transactions."""

    API = "API", "Your own systems. A debit from here is a redemption."
    CAMPAIGN = "CAMPAIGN", "A campaign's reward."
    MANUAL = "MANUAL", "A person, by hand. A debit from here is a removal."
    CASHBACK_COUPON = "CASHBACK_COUPON", "A cashback coupon that was redeemed."


@choice("What a transaction does; its direction.")
class TransactionKind(Choice):
    """See models.transactions."""

    CREDIT = "CREDIT", "Points given, active or promised."
    ACTIVATION = "ACTIVATION", "Promised points become active, by the clock."
    DEBIT = "DEBIT", "Points spent, captured out of a hold, or removed."
    EXPIRY = "EXPIRY", "Points run out of time, by the clock."
    REVERSAL = "REVERSAL", "A credit is taken back."
    REFUND = "REFUND", "A debit is given back."
    HOLD = "HOLD", "Active points are set aside."
    RELEASE = "RELEASE", "Held points become active again."
    TRANSFER_OUT = "TRANSFER_OUT", "Points leave for another wallet."
    TRANSFER_IN = "TRANSFER_IN", "Points arrive from another wallet."


@strawberry.type(
    description=(
        "What is in a wallet at one instant; or, as a transaction's `change`, what it added to"
        " each."
    )
)
class Balance:
    """Points of three states."""

    active: Points = strawberry.field(description="Spendable.")
    promised: Points = strawberry.field(description="Given, and active from a later instant on.")
    held: Points = strawberry.field(description="Set aside for a checkout.")


@strawberry.type(description="What the caller told of the sale behind a transaction.")
class Order:
    """Erased with its member."""

    id: str | None = strawberry.field(description="Your own id of the order.")
    sale_amount: float | None = strawberry.field(description="What the sale came to.")
    sale_channel: str | None = strawberry.field(description="Where it was made: web, shop, …")
    location_id: str | None = strawberry.field(description="Your own id of the shop.")


async def _wallet(
    entry: Parent[Entry], info: Info
) -> Annotated["Wallet", strawberry.lazy("graph.wallets")]:
    return await info.context.loaders.get_wallet(entry.wallet_id)


async def _related(entry: Parent[Entry], info: Info) -> "Transaction | None":
    return await info.context.loaders.find_transaction(entry.related_id)


async def _hold(
    entry: Parent[Entry], info: Info
) -> Annotated["Hold", strawberry.lazy("graph.holds")] | None:
    return await info.context.loaders.find_hold(entry.hold_id)


@strawberry.type(
    description=(
        "One row of the ledger. It is written once and never changed: a correction is a row of its"
        " own."
    )
)
class Transaction(Node):
    """See models.transactions.Transaction. Its objects are the ledger's entries."""

    sequence: int = strawberry.field(description="Its number within its wallet: 1, 2, 3 …")
    kind: TransactionKind = strawberry.field(description="What it does.")
    points: Points = strawberry.field(
        description="How many; always positive, the kind gives the direction."
    )
    change: Balance = strawberry.field(description="What it added to each balance, or took.")
    balance_after: Balance = strawberry.field(description="The balances after it.")
    source: CreditSource | None = strawberry.field(
        description="Where a credit comes from; of a debit, API redeems and MANUAL removes."
    )
    campaign_id: strawberry.ID | None = strawberry.field(
        description="The campaign that a credit is of."
    )
    coupon_code: str | None = strawberry.field(description="The coupon that a credit is of.")
    description: str | None = strawberry.field(description="What the caller said of it.")
    active_at: DateTime | None = strawberry.field(
        description="From when a credit's points are active."
    )
    expires_at: DateTime | None = strawberry.field(
        description=(
            "When a credit's points expire, as it looked when they were given; null is never."
        )
    )
    order: Order | None = strawberry.field(description="The sale behind it.")
    metadata: JSON | None = strawberry.field(description="Whatever the caller kept with it.")
    effective_at: DateTime = strawberry.field(
        description="The instant from which it holds: what the clock does, it does on time."
    )
    created_at: DateTime = strawberry.field(description="When it was written down.")

    wallet: Annotated["Wallet", strawberry.lazy("graph.wallets")] = strawberry.field(
        resolver=_wallet, description="The wallet whose points it moves."
    )
    related: "Transaction | None" = strawberry.field(
        resolver=_related,
        metadata=null_without("related_id"),
        description=(
            "The transaction that it activates, reverses or refunds, or a transfer's other leg."
        ),
    )
    hold: Annotated["Hold", strawberry.lazy("graph.holds")] | None = strawberry.field(
        resolver=_hold,
        metadata=null_without("hold_id"),
        description="The hold that it places, captures or releases.",
    )

    is_type_of = of_classes(Entry)

    @staticmethod
    def of(entry: Entry) -> "Transaction":
        """A ledger's entry as it is: it has all that isn't loaded, by the same names."""
        return cast("Transaction", entry)


def entry_of(transaction: Transaction) -> Entry:
    """The ledger's entry that a transaction is."""
    return cast("Entry", transaction)


@strawberry.input(description="Which transactions: those that are all that is set here.")
class TransactionFilter:
    """See ledger.filters.TransactionFilter."""

    kinds: list[TransactionKind] | None = strawberry.field(description="Of one of these kinds.")
    sources: list[CreditSource] | None = strawberry.field(description="From one of these sources.")
    from_: DateTime | None = strawberry.field(
        name="from", description="In effect at this instant or later."
    )
    to: DateTime | None = strawberry.field(description="In effect before this instant.")
    min_points: Points | None = strawberry.field(description="Of so many points or more.")
    max_points: Points | None = strawberry.field(description="Of so many points or fewer.")
    order_id: str | None = strawberry.field(description="Of the order with this id of yours.")
    campaign_id: strawberry.ID | None = strawberry.field(description="Of this campaign.")


ALL: Final = filters.TransactionFilter()


def chosen(filter: TransactionFilter | None) -> filters.TransactionFilter:
    """A filter as the pages take it."""
    if not filter:
        return ALL
    return filters.TransactionFilter(
        kinds=None if filter.kinds is None else tuple(map(str, filter.kinds)),
        sources=None if filter.sources is None else tuple(map(str, filter.sources)),
        since=filter.from_,
        until=filter.to,
        min_points=filter.min_points,
        max_points=filter.max_points,
        order_id=sought(filter.order_id),
        campaign_id=sought(filter.campaign_id),
    )


@strawberry.type
class TransactionQueries:
    """The queries about transactions."""

    @strawberry.field(description="The transaction with this id; null if there is none.")
    async def transaction(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Its id, `txn_…`.")],
    ) -> Transaction | None:
        return await info.context.loaders.find_transaction(id)

    @strawberry.field(description="The transactions of all wallets, newest first.")
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
        listing = Listing("transactions")
        window = listing.window(first, after, last, before)
        wanted = replace(chosen(filter), identity=info.context.sight.identity)
        page = await info.context.read(pages.page_transactions, window, wanted)
        return listing.connection(page, Transaction.of)
