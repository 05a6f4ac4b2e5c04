"""Plans: what a campaign gives, when, and how often."""

from typing import cast

import strawberry

from campaigns import plans
from graph.choices import Choice, choice
from graph.context import Info
from graph.execution import null_without
from graph.programs import Program
from graph.scalars import DateTime, Duration, Points, sought
from graph.who import WhoInput


@choice("What becomes of a message whose time is within quiet hours.")
class QuietPolicy(Choice):
    """See campaigns.plans.When."""

    HOLD = "HOLD", "It waits for their end."
    DROP = "DROP", "It is skipped."


@choice("How often a campaign reaches the same.")
class Per(Choice):
    """See campaigns.plans.Limits."""

    EVERY_TRIGGER = "EVERY_TRIGGER", "Once for each event."
    ONCE_PER_MEMBER = "ONCE_PER_MEMBER", "Once for each member."
    ONCE_PER_WALLET = "ONCE_PER_WALLET", "Once for each wallet."


@strawberry.type(
    description=(
        "What is written: templates of Liquid, with `Event`, `Profile`, `Wallet` and `Campaign`."
    )
)
class Message:
    """See campaigns.plans.Message."""

    subject: str | None = strawberry.field(description="What stands above it, if anything does.")
    body: str = strawberry.field(description="The message itself.")
    html: str | None = strawberry.field(description="The same as HTML, for e-mail.")

    @classmethod
    def of(cls, message: plans.Message) -> "Message":
        return cls(subject=message.subject, body=message.body, html=message.html)


@strawberry.type(description="What is credited: fixed points, or a percentage of a property.")
class Reward:
    """See campaigns.plans.Reward."""

    program_id: strawberry.Private[str | None]
    points: Points | None = strawberry.field(description="How many points, if so many.")
    percent_of: str | None = strawberry.field(
        description="The property of the event of which it is a percentage."
    )
    percent: float | None = strawberry.field(description="How many percent of it.")
    description: str | None = strawberry.field(description="What the credit says of it.")

    @classmethod
    def of(cls, reward: plans.Reward) -> "Reward":
        return cls(
            program_id=reward.program_id,
            points=reward.points,
            percent_of=reward.percent_of,
            percent=reward.percent,
            description=reward.description,
        )

    @strawberry.field(
        description="The program whose points they are; null where it is that of the event.",
        metadata=null_without("program_id"),
    )
    async def program(self, info: Info) -> Program | None:
        return await info.context.loaders.get_program(self.program_id) if self.program_id else None


@strawberry.type(description="When it is sent, and from when until when the campaign runs.")
class When:
    """See campaigns.plans.When."""

    delay: Duration | None = strawberry.field(
        description="How long after the event; at once if null."
    )
    quiet_from: str | None = strawberry.field(
        description="When quiet hours begin, like `22:00` in the member's time zone."
    )
    quiet_to: str | None = strawberry.field(description="When they end, like `08:00`.")
    quiet_policy: QuietPolicy = strawberry.field(
        description="What becomes of a message whose time is within them."
    )
    starts_at: DateTime | None = strawberry.field(
        description="Events before this instant don't count."
    )
    ends_at: DateTime | None = strawberry.field(
        description="The first instant at which the campaign is over, and nothing more is sent."
    )

    @classmethod
    def of(cls, when: plans.When) -> "When":
        return cls(
            delay=when.delay,
            quiet_from=when.quiet_from,
            quiet_to=when.quiet_to,
            quiet_policy=cast("QuietPolicy", when.quiet_policy),
            starts_at=when.starts_at,
            ends_at=when.ends_at,
        )


@strawberry.type(description="How often, how many, how fast, and who is left out on purpose.")
class Limits:
    """See campaigns.plans.Limits."""

    per: Per = strawberry.field(description="How often it reaches the same.")
    min_gap: Duration | None = strawberry.field(
        description="The least time between two messages to a member."
    )
    max_deliveries: int | None = strawberry.field(description="How many in all.")
    per_minute: int | None = strawberry.field(description="How many a minute.")
    control_percent: float = strawberry.field(
        description="How many percent of members get nothing, to be compared with."
    )

    @classmethod
    def of(cls, limits: plans.Limits) -> "Limits":
        return cls(
            per=cast("Per", limits.per),
            min_gap=limits.min_gap,
            max_deliveries=limits.max_deliveries,
            per_minute=limits.per_minute,
            control_percent=limits.control_percent,
        )


# ── inputs ──────────────────────────────────────────────────────────────────────────────────────


