"""Loaders of campaigns' things: see graph.loaders."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from sqlalchemy import Connection as Link

from campaigns import pages, records
from campaigns.deliveries import find_deliveries
from graph.access import CAMPAIGN, require
from graph.campaigns import Campaign, CampaignStats
from graph.channels import Channel
from graph.deliveries import Attempt, Delivery, DeliveryFilter
from graph.inbox import InboxConnection, InboxMessage
from graph.loading import Key, Loader, Loading
from graph.nodes import Node
from graph.pagination import Connection, Listing
from models.ids import find_prefix
from models.windows import Page, Window

PREFIXES = frozenset(("cmp", "dlv", "chn"))


class CampaignLoaders(Loading):
    """What one operation has loaded of campaigns."""

    async def find_campaigns_node(self, id: str) -> Node | None:
        """A campaign, delivery or channel. To members there are none."""
        if self._sight.identity is not None:
            return None
        require(self._context.principal, CAMPAIGN)
        match find_prefix(id):
            case "cmp":
                return await self.find_campaign(id)
            case "dlv":
                return await self.find_delivery(id)
            case _:
                return await self.find_channel(id)

    async def find_campaign(self, id: str) -> Campaign | None:
        record = await self._campaigns.load(id) if find_prefix(id) == "cmp" else None
        return Campaign.of(record, self._context.now) if record else None

    async def get_campaign(self, id: str) -> Campaign:
        campaign = await self.find_campaign(id)
        assert campaign, f"no campaign {id}"
        return campaign

    async def find_channel(self, id: str) -> Channel | None:
        record = await self._channels.load(id) if find_prefix(id) == "chn" else None
        return Channel.of(record) if record else None

    async def get_channel(self, id: str) -> Channel:
        channel = await self.find_channel(id)
        assert channel, f"no channel {id}"
        return channel

    async def find_delivery(self, id: str) -> Delivery | None:
        record = await self._deliveries.load(id) if find_prefix(id) == "dlv" else None
        return Delivery.of(record, self._context.now) if record else None

    async def deliveries_of(
        self,
        campaign_id: str | None,
        filter: DeliveryFilter | None,
        listing: Listing,
        first: int | None,
        after: str | None,
    ) -> Connection[Delivery]:
        """Those of one campaign, or of all. One campaign's are never another's."""
        wanted = filter.to_filter() if filter else pages.DeliveryFilter()
        if campaign_id is not None:
            if wanted.campaign_id not in {None, campaign_id}:
                wanted = replace(wanted, statuses=())
            wanted = replace(wanted, campaign_id=campaign_id)
        window, now = listing.window(first, after), self._context.now
        page = await self._context.read(pages.page_deliveries, window, wanted, now)
        return listing.connection(page, lambda record: Delivery.of(record, now))

    async def attempts(self, delivery_id: str) -> list[Attempt]:
        return [Attempt.of(each) for each in await self._attempts.load((delivery_id,))]

    async def campaign_stats(self, campaign_id: str) -> CampaignStats:
        return CampaignStats.of(await self._stats.load(campaign_id))

    async def inbox_of_member(self, id: str, window: Window) -> InboxConnection:
        page = await self._inboxes.load((id, window))
        return InboxConnection.of(Listing("inbox", id).connection(page, InboxMessage.of))

    async def find_inbox_message_of(self, delivery_id: str) -> InboxMessage | None:
        record = await self._inbox_messages_of.load(delivery_id)
        return InboxMessage.of(record) if record else None

    # ── the loaders ─────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _campaigns(self) -> Loader[str, records.Campaign | None]:
        return self._of_keys(pages.find_campaigns)

    @cached_property
    def _channels(self) -> Loader[str, records.Channel | None]:
        return self._of_keys(pages.find_channels)

    @cached_property
    def _deliveries(self) -> Loader[str, records.Delivery | None]:
        return self._of_keys(find_deliveries)

    @cached_property
    def _attempts(self) -> Loader[Key, list[records.Attempt]]:
        return self._of_owners(pages.list_attempts)

    @cached_property
    def _inboxes(self) -> Loader[Key, Page[records.InboxMessage]]:
        return self._of_owners(pages.page_inboxes)

    @cached_property
    def _inbox_messages(self) -> Loader[str, records.InboxMessage | None]:
        return self._of_keys(pages.find_inbox_messages)

    @cached_property
    def _inbox_messages_of(self) -> Loader[str, records.InboxMessage | None]:
        return self._of_keys(pages.find_inbox_messages_of)

    @cached_property
    def _stats(self) -> Loader[str, pages.Stats]:
        async def load(ids: list[str]) -> list[pages.Stats]:
            return await self._context.survey(_count_each, ids)

        return Loader(load)


def _count_each(link: Link, ids: Sequence[str]) -> list[pages.Stats]:
    return [pages.read_stats(link, campaign_id) for campaign_id in ids]
