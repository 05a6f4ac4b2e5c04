"""The desk of campaigns: one door to all that those who keep them, and the service, may do.

    campaigns = Campaigns(means, changes)
    made = await campaigns.create_campaign("A reminder", plan, by)    # a campaign, or a Refusal
    await campaigns.evaluate()                                        # events become deliveries
    await campaigns.deliver()                                         # what is due is carried

Plans are checked before anything is looked up, templates in a process of their own, and what is
saved is saved in one unit of work with who asked for it.
"""

from typing import Any, ParamSpec, TypeVar

from campaigns import registry, trials
from campaigns.changes import Changes
from campaigns.channels.checks import Fault
from campaigns.channels.parcels import Kind
from campaigns.channels.webhooks import SECRET
from campaigns.checks import check_plan, check_who
from campaigns.courier import Courier, Means
from campaigns.deliveries import find_deliveries
from campaigns.evaluator import evaluate, is_unread
from campaigns.liquid import Aborted, MissingProperty, Rendered, Template
from campaigns.plans import Message, Plan, Who
from campaigns.properties import SCHEMAS, check_sample, from_wire, sample
from campaigns.records import Campaign, Channel, Delivery
from campaigns.refusals import InvalidInput, Refusal, TemplateError
from campaigns.trials import Preview, Trial, roots_of
from events.audit import Actor
from ledger.checks import NAME_MAX, text

P = ParamSpec("P")
T = TypeVar("T")


