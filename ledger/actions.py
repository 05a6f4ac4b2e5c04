"""Actions: what each command is called, by the mutation that asks for it."""

from typing import Final

from ledger.commands import (
    CaptureHold,
    Command,
    Credit,
    Debit,
    PlaceHold,
    RedeemCoupon,
    RefundDebit,
    ReleaseHold,
    ReverseCredit,
    Transfer,
)
from ledger.coupons import CreateCoupon
from ledger.registry import (
    CreateProgram,
    EraseMember,
    FreezeWallet,
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
    RedeemCoupon: "redeemCoupon",
}
"""Those that move points. Fingerprints hold these names: they never change."""

QuietCommand = (
    CreateProgram | UpdateProgram | UpsertMember | EraseMember | FreezeWallet | CreateCoupon
)
"""Those that move none. Each is a unit of work of its own and carries no key."""

ACTIONS: Final[dict[type[Command | QuietCommand], str]] = {
    **MOVES,
    CreateProgram: "createProgram",
    UpdateProgram: "updateProgram",
    UpsertMember: "upsertMember",
    EraseMember: "eraseMember",
    FreezeWallet: "freezeWallet",
    CreateCoupon: "createCoupon",
}
"""All of them, as the audit trail names them."""
