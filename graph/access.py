"""Access: who may see and do what. The one place where rights are decided.

Every field of every type has a decision here; one without fails when the schema is made. A field is
open where whoever has the object may see it: what brought the object was decided before. Rights
say which fields a principal may ask for, `Sight` which objects there are for them: what isn't
theirs is answered as what isn't there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, Final

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema

from access.principal import Principal, Scope
from graph.compiled import BEFORE
from graph.faults import Forbidden


@dataclass(frozen=True, slots=True)
class Right:
    """All of these scopes; or to be a member, where what a member gets is their own."""

    scopes: tuple[Scope, ...]
    member: bool = False

    def allows(self, principal: Principal) -> bool:
        if principal.identity is not None:
            return self.member
        return all(principal.has(scope) for scope in self.scopes)


OPEN: Final = Right((), member=True)
READ_OWN: Final = Right(("wallets:read",), member=True)
READ: Final = Right(("wallets:read",))
FOLLOW_OWN: Final = Right(("events:read",), member=True)
CREDIT: Final = Right(("points:credit",))
DEBIT: Final = Right(("points:debit",))
MOVE: Final = Right(("points:credit", "points:debit"))
CAMPAIGN: Final = Right(("campaigns:write",))
ADMINISTER: Final = Right(("admin",))

DECISIONS: Final[dict[str, dict[Right, str]]] = {
    "Query": {
        # Each object by its own: see Sight.
        OPEN: "node nodes",
        READ_OWN: "member wallet wallets transaction transactions",
        READ: "program programs creditedNotRedeemed coupon",
        FOLLOW_OWN: "pointsCreditedEvents eventCursor",
        CAMPAIGN: "channels campaign campaigns deliveries eventSchemas reach",
        ADMINISTER: "ledgerHealth auditLog apiKeys",
    },
    "Mutation": {
        CREDIT: "creditPoints creditPointsBatch refundDebit upsertMember createCoupon redeemCoupon",
        DEBIT: "debitPoints holdPoints captureHold releaseHold reverseCredit",
        MOVE: "transferPoints",
        CAMPAIGN: "createChannel createCampaign updateCampaign publishCampaign pauseCampaign"
        " resumeCampaign stopCampaign cloneCampaign previewMessage sendTestMessage retryDelivery",
        ADMINISTER: "createProgram updateProgram eraseMember freezeWallet createApiKey"
        " revokeApiKey",
    },
    "Subscription": {FOLLOW_OWN: "pointsCredited inboxMessage", CAMPAIGN: "deliveryUpdated"},
    "Program": {
        OPEN: "id name pointsName expiry activationDelay consumption rounding timeZone maxBalance"
        " expiringSoonDays createdAt",
        READ: "wallets summary",
    },
    "Member": {
        OPEN: "id identity name email phone timeZone attributes",
        READ_OWN: "wallets inbox",
    },
    "Wallet": {
        OPEN: "id program status balance lifetime expiring createdAt",
        READ_OWN: "member holds transactions",
    },
    "Transaction": {
        OPEN: "id wallet sequence kind points change balanceAfter source campaignId couponCode"
        " description activeAt expiresAt order metadata effectiveAt createdAt",
        READ_OWN: "related hold",
    },
    "Hold": {OPEN: "id wallet points captured released status expiresAt createdAt"},
    "Coupon": {
        OPEN: "id code program points percentOfSale minimumSale totalLimit memberLimit startsAt"
        " endsAt redeemed"
    },
    "Channel": {OPEN: "id name kind settings disabled"},
    "Campaign": {
        OPEN: "id name status version who channel message reward when limits conversionWithin stats"
        " deliveries createdAt",
    },
    "Delivery": {
        OPEN: "id campaign version eventId status reason detail dueAt subject body attempts"
        " createdAt",
        READ: "member wallet",
    },
    "InboxMessage": {OPEN: "id subject body sentAt readAt"},
    "PointsCredited": {
        OPEN: "id cursor name ctSource walletId transactionId points source campaignId"
        " pointsDescription eventTimestamp pointsExpiry couponCode couponId saleChannel locationId"
        " saleAmount identity programId",
        READ_OWN: "wallet transaction",
    },
    "AuditEntry": {OPEN: "id at actor keyId action subjectId requestId"},
    "ApiKey": {OPEN: "id name scopes createdAt expiresAt lastUsedAt revokedAt"},
    # What stands in an object that was decided on.
    "Absence": {OPEN: "of within"},
    "Attempt": {OPEN: "number startedAt finishedAt status error"},
    "Balance": {OPEN: "active promised held"},
    "CampaignStats": {
        OPEN: "qualified waiting sent failed heldOut skipped converted conversionRate"
        " controlConversionRate",
    },
    "CountByReason": {OPEN: "reason count"},
    "EventProperty": {OPEN: "name type values"},
    "EventSchema": {OPEN: "name properties"},
    "Expiry": {OPEN: "rule count unit"},
    "ExpiringPoints": {OPEN: "points expiresAt"},
    "LedgerHealth": {OPEN: "wallets transactions violations"},
    "Lifetime": {
        OPEN: "credited transferredIn transferredOut redeemed removed expired reversed",
    },
    "Limits": {OPEN: "per minGap maxDeliveries perMinute controlPercent"},
    "Message": {OPEN: "subject body html"},
    "Order": {OPEN: "id saleAmount saleChannel locationId"},
    "PageInfo": {OPEN: "hasNextPage hasPreviousPage startCursor endCursor"},
    "PointsBySource": {OPEN: "source points"},
    "ProgramSummary": {
        OPEN: "active promised held credited creditedBySource redeemed removed expired reversed",
    },
    "PropertyFilter": {OPEN: "property op value"},
    "Reach": {OPEN: "events members wallets"},
    "Reward": {OPEN: "points percentOf percent program description"},
    "Rounding": {OPEN: "decimals mode"},
    "When": {OPEN: "delay quietFrom quietTo quietPolicy startsAt endsAt"},
    "Who": {OPEN: "event match filters absence profile"},
    # Lists.
    "AuditEntryConnection": {OPEN: "edges pageInfo"},
    "AuditEntryEdge": {OPEN: "cursor node"},
    "ApiKeyConnection": {OPEN: "edges pageInfo"},
    "ApiKeyEdge": {OPEN: "cursor node"},
    "CampaignConnection": {OPEN: "edges pageInfo"},
    "CampaignEdge": {OPEN: "cursor node"},
    "DeliveryConnection": {OPEN: "edges pageInfo"},
    "DeliveryEdge": {OPEN: "cursor node"},
    "InboxConnection": {OPEN: "edges pageInfo"},
    "InboxEdge": {OPEN: "cursor node"},
    "HoldConnection": {OPEN: "edges pageInfo"},
    "HoldEdge": {OPEN: "cursor node"},
    "PointsCreditedConnection": {OPEN: "edges pageInfo"},
    "PointsCreditedEdge": {OPEN: "cursor node"},
    "ProgramConnection": {OPEN: "edges pageInfo"},
    "ProgramEdge": {OPEN: "cursor node"},
    "TransactionConnection": {OPEN: "edges pageInfo"},
    "TransactionEdge": {OPEN: "cursor node"},
    "WalletConnection": {OPEN: "edges pageInfo"},
    "WalletEdge": {OPEN: "cursor node"},
    # What a mutation answers.
    "CreateProgramPayload": {OPEN: "program errors"},
    "UpdateProgramPayload": {OPEN: "program errors"},
    "UpsertMemberPayload": {OPEN: "member errors"},
    "EraseMemberPayload": {OPEN: "erased errors"},
    "CreditPointsPayload": {OPEN: "transaction wallet replayed errors"},
    "CreditPointsBatchPayload": {OPEN: "results errors"},
    "DebitPointsPayload": {OPEN: "transaction wallet replayed errors"},
    "HoldPayload": {OPEN: "hold transaction wallet replayed errors"},
    "ReverseCreditPayload": {OPEN: "transaction wallet replayed errors"},
    "RefundDebitPayload": {OPEN: "transaction wallet replayed errors"},
    "TransferPointsPayload": {OPEN: "sent received replayed errors"},
    "FreezeWalletPayload": {OPEN: "wallet errors"},
    "CouponPayload": {OPEN: "coupon errors"},
    "RedeemCouponPayload": {OPEN: "transaction wallet replayed errors"},
    "CreateChannelPayload": {OPEN: "channel secret errors"},
    "CampaignPayload": {OPEN: "campaign errors"},
    "PreviewMessagePayload": {OPEN: "subject body html errors"},
    "DeliveryPayload": {OPEN: "delivery errors"},
    "CreateApiKeyPayload": {OPEN: "apiKey token errors"},
    "RevokeApiKeyPayload": {OPEN: "apiKey errors"},
    "NameTaken": {OPEN: "message path"},
    "WalletNotFound": {OPEN: "message path"},
    "ProgramNotFound": {OPEN: "message path"},
    "MemberNotFound": {OPEN: "message path"},
    "TransactionNotFound": {OPEN: "message path"},
    "HoldNotFound": {OPEN: "message path"},
    "CouponNotFound": {OPEN: "message path"},
    "ApiKeyNotFound": {OPEN: "message path"},
    "TooManyKeys": {OPEN: "message path"},
    "WalletFrozen": {OPEN: "message path"},
    "InvalidInput": {OPEN: "message path"},
    "IdempotencyConflict": {OPEN: "message path transaction"},
    "InsufficientPoints": {OPEN: "message path available requested"},
    "BalanceLimit": {OPEN: "message path maxBalance"},
    "ExceedsOriginal": {OPEN: "message path remaining"},
    "HoldClosed": {OPEN: "message path"},
    "CouponRefused": {OPEN: "message path reason"},
    "TemplateError": {OPEN: "message path line column suggestion"},
    "InvalidTransition": {OPEN: "message path from allowed"},
    "CampaignNotFound": {OPEN: "message path"},
    "ChannelNotFound": {OPEN: "message path"},
    "DeliveryNotFound": {OPEN: "message path"},
}

RIGHTS: Final[dict[tuple[str, str], Right]] = {
    (kind, name): right
    for kind, decided in DECISIONS.items()
    for right, names in decided.items()
    for name in names.split()
}
"""The decision on each field, by its type's name and its own."""


