"""Who: the members a campaign is for, by an event, its properties, and what must not follow it."""

from typing import cast

import strawberry

from campaigns import conditions, plans
from graph.choices import Choice, choice
from graph.scalars import JSON, Duration


@choice("How many of the filters must hold.")
class Match(Choice):
    """See campaigns.conditions.Match."""

    ALL = "ALL", "Every one."
    ANY = "ANY", "One or more."


@choice(
    "How a property is compared. Text is compared to the letter, case and all. Where the property"
    " isn't there, only the negative operators hold."
)
class FilterOp(Choice):
    """See campaigns.conditions.OPS."""

    EQUALS = "EQUALS", "It is this text or number, or is true or false."
    NOT_EQUALS = "NOT_EQUALS", "It isn't this."
    IN = "IN", "It is one of these texts."
    NOT_IN = "NOT_IN", "It is none of these texts."
    CONTAINS = "CONTAINS", "This is somewhere in it."
    NOT_CONTAINS = "NOT_CONTAINS", "This is nowhere in it."
    STARTS_WITH = "STARTS_WITH", "It begins with this."
    ENDS_WITH = "ENDS_WITH", "It ends with this."
    EXISTS = "EXISTS", "It is there. Takes no value."
    NOT_EXISTS = "NOT_EXISTS", "It isn't there. Takes no value."
    GT = "GT", "It is more than this number."
    GTE = "GTE", "It is this number or more."
    LT = "LT", "It is less than this number."
    LTE = "LTE", "It is this number or less."
    BETWEEN = "BETWEEN", "It is between these two numbers or dates; both ends count."
    BEFORE = "BEFORE", "It is before this date."
    AFTER = "AFTER", "It is after this date."
    WITHIN_LAST = "WITHIN_LAST", "It is within this Duration before the event."


@choice("What must not happen.")
class AbsenceOf(Choice):
    """See campaigns.plans.Absence."""

    CREDIT_UNREDEEMED = (
        "CREDIT_UNREDEEMED",
        "The points of this very credit are used up, expire or are taken back.",
    )
    WALLET_UNREDEEMED = "WALLET_UNREDEEMED", "Anything is debited from the wallet."


@strawberry.type(description="What is asked of one property.")
class PropertyFilter:
    """See campaigns.conditions.PropertyFilter."""

    property: str = strawberry.field(description="The property's name, as on the wire.")
    op: FilterOp = strawberry.field(description="How it is compared.")
    value: JSON | None = strawberry.field(
        description="With what: a list for IN, NOT_IN and BETWEEN, a Duration for WITHIN_LAST."
    )

    @classmethod
    def of(cls, asked: conditions.PropertyFilter) -> "PropertyFilter":
        return cls(property=asked.property, op=cast("FilterOp", asked.op), value=asked.value)


@strawberry.type(description="What must not happen within a time of the event.")
class Absence:
    """See campaigns.plans.Absence."""

    of: AbsenceOf = strawberry.field(description="What must not happen.")
    within: Duration = strawberry.field(
        description="For how long, from the event on. The message waits for its end."
    )


@strawberry.type(description="The members for whom it is.")
class Who:
    """See campaigns.plans.Who."""

    event: str = strawberry.field(
        description="The event it begins with, by its name on the wire: see `eventSchemas`."
    )
    match: Match = strawberry.field(description="How many of `filters` must hold.")
    filters: list[PropertyFilter] = strawberry.field(
        description="What is asked of the event's properties; empty for every such event."
    )
    absence: Absence | None = strawberry.field(
        description="What must not follow the event, if anything mustn't."
    )
    profile: list[PropertyFilter] = strawberry.field(
        description=(
            "What is asked of the member: of Name, Email, Phone, Identity, TimeZone and attributes."
            " All must hold."
        )
    )

    @classmethod
    def of(cls, who: plans.Who) -> "Who":
        absence = who.absence
        return cls(
            event=who.event,
            match=cast("Match", who.match),
            filters=[PropertyFilter.of(each) for each in who.filters],
            absence=Absence(of=cast("AbsenceOf", absence.of), within=absence.within)
            if absence
            else None,
            profile=[PropertyFilter.of(each) for each in who.profile],
        )


# ── inputs ──────────────────────────────────────────────────────────────────────────────────────


@strawberry.input(description="What to ask of one property.")
class PropertyFilterInput:
    """See PropertyFilter."""

    property: str = strawberry.field(description="The property's name, as on the wire.")
    op: FilterOp = strawberry.field(
        description="How it is compared; it must fit the property's type."
    )
    value: JSON | None = strawberry.field(
        description=(
            "With what: a list for IN, NOT_IN and BETWEEN, a Duration for WITHIN_LAST, nothing for"
            " EXISTS and NOT_EXISTS. A date is RFC 3339 text."
        )
    )

    def to_filter(self) -> conditions.PropertyFilter:
        return conditions.PropertyFilter(self.property, str(self.op), self.value)


@strawberry.input(description="What must not happen within a time of the event.")
class AbsenceInput:
    """See Absence."""

    of: AbsenceOf = strawberry.field(description="What must not happen.")
    within: Duration = strawberry.field(
        description="For how long, from the event on; at most 366 days."
    )


@strawberry.input(description="The members for whom it is to be.")
class WhoInput:
    """See Who."""

    event: str = strawberry.field(
        description="The event it begins with, by its name on the wire: see `eventSchemas`."
    )
    match: Match = strawberry.field(
        default=Match.ALL, description="How many of `filters` must hold."
    )
    filters: list[PropertyFilterInput] = strawberry.field(
        default_factory=list[PropertyFilterInput],
        description="What to ask of the event's properties; at most 50.",
    )
    absence: AbsenceInput | None = strawberry.field(
        description="What must not follow the event; anything may if left out."
    )
    profile: list[PropertyFilterInput] = strawberry.field(
        default_factory=list[PropertyFilterInput],
        description=(
            "What to ask of the member: of Name, Email, Phone, Identity, TimeZone and attributes;"
            " at most 50. All must hold."
        ),
    )

    def to_who(self) -> plans.Who:
        return plans.Who(
            event=self.event,
            match=cast("conditions.Match", str(self.match)),
            filters=tuple(each.to_filter() for each in self.filters),
            absence=self.absence and plans.Absence(str(self.absence.of), self.absence.within),
            profile=tuple(each.to_filter() for each in self.profile),
        )
