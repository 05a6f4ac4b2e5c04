"""Actions: what each command is called, by the mutation that asks for it."""

from typing import Final

from ledger.commands import (
    CaptureHold,
    Command,
    Credit,
    Debit,
    PlaceHold,
    RefundDebit,
    ReleaseHold,
    ReverseCredit,
    Transfer,
)
from ledger.registry import (
    CreateProgram,
    EraseMember,
    FreezeWallet,
    QuietCommand,
    UpdateProgram,
    UpsertMember,
)

MOVES: Final[dict[type[Command], str]] = {
    Credit: "creditPoints",
    Debit: "debitPoints",
    PlaceHold: "holdPoints",
    CaptureHold: "captureHold",
    ReleaseHold: "releaseHold",
    ReverseCredit: "reverseCredit",
    RefundDebit: "refundDebit",
    Transfer: "transferPoints",
}
"""Those that move points. Fingerprints hold these names: they never change."""

ACTIONS: Final[dict[type[Command | QuietCommand], str]] = {
    **MOVES,
    CreateProgram: "createProgram",
    UpdateProgram: "updateProgram",
    UpsertMember: "upsertMember",
    EraseMember: "eraseMember",
    FreezeWallet: "freezeWallet",
}
"""All of them, as the audit trail names them."""
