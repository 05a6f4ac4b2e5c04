"""A service whose campaigns work when the test says so, and a shop that hears of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any

from campaigns.conditions import PropertyFilter
from campaigns.plans import Absence, Message, Plan, Reward, Who
from campaigns.records import Campaign, Delivery
from events.audit import TERMINAL
from ledger.refusals import Refusal
from models.windows import Window
from tests.harness.clock import VirtualClock
from tests.harness.receiver import Receiver, receiver
from tests.harness.servers import Service, running

LOOPBACK = (ip_network("127.0.0.0/8"),)
CREDITED = "CT Points Credited"
HELLO = Message("Hello {{ Profile.Name | default: 'there' }}: {{ Event.points }}")
MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def who(event: str = CREDITED, *filters: tuple[str, str, Any], **more: Any) -> Who:
    return Who(event, filters=tuple(PropertyFilter(*each) for each in filters), **more)


def unredeemed(days: float = 3, of: str = "CREDIT_UNREDEEMED") -> Who:
    """Those who were credited and don't redeem within so many days."""
    return Who(CREDITED, absence=Absence(of, int(days * DAY)))


@dataclass
class World:
    """The service, the shop's webhook, and the channel that leads to it."""

    service: Service
    shop: Receiver
    channel_id: str
    inbox_id: str

    @property
    def campaigns(self) -> Any:
        return self.service.inside.campaigns

    @property
    def clock(self) -> VirtualClock:
        return self.service.clock

    @property
    def client(self) -> Any:
        return self.service.client

    async def draft(
        self, plan: Plan | None = None, name: str = "Reminder", **more: Any
    ) -> Campaign:
        """A draft of a campaign that greets whoever is credited, but for what is said."""
        given = plan or Plan(who(), channel_id=self.channel_id, message=HELLO)
        made = await self.campaigns.create_campaign(name, replace(given, **more), TERMINAL)
        assert not isinstance(made, Refusal), made
        return made

    async def publish(
        self, plan: Plan | None = None, name: str = "Reminder", **more: Any
    ) -> Campaign:
        """The same, running."""
        draft = await self.draft(plan, name, **more)
        running = await self.campaigns.publish(draft.id, TERMINAL)
        assert not isinstance(running, Refusal), running
        return running

    async def rewarding(self, reward: Reward, name: str = "Bonus", **more: Any) -> Campaign:
        """A running campaign that gives points and says nothing."""
        return await self.publish(Plan(who(), reward=reward), name, **more)

    async def work(self) -> int:
        """Write what is due, and do all that campaigns have to do now."""
        await self.service.sweep()
        return await self.service.plan()

    async def deliveries(self, campaign: Campaign | None = None) -> list[Delivery]:
        """All deliveries, oldest first."""
        from campaigns.pages import DeliveryFilter, page_deliveries  # noqa: PLC0415

        wanted = DeliveryFilter(campaign_id=campaign.id if campaign else None)
        read = self.service.inside.database.read
        page = await read(page_deliveries, Window(first=1_000), wanted, self.clock())
        return [delivery for _, delivery in page.items][::-1]

    async def ends(self, campaign: Campaign | None = None) -> list[tuple[str, str | None]]:
        """Each delivery's status now, and its reason."""
        found = await self.deliveries(campaign)
        return [(one.status_at(self.clock()), one.reason) for one in found]

    @property
    def bodies(self) -> list[str]:
        """What the shop was told, message by message."""
        return [payload["data"]["body"] for payload in self.shop.payloads]


@asynccontextmanager
async def planning(database_url: str, clock: VirtualClock, **settings: Any) -> AsyncIterator[World]:
    """Run a service with campaigns, and the shop, until the block ends."""
    async with (
        receiver() as shop,
        running(database_url, clock, webhook_allowed_networks=LOOPBACK, **settings) as service,
    ):
        campaigns = service.inside.campaigns
        made = await campaigns.create_channel("shop", "WEBHOOK", {"url": shop.url}, TERMINAL)
        assert not isinstance(made, Refusal), made
        channel, shop.secret = made
        inbox, _ = await campaigns.create_channel("inbox", "INBOX", {}, TERMINAL)
        yield World(service, shop, channel.id, inbox.id)