@strawberry.input(
    description=(
        "What to write: templates of Liquid, with `Event`, `Profile`, `Wallet` and `Campaign`."
    )
)
class MessageInput:
    """See Message."""

    subject: str | None = strawberry.field(description="What is to stand above it.")
    body: str = strawberry.field(description="The message itself.")
    html: str | None = strawberry.field(description="The same as HTML, for e-mail.")

    def to_message(self) -> plans.Message:
        return plans.Message(body=self.body, subject=self.subject, html=self.html)


@strawberry.input(description="What to credit: `points`, or `percent` of the property `percentOf`.")
class RewardInput:
    """See Reward."""

    points: Points | None = strawberry.field(
        description="How many points; more than 0, with the program's decimals."
    )
    percent_of: str | None = strawberry.field(
        description="A number among the event's properties, like `saleAmount`."
    )
    percent: float | None = strawberry.field(
        description="How many percent of it, rounded once by the program; more than 0."
    )
    program_id: strawberry.ID | None = strawberry.field(
        description="The program whose points they are; that of the event if left out."
    )
    description: str | None = strawberry.field(
        description="What the credit is to say of it; at most 500 characters."
    )

    def to_reward(self) -> plans.Reward:
        return plans.Reward(
            points=self.points,
            percent_of=self.percent_of,
            percent=self.percent,
            program_id=sought(self.program_id),
            description=self.description,
        )


@strawberry.input(description="When to send it, and from when until when the campaign is to run.")
class WhenInput:
    """See When."""

    delay: Duration | None = strawberry.field(
        description="How long after the event, at most 366 days; at once if left out."
    )
    quiet_from: str | None = strawberry.field(
        description="When quiet hours begin, like `22:00` in the member's time zone."
    )
    quiet_to: str | None = strawberry.field(description="When they end, like `08:00`.")
    quiet_policy: QuietPolicy = strawberry.field(
        default=QuietPolicy.HOLD,
        description="What becomes of a message whose time is within them.",
    )
    starts_at: DateTime | None = strawberry.field(
        description="Events before this instant don't count; all do if left out."
    )
    ends_at: DateTime | None = strawberry.field(
        description="The first instant at which the campaign is over; never if left out."
    )

    def to_when(self) -> plans.When:
        return plans.When(
            delay=self.delay,
            quiet_from=self.quiet_from,
            quiet_to=self.quiet_to,
            quiet_policy=str(self.quiet_policy),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


@strawberry.input(description="How often, how many, how fast, and whom to leave out on purpose.")
class LimitsInput:
    """See Limits."""

    per: Per = strawberry.field(
        default=Per.EVERY_TRIGGER, description="How often it reaches the same."
    )
    min_gap: Duration | None = strawberry.field(
        description="The least time between two messages to a member; none if left out."
    )
    max_deliveries: int | None = strawberry.field(
        description="How many in all; without limit if left out."
    )
    per_minute: int | None = strawberry.field(
        description="How many a minute; without limit if left out."
    )
    control_percent: float = strawberry.field(
        default=0.0,
        description="How many percent of members are to get nothing, to be compared with.",
    )

    def to_limits(self) -> plans.Limits:
        return plans.Limits(
            per=str(self.per),
            min_gap=self.min_gap,
            max_deliveries=self.max_deliveries,
            per_minute=self.per_minute,
            control_percent=self.control_percent,
        )


@strawberry.input(description="All that a campaign is to be: it replaces what was there whole.")
class CampaignInput:
    """See campaigns.plans.Plan."""

    name: str = strawberry.field(description="What you call it; 1 to 100 characters.")
    who: WhoInput = strawberry.field(description="The members for whom it is.")
    channel_id: strawberry.ID | None = strawberry.field(
        description="The channel that its message goes by."
    )
    message: MessageInput | None = strawberry.field(description="What to write.")
    reward: RewardInput | None = strawberry.field(
        description="What to credit, before the message is sent."
    )
    when: WhenInput | None = strawberry.field(description="When; at once if left out.")
    limits: LimitsInput | None = strawberry.field(
        description="How often; for every event if left out."
    )
    conversion_within: Duration | None = strawberry.field(
        description="The goal: points are redeemed within so long of the message."
    )

    def to_plan(self) -> plans.Plan:
        return plans.Plan(
            who=self.who.to_who(),
            channel_id=sought(self.channel_id),
            message=self.message and self.message.to_message(),
            reward=self.reward and self.reward.to_reward(),
            when=self.when.to_when() if self.when else plans.When(),
            limits=self.limits.to_limits() if self.limits else plans.Limits(),
            conversion_within=self.conversion_within,
        )
