"""Programs: the rules that wallets keep, opening one, and what its points came to."""

from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry
from strawberry import UNSET

from graph.choices import Choice, choice
from graph.context import Info
from graph.errors import InvalidInput, NameTaken, ProgramNotFound, listed
from graph.nodes import Node
from graph.pagination import After, Before, Connection, First, Last, Listing
from graph.scalars import DateTime, Duration, Points, TimeZone, given, sought
from graph.summaries import ProgramSummary
from ledger import records, registry
from ledger.pages import page_programs
from ledger.refusals import Refusal

if TYPE_CHECKING:
    from graph.wallets import Wallet


@choice("When the points of a program expire.")
class ExpiryRule(Choice):
    """See ledger/calendar.py."""

    NEVER = "NEVER", "They don't."
    AFTER = "AFTER", "`count` days, months or years after they became active."
    END_OF_CALENDAR_YEAR = (
        "END_OF_CALENDAR_YEAR",
        (
            "At the end of the `count`-th calendar year after the year they were given in, in the"
            " program's time zone. 0 is the end of that year itself."
        ),
    )
    INACTIVITY = (
        "INACTIVITY",
        (
            "`count` days, months or years after the wallet was last used: each credit, debit,"
            " capture or transfer starts the time anew for all its points that are still there."
        ),
    )


@choice("What an expiry rule counts.")
class PeriodUnit(Choice):
    """Months and years end on the month's last day where the day isn't there."""

    DAY = "DAY", "Days by the wall clock of the program's time zone."
    MONTH = "MONTH", "Calendar months."
    YEAR = "YEAR", "Calendar years."


@choice("Which points are spent first.")
class Consumption(Choice):
    """See ledger/lots.py."""

    EARLIEST_EXPIRY = "EARLIEST_EXPIRY", "Those that expire first."
    EARLIEST_ISSUANCE = "EARLIEST_ISSUANCE", "Those that were given first."


@choice("Which way a computed amount is rounded.")
class RoundingMode(Choice):
    """See ledger/points.py."""

    UP = "UP", "Away from zero."
    DOWN = "DOWN", "Towards zero."


@strawberry.type(description="When the points of a program expire.")
class Expiry:
    """A credit's own `expiresAt` wins over it."""

    rule: ExpiryRule = strawberry.field(description="The kind of rule.")
    count: int | None = strawberry.field(description="How many units, where the rule counts any.")
    unit: PeriodUnit | None = strawberry.field(
        description=(
            "What is counted: days, months or years. Null where the rule counts years or nothing."
        )
    )


@strawberry.type(description="How finely a program divides a point.")
class Rounding:
    """An amount that a caller states is never rounded: one that is too fine is refused."""

    decimals: int = strawberry.field(description="0 to 3 decimals.")
    mode: RoundingMode = strawberry.field(
        description="Which way an amount that the program computes is rounded."
    )


@strawberry.type(
    description=(
        "A set of rules that wallets keep. Fixed when it is created, apart from `pointsName` and"
        " `consumption`."
    )
)
class Program(Node):
    """See models.programs.Program."""

    name: str = strawberry.field(description="Unique; never changes.")
    points_name: str = strawberry.field(description="What members call the points.")
    expiry: Expiry = strawberry.field(description="When points expire.")
    activation_delay: Duration | None = strawberry.field(
        description="How long credits are promised before they become active, if they are."
    )
    consumption: Consumption = strawberry.field(description="Which points are spent first.")
    rounding: Rounding = strawberry.field(description="How finely a point is divided.")
    time_zone: TimeZone = strawberry.field(
        description="The time zone of the calendar by which points expire."
    )
    max_balance: Points | None = strawberry.field(
        description="The most that a wallet may hold, promised and held points included."
    )
    expiring_soon_days: int = strawberry.field(
        description="How many days before its points expire a member is warned."
    )
    created_at: DateTime = strawberry.field(description="When it was created.")

    @classmethod
    def of(cls, record: records.Program) -> "Program":
        return cls(
            id=strawberry.ID(record.id),
            name=record.name,
            points_name=record.points_name,
            expiry=Expiry(
                rule=cast("ExpiryRule", record.expiry_rule),
                count=record.expiry_count,
                unit=cast("PeriodUnit | None", record.expiry_unit),
            ),
            activation_delay=record.activation_delay,
            consumption=cast("Consumption", record.consumption),
            rounding=Rounding(
                decimals=record.rounding_decimals,
                mode=cast("RoundingMode", record.rounding_mode),
            ),
            time_zone=record.time_zone,
            max_balance=record.max_balance,
            expiring_soon_days=record.expiring_soon_days,
            created_at=record.created_at,
        )

    @strawberry.field(description="The program's wallets, newest first.")
    async def wallets(
        self,
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Annotated["Wallet", strawberry.lazy("graph.wallets")]]:
        window = Listing("wallets", self.id).window(first, after, last, before)
        return await info.context.loaders.wallets_of_program(self.id, window)

    @strawberry.field(
        description="What its points came to: all time, or the flows from an instant up to another."
    )
    async def summary(
        self,
        info: Info,
        from_: Annotated[
            DateTime | None,
            strawberry.argument(name="from", description="Flows from this instant on."),
        ] = UNSET,
        to: Annotated[
            DateTime | None, strawberry.argument(description="Flows before this instant.")
        ] = UNSET,
    ) -> ProgramSummary:
        return await info.context.loaders.summary(self.id, given(from_), given(to))


# ── reading and writing ─────────────────────────────────────────────────────────────────────────


