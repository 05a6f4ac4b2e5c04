"""The demo's campaigns: a reminder, a bonus and a warning, which run as soon as they are made."""

from dataclasses import dataclass
from typing import Final

from campaigns.conditions import PropertyFilter
from campaigns.desk import Campaigns
from campaigns.plans import Absence, Message, Plan, Reward, Who
from campaigns.records import Campaign
from campaigns.refusals import Refusal
from events.audit import TERMINAL
from ledger import Ledger
from models.database import Database
from server.clock import Clock
from server.planning import Bells, plan_campaigns
from server.settings import CannotRun, Settings
from server.story import DAY

CREDITED: Final = "CT Points Credited"
REMINDED_AFTER: Final = 3 * DAY
CONVERTS_WITHIN: Final = 7 * DAY
WORTH_REMINDING: Final = 20
LARGE: Final = 100
WORTH_WARNING: Final = 80
TENTH: Final = 10.0

GUEST_OF: Final = "demo"
"""The attribute by which the demo's guests are told from members who really are some."""

HELLO: Final = "{{ Profile.Name | default: 'Hello' }}"
EARNED: Final = "you earned {{ Event.points }} {{ Wallet.pointsName }}"

REMINDER: Final = Message(
    subject="{{ Event.points }} {{ Wallet.pointsName }} are waiting for you",
    body=f"{HELLO}, {EARNED} three days ago and haven't used them yet.",
)
BONUS: Final = Message(
    subject="A tenth on top",
    body=f"{HELLO}, {EARNED} at once: here is a tenth of that on top.",
)
WARNING: Final = Message(
    subject="{{ Event.points }} {{ Wallet.pointsName }} expire soon",
    body=f"{HELLO}, use your {{{{ Event.points }}}} {{{{ Wallet.pointsName }}}}"
    " before {{ Event.pointsExpiry | date: '%d %B' }}.",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """Where the campaigns' messages go, and whom they are for.

    `guests_of` is the program whose guests alone they are for; None, all members.
    """

    channel: str
    port: int
    guests_of: str | None


async def open_campaigns(
    settings: Settings, database: Database, clock: Clock, ledger: Ledger, shown: Shown
) -> str:
    """Open the channel, and have the campaigns run; gives the channel's secret.

    They hear of what happens from now on. Raises CannotRun.
    """
    campaigns = plan_campaigns(settings, database, clock, ledger, Bells(), None)
    try:
        url = f"http://127.0.0.1:{shown.port}/"
        made = await campaigns.create_channel(shown.channel, "WEBHOOK", {"url": url}, TERMINAL)
        if isinstance(made, Refusal):
            raise CannotRun(f"The channel {shown.channel!r} can't be opened: {made.message}")
        channel, secret = made
        assert secret, "a webhook has a secret"
        for name, plan in plans(channel.id, shown.guests_of).items():
            await _run(campaigns, name, plan)
        return secret
    finally:
        await campaigns.close()


async def _run(campaigns: Campaigns, name: str, plan: Plan) -> None:
    draft = await campaigns.create_campaign(name, plan, TERMINAL)
    assert isinstance(draft, Campaign), draft
    running = await campaigns.publish(draft.id, TERMINAL)
    assert isinstance(running, Campaign), running


def plans(channel_id: str, guests_of: str | None) -> dict[str, Plan]:
    """The campaigns by their names."""
    profile = (PropertyFilter(GUEST_OF, "EQUALS", guests_of),) if guests_of else ()
    worth = PropertyFilter("points", "GTE", WORTH_REMINDING)
    warned = PropertyFilter("points", "GTE", WORTH_WARNING)
    large = PropertyFilter("points", "GTE", LARGE)
    unredeemed = Absence("CREDIT_UNREDEEMED", REMINDED_AFTER)
    return {
        "Earned and not used": Plan(
            Who(CREDITED, filters=(worth,), absence=unredeemed, profile=profile),
            channel_id,
            REMINDER,
            conversion_within=CONVERTS_WITHIN,
        ),
        "A tenth on top": Plan(
            Who(CREDITED, filters=(large,), profile=profile),
            channel_id,
            BONUS,
            Reward(percent_of="points", percent=TENTH, description="A tenth on top"),
        ),
        "Use them in time": Plan(
            Who("Points Expiring Soon", filters=(warned,), profile=profile), channel_id, WARNING
        ),
    }