def require(principal: Principal, right: Right) -> None:
    """Refuse what the principal may not do, with Forbidden."""
    if not right.allows(principal):
        raise Forbidden(right.scopes)


def guard(schema: GraphQLSchema) -> None:
    """Have every resolver of a field that isn't open ask for its right first."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                _guard_field(kind, name, field)


def _guard_field(kind: GraphQLObjectType, name: str, field: GraphQLField) -> None:
    right = RIGHTS.get((kind.name, name))
    assert right, f"{kind.name}.{name}: say in graph/access.py who may ask for it"
    if right is OPEN:
        return
    if field.subscribe is not None:
        field.subscribe = _guarded(field.subscribe, right)
    else:
        assert field.resolve, f"{kind.name}.{name} has no resolver to guard"
        field.resolve = _guarded(field.resolve, right)
        field.extensions[BEFORE] = partial(_ask, right)


def _ask(right: Right, info: Any) -> None:
    require(info.context.principal, right)


def _guarded(resolve: Callable[..., Any], right: Right) -> Callable[..., Any]:
    @wraps(resolve)
    def guarded(source: Any, info: Any, **arguments: Any) -> Any:
        require(info.context.principal, right)
        return resolve(source, info, **arguments)

    return guarded


# ── which objects there are ─────────────────────────────────────────────────────────────────────

NOBODY: Final = ""
"""An identity that no member has."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose objects there are for a principal: for a member their own, for a key everyone's.

    A wallet, transaction, hold or event is its member's. `identity` is None where all is in sight.
    """

    identity: str | None

    def is_in(self, identity: str) -> bool:
        return self.identity is None or identity == self.identity

    def narrowed(self, asked: str | None) -> str | None:
        """Whose a list is to be that is asked for of `asked`, or of everyone (None)."""
        if asked is None:
            return self.identity
        return asked if self.is_in(asked) else NOBODY