@strawberry.type
class ProgramQueries:
    """The queries about programs."""

    @strawberry.field(description="The program of this name; null if there is none.")
    async def program(
        self,
        info: Info,
        name: Annotated[str, strawberry.argument(description="The program's name, exactly.")],
    ) -> Program | None:
        return await info.context.loaders.find_program_named(name)

    @strawberry.field(description="All programs, newest first.")
    async def programs(
        self, info: Info, first: First = UNSET, after: After = UNSET
    ) -> Connection[Program]:
        listing = Listing("programs")
        page = await info.context.read(page_programs, listing.window(first, after))
        return listing.connection(page, Program.of)


CreateProgramError = Annotated[
    InvalidInput | NameTaken,
    strawberry.union("CreateProgramError", description="Why a program was not created."),
]
UpdateProgramError = Annotated[
    InvalidInput | ProgramNotFound,
    strawberry.union("UpdateProgramError", description="Why a program was not changed."),
]


@strawberry.input(description="When points expire.")
class ExpiryInput:
    """See Expiry."""

    rule: ExpiryRule = strawberry.field(description="The kind of rule.")
    count: int | None = strawberry.field(
        description=(
            "How many days, months or years; for END_OF_CALENDAR_YEAR how many years after the"
            " year of issuance. NEVER takes none."
        )
    )
    unit: PeriodUnit | None = strawberry.field(
        description="What `count` counts; only AFTER and INACTIVITY take one."
    )


@strawberry.input(description="How finely a point is divided.")
class RoundingInput:
    """See Rounding."""

    decimals: int = strawberry.field(default=0, description="0 to 3 decimals.")
    mode: RoundingMode = strawberry.field(
        default=RoundingMode.DOWN, description="Which way a computed amount is rounded."
    )


@strawberry.input(description="A program to open. All but two of its rules are then fixed.")
class CreateProgramInput:
    """See ledger.registry.CreateProgram."""

    name: str = strawberry.field(
        description="Unique; 1 to 100 characters. It is how wallets name their program."
    )
    points_name: str = strawberry.field(
        description="What members call the points; 1 to 100 characters."
    )
    expiry: ExpiryInput | None = strawberry.field(
        description="When points expire; never if left out."
    )
    activation_delay: Duration | None = strawberry.field(
        description=(
            "How long credits are promised before they become active; not at all if left out."
        )
    )
    consumption: Consumption = strawberry.field(
        default=Consumption.EARLIEST_EXPIRY, description="Which points are spent first."
    )
    rounding: RoundingInput | None = strawberry.field(
        description="How finely a point is divided; whole points if left out."
    )
    time_zone: TimeZone = strawberry.field(
        default="UTC", description="The time zone of the calendar by which points expire."
    )
    max_balance: Points | None = strawberry.field(
        description="The most that a wallet may hold; without limit if left out."
    )
    expiring_soon_days: int = strawberry.field(
        default=7, description="How many days before its points expire a member is warned."
    )

    def to_command(self) -> registry.CreateProgram:
        rules: dict[str, Any] = {}
        if self.expiry:
            rules["expiry_rule"] = str(self.expiry.rule)
            rules["expiry_count"] = self.expiry.count
            rules["expiry_unit"] = self.expiry.unit and str(self.expiry.unit)
        if self.rounding:
            rules["rounding_decimals"] = self.rounding.decimals
            rules["rounding_mode"] = str(self.rounding.mode)
        return registry.CreateProgram(
            name=self.name,
            points_name=self.points_name,
            activation_delay=self.activation_delay,
            consumption=str(self.consumption),
            time_zone=self.time_zone,
            max_balance=self.max_balance,
            expiring_soon_days=self.expiring_soon_days,
            **rules,
        )


@strawberry.input(description="The two rules of a program that may change. What is left out stays.")
class UpdateProgramInput:
    """See ledger.registry.UpdateProgram."""

    id: strawberry.ID = strawberry.field(description="The program's id.")
    points_name: str | None = strawberry.field(description="What members call the points.")
    consumption: Consumption | None = strawberry.field(
        description="Which points are spent first, from now on."
    )

    def to_command(self) -> registry.UpdateProgram:
        return registry.UpdateProgram(
            id=sought(self.id),
            points_name=self.points_name,
            consumption=self.consumption and str(self.consumption),
        )


@strawberry.type(description="The new program, or why there is none.")
class CreateProgramPayload:
    """The answer to createProgram."""

    program: Program | None = strawberry.field(description="The new program.")
    errors: list[CreateProgramError] = strawberry.field(description="Empty on success.")


@strawberry.type(description="The changed program, or why it wasn't changed.")
class UpdateProgramPayload:
    """The answer to updateProgram."""

    program: Program | None = strawberry.field(description="The program as it is now.")
    errors: list[UpdateProgramError] = strawberry.field(description="Empty on success.")


def _shaped(answer: records.Program | Refusal) -> dict[str, Any]:
    if isinstance(answer, Refusal):
        return {"program": None, "errors": listed(answer)}
    return {"program": Program.of(answer), "errors": []}


@strawberry.type
class ProgramMutations:
    """The mutations about programs."""

    @strawberry.mutation(description="Open a program.")
    async def create_program(
        self,
        info: Info,
        input: Annotated[CreateProgramInput, strawberry.argument(description="Its rules.")],
    ) -> CreateProgramPayload:
        info.context.renew()
        answer = await info.context.ledger.create_program(input.to_command(), info.context.actor)
        return CreateProgramPayload(**_shaped(answer))

    @strawberry.mutation(description="Change a program's points' name, or which are spent first.")
    async def update_program(
        self,
        info: Info,
        input: Annotated[UpdateProgramInput, strawberry.argument(description="What to change.")],
    ) -> UpdateProgramPayload:
        info.context.renew()
        answer = await info.context.ledger.update_program(input.to_command(), info.context.actor)
        return UpdateProgramPayload(**_shaped(answer))