class Campaigns:
    """All that can be done about campaigns. Every "no" is a Refusal, and changes nothing."""

    def __init__(self, means: Means, changes: Changes) -> None:
        self._means = means
        self.changes = changes
        self.courier = Courier(means)

    # ── channels ─────────────────────────────────────────────────────────────────────────────────

    async def create_channel(
        self, name: str, kind: Kind, settings: object, by: Actor
    ) -> tuple[Channel, str | None] | Refusal:
        """A new channel, and its signing secret if it has one: it is never told again."""
        wrong = next(text(name, NAME_MAX, "name"), None)
        if wrong:
            return wrong
        checked = self._means.ways.check_settings(kind, settings)
        if isinstance(checked, Fault):
            return InvalidInput(checked.message, checked.path)
        asked = registry.NewChannel(name, kind, checked.settings, checked.secrets)
        channel = await self._means.commit(registry.create_channel, asked, by)
        if isinstance(channel, Refusal):
            return channel
        return channel, checked.secrets.get(SECRET)

    # ── campaigns ────────────────────────────────────────────────────────────────────────────────

    async def create_campaign(self, name: str, plan: Plan, by: Actor) -> Campaign | Refusal:
        """A new campaign, as a draft."""
        if refusal := await self.check(name, plan):
            return refusal
        return await self._means.commit(registry.create_campaign, name, plan, by)

    async def update_campaign(
        self, campaign_id: str, name: str, plan: Plan, by: Actor
    ) -> Campaign | Refusal:
        """Change what is published next. A refusal's path begins within the campaign's input."""
        if refusal := await self.check(name, plan):
            return refusal
        return await self._means.commit(registry.update_campaign, campaign_id, name, plan, by)

    async def publish(self, campaign_id: str, by: Actor) -> Campaign | Refusal:
        """See registry.publish_campaign."""
        return await self._means.commit(registry.publish_campaign, campaign_id, by)

    async def pause(self, campaign_id: str, by: Actor) -> Campaign | Refusal:
        """See registry.pause_campaign."""
        return await self._means.commit(registry.pause_campaign, campaign_id, by)

    async def resume(self, campaign_id: str, by: Actor) -> Campaign | Refusal:
        """See registry.resume_campaign."""
        return await self._means.commit(registry.resume_campaign, campaign_id, by)

    async def stop(self, campaign_id: str, by: Actor, *, finishes: bool) -> Campaign | Refusal:
        """See registry.stop_campaign."""
        return await self._means.commit(registry.stop_campaign, campaign_id, finishes, by)

    async def clone(self, campaign_id: str, name: str, by: Actor) -> Campaign | Refusal:
        """See registry.clone_campaign."""
        if wrong := next(text(name, NAME_MAX, "name"), None):
            return wrong
        return await self._means.commit(registry.clone_campaign, campaign_id, name, by)

    async def check(self, name: str, plan: Plan) -> Refusal | None:
        """The first thing that is wrong with a plan."""
        wrong = next(check_plan(name, plan, self._means.clock()), None)
        if wrong or plan.message is None:
            return wrong
        return await self._check_message(plan.who, plan.message)

    async def _check_message(self, who: Who, message: Message) -> TemplateError | None:
        template = Template(message.subject, message.body, message.html)
        fault = await self._means.renderer.check(template, roots_of(who))
        if fault is None:
            return None
        path = ("message", fault.field)
        return TemplateError(fault.message, path, fault.line, fault.column, fault.suggestion)

    # ── trials ───────────────────────────────────────────────────────────────────────────────────

    async def preview(
        self,
        who: Who,
        message: Message,
        event_id: str | None = None,
        given: object = None,
    ) -> Rendered | Refusal:
        """The message as a real event, sample properties or a believable event would have it.

        `given` is a sample as JSON, dates as text.
        """
        if wrong := next(check_who(who), None):
            return wrong
        if event_id is not None and given is not None:
            return InvalidInput("give an event or a sample, not both.", ("sample",))
        said = _said(who.event, given)
        if isinstance(said, Refusal):
            return said
        if refusal := await self._check_message(who, message):
            return refusal
        asked = Preview(who, "Preview", event_id, said)
        now = self._means.clock()
        scene = await self._means.database.read(trials.scene_of, now, asked)
        if isinstance(scene, Refusal):
            return scene
        template = Template(message.subject, message.body, message.html)
        # One name for all: what the worker keeps parsed is for what is sent.
        return _shown(await self._means.renderer.render("preview", template, scene))

    async def send_test(self, asked: Trial, by: Actor) -> Delivery | Refusal:
        """Send a message to try it, and tell what came of it."""
        begun = await self._means.commit(trials.begin_trial, asked, self.courier.situations, by)
        if isinstance(begun, Refusal | Delivery):
            return begun
        await self.courier.carry([begun])
        found = await self._means.database.read(find_deliveries, [begun.delivery.id])
        return found[begun.delivery.id]

    async def retry(self, delivery_id: str, by: Actor) -> Delivery | Refusal:
        """See registry.retry_delivery."""
        return await self._means.commit(registry.retry_delivery, delivery_id, by)

    # ── work ─────────────────────────────────────────────────────────────────────────────────────

    async def evaluate(self) -> int:
        """Read the log on by a page; 0 when nothing is left to read."""
        if not await self._means.database.read(is_unread):
            return 0
        read = await self._means.commit(evaluate, self._means.versions)
        if read:
            self._means.passed("evaluated")
            self._means.changed()
        return read

    async def close(self) -> None:
        """End what follows changes, and all that was opened to render and to send."""
        self.changes.close()
        await self._means.renderer.close()
        await self._means.ways.close()

    async def deliver(self) -> int:
        """Carry all that is due, until nothing is; gives how many deliveries were dealt with."""
        return await self.courier.work()


def _said(event: str, given: Any) -> dict[str, Any] | InvalidInput:
    """What the event says in a preview; believable words where none are given."""
    if given is None:
        return sample(event)
    wrong = next(check_sample(given, SCHEMAS[event], ("sample",)), None)
    return wrong or from_wire(given)


def _shown(written: Any) -> Rendered | InvalidInput:
    match written:
        case Rendered():
            return written
        case Aborted(reason):
            return InvalidInput(f"the template aborts the message: {reason}.", ("message",))
        case MissingProperty(name):
            return InvalidInput(f"{name} is missing: nothing would be sent.", ("message",))
        case _:
            return InvalidInput(f"the message {written.message}.", ("message",))
