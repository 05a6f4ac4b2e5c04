"""Schema: the whole of the API. `schema.graphql` is printed from here."""

from functools import lru_cache
from typing import Any, Final

import strawberry
from graphql import GraphQLError, GraphQLInputObjectType, GraphQLSchema
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types import ExecutionContext
from strawberry.types.graphql import OperationType
from typing_extensions import override

from graph.access import guard
from graph.api_keys import ApiKeyMutations, ApiKeyQueries
from graph.audit import AuditQueries
from graph.campaign_moves import CampaignMutations
from graph.campaigns import CampaignQueries
from graph.channels import ChannelMutations, ChannelQueries
from graph.compiled.conversions import plan_conversions
from graph.coupons import CouponMutations, CouponQueries
from graph.credits import CreditMutations
from graph.debits import DebitMutations
from graph.deliveries import DeliveryQueries, DeliverySubscriptions
from graph.documents import Documents
from graph.event_schemas import EventSchemaQueries
from graph.execution import Execution, note_short_cuts
from graph.faults import told
from graph.health import HealthQueries
from graph.holds import HoldMutations
from graph.inbox import InboxSubscriptions
from graph.members import MemberMutations, MemberQueries
from graph.nodes import NodeQueries
from graph.points_credited import PointsCreditedQueries, PointsCreditedSubscriptions
from graph.programs import ProgramMutations, ProgramQueries
from graph.scalars import SCALARS
from graph.stages import Stages
from graph.transactions import TransactionQueries
from graph.transfers import TransferMutations
from graph.trials import TrialMutations
from graph.wallets import WalletMutations, WalletQueries


@strawberry.type(description="What can be read. Reading never writes.")
class Query(
    NodeQueries,
    ProgramQueries,
    MemberQueries,
    WalletQueries,
    TransactionQueries,
    PointsCreditedQueries,
    HealthQueries,
    AuditQueries,
    ApiKeyQueries,
    CouponQueries,
    ChannelQueries,
    CampaignQueries,
    DeliveryQueries,
    EventSchemaQueries,
):
    """Every query, by noun."""


@strawberry.type(
    description=(
        "What can be done. Each takes one `input` and answers with what it did, or with typed"
        " `errors` that say what to put right; then nothing was done."
    )
)
class Mutation(
    ProgramMutations,
    MemberMutations,
    CreditMutations,
    DebitMutations,
    HoldMutations,
    TransferMutations,
    WalletMutations,
    ApiKeyMutations,
    CouponMutations,
    ChannelMutations,
    CampaignMutations,
    TrialMutations,
):
    """Every mutation, by noun."""


@strawberry.type(description="What can be watched.")
class Subscription(PointsCreditedSubscriptions, DeliverySubscriptions, InboxSubscriptions):
    """Over a WebSocket at the same address, by graphql-transport-ws."""


class Names(NameConverter):
    """Strawberry's names, each made once: it asks for them with every input of every request."""

    apply_naming_config = lru_cache(maxsize=None)(NameConverter.apply_naming_config)


class Schema(strawberry.Schema):
    """Strawberry's, with errors told as graph.faults has it."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts, execution_context_class=Execution)
        guard(self._schema)
        note_short_cuts(self._schema)
        plan_conversions(self._schema, self.config)
        for kind in self._schema.type_map.values():
            # Strawberry checks oneOf itself, too late to say in which field; graphql-core says it.
            if isinstance(kind, GraphQLInputObjectType):
                kind.is_one_of = kind.extensions["strawberry-definition"].is_one_of

    @override
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        assert execution_context, "errors are those of an operation"
        # Of what was never begun the kind may not be known, and nothing of it is done.
        is_begun = any(error.path for error in errors)
        is_mutation = is_begun and execution_context.operation_type is OperationType.MUTATION
        errors[:] = self.tell(errors, execution_context.context.request_id, is_mutation=is_mutation)

    def tell(
        self, errors: list[GraphQLError], request_id: str, *, is_mutation: bool
    ) -> list[GraphQLError]:
        """An operation's errors as its caller hears of them."""

        def is_done(error: GraphQLError) -> bool:
            """It was met below a mutation, whose work was done by then."""
            return is_mutation and error.path is not None and len(error.path) > 1

        return [told(error, request_id, is_done=is_done(error)) for error in errors]

    @property
    def graphql(self) -> GraphQLSchema:
        """graphql-core's."""
        return self._schema

    @override
    def create_extensions_runner(
        self, execution_context: ExecutionContext, extensions: list[SchemaExtension]
    ) -> Stages:
        return Stages(execution_context, extensions)

    @override
    def as_str(self) -> str:
        """The schema as it is kept in `schema.graphql`: sorted.

        It is sorted for printing only: of a sorted schema, Strawberry 0.341 can't resolve a union.
        """
        config = StrawberryConfig(scalar_map=SCALARS, sort_schema=True)
        in_order = strawberry.Schema(Query, Mutation, Subscription, config=config)
        return in_order.as_str()


schema: Final = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[Documents],
    config=StrawberryConfig(scalar_map=SCALARS, name_converter=Names()),
)
