"""Refusals of campaigns: expected "no"s, as values, told by the schema under the same names."""

from dataclasses import dataclass

from ledger.refusals import InvalidInput, MemberNotFound, NameTaken, ProgramNotFound, Refusal

__all__ = [
    "CampaignNotFound",
    "ChannelNotFound",
    "DeliveryNotFound",
    "InvalidInput",
    "InvalidTransition",
    "MemberNotFound",
    "NameTaken",
    "ProgramNotFound",
    "Refusal",
    "TemplateError",
]


class CampaignNotFound(Refusal):
    """There is no such campaign."""


class ChannelNotFound(Refusal):
    """There is no such channel."""


class DeliveryNotFound(Refusal):
    """There is no such delivery."""


@dataclass(frozen=True, slots=True)
class TemplateError(Refusal):
    """A template can't be sent as it is; line and column count from 1."""

    line: int = 1
    column: int = 1
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class InvalidTransition(Refusal):
    """The campaign's status doesn't allow it; `allowed` is what it may become from it."""

    status: str = "DRAFT"
    allowed: tuple[str, ...] = ()
