"""Loaders: what an operation reads, each kind of thing in one statement however much is asked for.

Resolvers that run side by side ask for one thing each; a loader gathers what they ask and reads it
together. `find_*` may give None, `get_*` asserts that there is what a foreign key names.
"""

from asyncio import gather
from collections.abc import Awaitable, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Connection as Link

from access import keys
from events import audit
from events.log import find_credited
from graph.access import ADMINISTER, FOLLOW_OWN, READ_OWN, require
from graph.api_keys import ApiKey
from graph.audit import AuditEntry
from graph.campaign_loaders import PREFIXES, CampaignLoaders
from graph.coupons import Coupon
from graph.holds import Hold
from graph.inbox import InboxMessage
from graph.loading import Key, Loader
from graph.members import Member
from graph.nodes import Node
from graph.pagination import Connection, Listing, a_number
from graph.points_credited import PointsCredited
from graph.programs import Program
from graph.scalars import sought
from graph.summaries import ProgramSummary
from graph.transactions import Balance, Transaction
from graph.wallets import ExpiringPoints, Wallet
from ledger import Outcome, coupons, entries, filters, pages, reading, records
from ledger.commands import Owner
from ledger.entries import Entry
from models.ids import find_prefix
from models.windows import Page, Window


class Loaders(CampaignLoaders):
    """What one operation has loaded. Made anew after each mutation and for each event."""

    # ── by id ───────────────────────────────────────────────────────────────────────────────────

    async def find_nodes(self, ids: Sequence[str]) -> list[Node | None]:
        return list(await gather(*(self._find_node(each) for each in ids)))

    async def _find_node(self, id: str) -> Node | None:
        prefix = find_prefix(id)
        if prefix in PREFIXES:
            return await self.find_campaigns_node(id)
        require(self._context.principal, FOLLOW_OWN if prefix == "evt" else READ_OWN)
        match prefix:
            case "prg" if self._sight.identity is None:
                return await self.find_program(id)
            case "mem":
                return await self.find_member(id)
            case "wal":
                return await self.find_wallet(id)
            case "txn":
                return await self.find_transaction(id)
            case "hld":
                return await self.find_hold(id)
            case "cpn" if self._sight.identity is None:
                return await self.find_coupon(id)
            case "evt":
                return await self.find_event(id)
            case "inb":
                return await self.find_inbox_message(id)
            case "aud" if ADMINISTER.allows(self._context.principal):
                return await self.find_audit_entry(id)
            case "key" if ADMINISTER.allows(self._context.principal):
                return await self.find_api_key(id)
            case _:
                return None

    async def find_program(self, id: str) -> Program | None:
        record = self._recall(records.Program, id)
        if record is None and find_prefix(id) == "prg":
            record = await self._programs.load(id)
        return Program.of(record) if record else None

    async def get_program(self, id: str) -> Program:
        program = await self.find_program(id)
        assert program, f"no program {id}"
        return program

    async def find_program_named(self, name: str) -> Program | None:
        record = await self._programs_named.load(sought(name))
        return Program.of(record) if record else None

    async def find_member(self, id: str) -> Member | None:
        record = self._recall(records.Member, id) or await self._members.load(id)
        return Member.of(record) if record and self._sight.is_in(record.identity) else None

    async def get_member(self, id: str) -> Member:
        member = await self.find_member(id)
        assert member, f"no member {id}"
        return member

    async def find_member_known_as(self, identity: str) -> Member | None:
        if not self._sight.is_in(identity):
            return None
        record = await self._members_known_as.load(sought(identity))
        return Member.of(record) if record else None

    async def find_wallet(self, id: str) -> Wallet | None:
        record = self._recall(records.Wallet, id)
        if record is None and find_prefix(id) == "wal":
            record = await self._wallets.load(id)
        return Wallet.of(record) if record and await self._is_in_sight(record) else None

    async def get_wallet(self, id: str) -> Wallet:
        wallet = await self.find_wallet(id)
        assert wallet, f"no wallet {id}"
        return wallet

    async def find_wallet_of(self, owner: Owner) -> Wallet | None:
        if not self._sight.is_in(owner.identity):
            return None
        found = await self._context.read(reading.find_owned, owner)
        if found is None:
            return None
        self._known |= {each.id: each for each in (found.wallet, found.program, found.member)}
        return Wallet.of(found.wallet)

    async def find_transaction(self, id: str | None) -> Transaction | None:
        entry = await self._entries.load(id) if id and find_prefix(id) == "txn" else None
        if entry is None or not await self._has_wallet_in_sight(entry):
            return None
        return Transaction.of(entry)

    async def find_hold(self, id: str | None) -> Hold | None:
        record = await self._holds.load(id) if id else None
        if record is None or not await self._has_wallet_in_sight(record):
            return None
        return Hold.of(record, self._context.now)

    async def find_coupon(self, id: str) -> Coupon | None:
        record = await self._coupons.load(id)
        return Coupon.of(record) if record else None

    async def find_coupon_coded(self, code: str) -> Coupon | None:
        record = await self._coupons_coded.load(sought(code))
        return Coupon.of(record) if record else None

    async def find_event(self, id: str) -> PointsCredited | None:
        event = await self._events.load(id)
        return PointsCredited.of(event) if event and self._sight.is_in(event.identity) else None

    async def find_inbox_message(self, id: str) -> InboxMessage | None:
        record = await self._inbox_messages.load(id)
        if record is None or not await self.find_member(record.member_id):
            return None
        return InboxMessage.of(record)

    async def _is_in_sight(self, wallet: records.Wallet) -> bool:
        if self._sight.identity is None:
            return True
        own = await self._members_known_as.load(self._sight.identity)
        return own is not None and own.id == wallet.member_id

    async def _has_wallet_in_sight(self, record: Entry | records.Hold) -> bool:
        if self._sight.identity is None:
            return True
        known = self._recall(records.Wallet, record.wallet_id)
        wallet = known or await self._wallets.load(record.wallet_id)
        return wallet is not None and await self._is_in_sight(wallet)

    async def find_api_key(self, id: str) -> ApiKey | None:
        record = await self._api_keys.load(id)
        return ApiKey.of(record) if record else None

    async def find_audit_entry(self, id: str) -> AuditEntry | None:
        record = await self._audit_entries.load(id)
        return AuditEntry.of(record) if record else None

    async def complete(self, outcomes: Sequence[Outcome]) -> None:
        """Find the entries: what replays stand for is read. Remember what fresh effects brought."""
        self._known |= {each.wallet.id: each.wallet for each in outcomes if each.wallet}
        for each in outcomes:
            if each.transaction:
                each.entry = Entry.of(each.transaction, each.detail)
        replays = [each for each in outcomes if each.transaction_id and not each.entry]
        if replays:
            await gather(*map(self._complete, replays))

    async def _complete(self, outcome: Outcome) -> None:
        assert outcome.transaction_id
        entry = await self._entries.load(outcome.transaction_id)
        assert entry, f"no transaction {outcome.transaction_id}"
        outcome.entry = entry
        outcome.wallet = await self._wallets.load(entry.wallet_id)

    # ── of a wallet ─────────────────────────────────────────────────────────────────────────────

    def program_of(self, record: records.Wallet) -> Program | Awaitable[Program]:
        """Its program: at once, if it came with the wallet."""
        known = self._recall(records.Program, record.program_id)
        return Program.of(known) if known else self.get_program(record.program_id)

    def member_of(self, record: records.Wallet) -> Member | Awaitable[Member]:
        """Its member: at once, if they came with the wallet, which is in sight."""
        known = self._recall(records.Member, record.member_id)
        return Member.of(known) if known else self.get_member(record.member_id)

    async def caught_up(self, record: records.Wallet) -> records.Wallet:
        """The wallet as it is now, with what is due counted as done."""
        return await self._caught_up.load(record)

    async def balance_at(self, record: records.Wallet, instant: int) -> Balance:
        then = await self._balances.load((record, instant))
        return Balance(active=then.active, promised=then.promised, held=then.held)

    async def expiring(self, wallet_id: str, until: int) -> list[ExpiringPoints]:
        found = await self._expiring.load((wallet_id, self._context.now, until))
        return [ExpiringPoints(points=points, expires_at=at) for points, at in found]

    async def transactions_of(
        self, wallet_id: str, window: Window, filter: filters.TransactionFilter
    ) -> Connection[Transaction]:
        page = await self._transactions_of_wallets.load((wallet_id, window, filter))
        listing = Listing("transactions", wallet_id, (a_number,))
        return listing.connection(page, Transaction.of)

    async def holds_of(
        self, wallet_id: str, window: Window, status: str | None
    ) -> Connection[Hold]:
        now = self._context.now
        page = await self._holds_of_wallets.load((wallet_id, window, status, now))
        return Listing("holds", wallet_id).connection(page, lambda record: Hold.of(record, now))

    # ── of a program or a member ────────────────────────────────────────────────────────────────

    async def wallets_of_program(self, id: str, window: Window) -> Connection[Wallet]:
        page = await self._wallets_of_programs.load((id, window))
        return Listing("wallets", id).connection(page, Wallet.of)

    async def wallets_of_member(self, id: str, window: Window) -> Connection[Wallet]:
        page = await self._wallets_of_members.load((id, window))
        return Listing("wallets", id).connection(page, Wallet.of)

    async def summary(
        self, program_id: str, since: int | None, until: int | None
    ) -> ProgramSummary:
        return ProgramSummary.of(await self._summaries.load((program_id, since, until)))

    # ── the loaders ─────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _programs(self) -> Loader[str, records.Program | None]:
        return self._of_keys(reading.find_programs)

    @cached_property
    def _programs_named(self) -> Loader[str, records.Program | None]:
        return self._of_keys(reading.find_programs_named)

    @cached_property
    def _members(self) -> Loader[str, records.Member | None]:
        return self._of_keys(reading.find_members)

    @cached_property
    def _members_known_as(self) -> Loader[str, records.Member | None]:
        return self._of_keys(reading.find_members_known_as)

    @cached_property
    def _wallets(self) -> Loader[str, records.Wallet | None]:
        return self._of_keys(reading.find_wallets)

    @cached_property
    def _entries(self) -> Loader[str, Entry | None]:
        return self._of_keys(reading.find_transactions)

    @cached_property
    def _holds(self) -> Loader[str, records.Hold | None]:
        return self._of_keys(reading.find_holds)

    @cached_property
    def _coupons(self) -> Loader[str, records.Coupon | None]:
        return self._of_keys(coupons.find_coupons)

    @cached_property
    def _coupons_coded(self) -> Loader[str, records.Coupon | None]:
        return self._of_keys(coupons.find_coupons_coded)

    @cached_property
    def _events(self) -> Loader[str, Any]:
        return self._of_keys(find_credited)

    @cached_property
    def _api_keys(self) -> Loader[str, keys.ApiKey | None]:
        return self._of_keys(keys.find_keys)

    @cached_property
    def _audit_entries(self) -> Loader[str, audit.Entry | None]:
        return self._of_keys(audit.find_entries)

    @cached_property
    def _caught_up(self) -> Loader[records.Wallet, records.Wallet]:
        async def load(found: list[records.Wallet]) -> list[records.Wallet]:
            now = self._context.now
            by_id = await self._context.read(reading.wallets_as_of, found, now)
            return [by_id[record.id] for record in found]

        return Loader(load, _id_of)

    @cached_property
    def _balances(self) -> Loader[tuple[records.Wallet, int], entries.Balance]:
        return self._of_owners(reading.balances_at, _id_of)

    @cached_property
    def _expiring(self) -> Loader[tuple[str, int, int], list[tuple[int, int]]]:
        return self._of_owners(reading.expiring)

    @cached_property
    def _transactions_of_wallets(self) -> Loader[Key, Page[Entry]]:
        return self._of_owners(pages.page_transactions_of_wallets)

    @cached_property
    def _holds_of_wallets(self) -> Loader[Key, Page[records.Hold]]:
        return self._of_owners(pages.page_holds_of_wallets)

    @cached_property
    def _wallets_of_programs(self) -> Loader[Key, Page[records.Wallet]]:
        return self._of_owners(pages.page_wallets_of_programs)

    @cached_property
    def _wallets_of_members(self) -> Loader[Key, Page[records.Wallet]]:
        return self._of_owners(pages.page_wallets_of_members)

    @cached_property
    def _summaries(self) -> Loader[Key, reading.Summary]:
        async def load(keys: list[Key]) -> list[reading.Summary]:
            return await self._context.survey(_summarize_each, keys, self._context.now)

        return Loader(load)


def _id_of(record: records.Wallet) -> str:
    return record.id


def _summarize_each(link: Link, keys: Sequence[Key], now: int) -> list[reading.Summary]:
    return [
        reading.summarize(link, program_id, now, since, until) for program_id, since, until in keys
    ]
