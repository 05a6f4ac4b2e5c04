"""The rules by themselves: pure functions of a draft, a command and an instant."""

from hypothesis import given
from hypothesis import strategies as st

from ledger import rules
from ledger.commands import Credit, Debit, Owner, PlaceHold, ReverseCredit, Shortfall
from ledger.draft import Draft, WalletState
from ledger.lots import expires_at
from ledger.records import Program, Transaction, Wallet
from ledger.refusals import InsufficientPoints, Refusal
from ledger.settlement import settle
from models.columns import NEVER

ANN = Owner("ann")
NOW = 1_800_000_000_000_000
HOUR = 3_600_000_000


def program(**changes: object) -> Program:
    known: dict[str, object] = {
        "id": "prg", "name": "P", "points_name": "p", "expiry_rule": "NEVER", "expiry_count": None,
        "expiry_unit": None, "activation_delay": None, "consumption": "EARLIEST_EXPIRY",
        "rounding_decimals": 3, "rounding_mode": "DOWN", "time_zone": "UTC", "max_balance": None,
        "expiring_soon_days": 7, "created_at": 0,
    }  # fmt: skip
    return Program(**{**known, **changes})  # type: ignore[arg-type]


def a_wallet(**changes: object) -> WalletState:
    return WalletState(Wallet("wal", "prg", "mem"), program(**changes))


def do(
    state: WalletState,
    command: Credit | Debit | PlaceHold | ReverseCredit,
    now: int = NOW,
    name: str = "txn",
) -> Transaction | Refusal:
    """Apply one command as a batch does: settle, apply the rule, keep or throw away."""
    apply = {
        Credit: rules.credit,
        Debit: rules.debit,
        PlaceHold: rules.place_hold,
        ReverseCredit: rules.reverse_credit,
    }[type(command)]
    draft = Draft(state, now)
    assert settle(draft)
    result = apply(draft, command, name)  # type: ignore[arg-type]
    if not isinstance(result, Refusal):
        draft.keep()
    return result


def credit(points: int, **more: object) -> Credit:
    return Credit(wallet=ANN, points=points, key="k", **more)  # type: ignore[arg-type]


def debit(points: int) -> Debit:
    return Debit(wallet=ANN, points=points, key="k")


def test_a_lot_is_usable_until_the_very_instant_of_its_expiry() -> None:
    state = a_wallet()
    do(state, credit(1_000, expires_at=NOW + HOUR))

    refused = do(state, debit(1_000), NOW + HOUR)
    taken = do(state, debit(1_000), NOW + HOUR - 1)

    assert isinstance(refused, InsufficientPoints)
    assert refused.available == 0
    assert isinstance(taken, Transaction)
    assert taken.active_after == 0


def test_promised_points_are_usable_from_the_very_instant_of_their_activation() -> None:
    state = a_wallet()
    do(state, credit(1_000, active_at=NOW + HOUR))

    assert isinstance(do(state, debit(1_000), NOW + HOUR - 1), InsufficientPoints)
    assert isinstance(do(state, debit(1_000), NOW + HOUR), Transaction)


def test_a_refusal_leaves_the_state_as_it_was() -> None:
    state = a_wallet()
    do(state, credit(1_000, expires_at=NOW + HOUR))
    before = (state.wallet, dict(state.lots))

    do(state, debit(2_000), NOW + 2 * HOUR)

    assert (state.wallet, state.lots) == before
    assert state.wallet.active == 1_000


def test_a_clamped_reversal_takes_what_is_there_and_a_second_is_refused() -> None:
    state = a_wallet()
    do(state, credit(1_000), name="credit")
    do(state, debit(400))
    reverse = ReverseCredit(transaction_id="credit", key="k", shortfall=Shortfall.CLAMP)

    first, second = do(state, reverse), do(state, reverse)

    assert isinstance(first, Transaction)
    assert first.points == 600
    assert isinstance(second, InsufficientPoints)
    assert (second.available, second.requested) == (0, 400)


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 50), st.integers(0, 50)), max_size=12),
    st.sampled_from(["EARLIEST_EXPIRY", "EARLIEST_ISSUANCE"]),
    st.integers(0, 100),
    st.data(),
)
def test_a_debit_takes_usable_lots_in_the_programs_order_and_not_a_point_more(
    lots: list[tuple[int, int, int]], consumption: str, later: int, data: st.DataObject
) -> None:
    state = a_wallet(consumption=consumption)
    for minute, (points, lifetime, delay) in enumerate(lots):
        start = NOW + delay
        do(
            state,
            credit(points, active_at=start, expires_at=start + lifetime),
            NOW - len(lots) + minute,
        )
    now = NOW + later
    draft = Draft(state, now)
    settle(draft)
    available = draft.wallet.active
    points = data.draw(st.integers(1, max(available, 1)), label="points")

    before = {lot.id: lot.free for lot in draft.known_lots() if lot.activated}
    row = rules.debit(draft, debit(points), "debit")

    if points > available:
        assert isinstance(row, InsufficientPoints)
        return
    lots_now = {lot.id: lot for lot in draft.known_lots()}
    taken = {c.lot_id: -c.remaining_change for c in draft.changes if c.transaction_id == "debit"}
    assert sum(taken.values()) == points
    assert all(lots_now[one].active_at <= now < lots_now[one].expires_at for one in taken)

    def place(lot_id: str) -> tuple[int, int, int, str]:
        lot = lots_now[lot_id]
        first = lot.issued_at if consumption == "EARLIEST_ISSUANCE" else 0
        return first, expires_at(lot, draft.wallet), lot.active_at, lot.id

    emptied = [one for one in taken if taken[one] == before[one]]
    untouched = [one for one in before if before[one] and one not in taken and lots_now[one].free]
    assert len(taken) - len(emptied) <= 1
    assert all(place(one) < place(other) for one in taken for other in untouched)


def test_a_wallet_with_nothing_due_is_never_due() -> None:
    state = a_wallet()
    do(state, credit(1_000))

    assert state.wallet.due_at == NEVER
    assert state.wallet.warning_at == NEVER
