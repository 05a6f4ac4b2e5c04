"""Pagination: windows that make sense, and cursors that are good for their own list only."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as some

from graph.faults import RequestError
from graph.pagination import Listing, a_number, an_id
from models.ids import new_id
from models.windows import Page, Window

WALLETS = Listing("wallets")
HISTORY = Listing("transactions", new_id("wal"), (a_number,))
AUDIENCE = Listing("creditedNotRedeemed", new_id("prg"), (a_number, an_id))


def refusal(listing: Listing, *asked: object) -> dict[str, object]:
    with pytest.raises(RequestError) as error:
        listing.window(*asked)  # pyright: ignore[reportArgumentType]
    assert error.value.extensions is not None
    return error.value.extensions


# ── windows ──────────────────────────────────────────────────────────────────────────────────────


def test_a_page_has_20_items_unless_said() -> None:
    assert WALLETS.window(None, None) == Window(first=20)


@pytest.mark.parametrize("count", [1, 20, 100])
def test_a_page_has_1_to_100_items(count: int) -> None:
    assert WALLETS.window(count, None) == Window(first=count)
    assert WALLETS.window(None, None, count, None) == Window(last=count)


@pytest.mark.parametrize(
    ("first", "last", "argument"),
    [
        (0, None, "first"),
        (-1, None, "first"),
        (None, 0, "last"),
        (5, 5, "first, last"),
        (0, 0, "first, last"),
    ],
)
def test_other_windows_are_refused(first: int | None, last: int | None, argument: str) -> None:
    told = refusal(WALLETS, first, None, last, None)

    assert told == {"code": "BAD_REQUEST", "argument": argument}


@pytest.mark.parametrize(("first", "last", "limit"), [(101, None, "first"), (None, 101, "last")])
def test_a_longer_page_is_refused(first: int | None, last: int | None, limit: str) -> None:
    told = refusal(WALLETS, first, None, last, None)

    assert told == {"code": "LIMIT_EXCEEDED", "limit": limit, "value": 100}


def test_a_window_may_have_both_bounds() -> None:
    newer, older = new_id("wal"), new_id("wal")

    window = WALLETS.window(3, WALLETS.cursor((newer,)), None, WALLETS.cursor((older,)))

    assert window == Window(3, None, (newer,), (older,))


# ── cursors ──────────────────────────────────────────────────────────────────────────────────────


@given(some.integers(-(10**18) + 1, 10**18 - 1))
def test_a_cursor_leads_back_to_its_place(number: int) -> None:
    lot = new_id("lot")

    assert HISTORY.position("after", HISTORY.cursor((number,))) == (number,)
    assert AUDIENCE.position("after", AUDIENCE.cursor((number, lot))) == (number, lot)


@pytest.mark.parametrize("argument", ["after", "before"])
def test_a_cursor_of_another_list_is_refused(argument: str) -> None:
    foreign = [
        WALLETS.cursor((new_id("wal"),)),
        Listing("wallets", new_id("prg")).cursor((new_id("wal"),)),
        Listing("transactions", new_id("wal"), (a_number,)).cursor((3,)),
        Listing("holds", HISTORY.owner).cursor((new_id("hld"),)),
        AUDIENCE.cursor((3, new_id("lot"))),
    ]

    for cursor in foreign:
        after, before = (cursor, None) if argument == "after" else (None, cursor)
        told = refusal(HISTORY, None, after, None, before)
        assert told == {"code": "BAD_CURSOR", "argument": argument}


def forged(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "garbage",
        "a",
        "é",
        "====",
        "A" * 10_000,
        forged("wallets"),
        forged("wallets,"),
        forged("wallets,,"),
        forged("wallets,,5"),
        forged("wallets,,wal_"),
        forged("wallets,,wal_\0"),
        forged(f"wallets,,{'wal_' + '0' * 26},more"),
        forged(f"wallets,,{'wal_' + '0' * 26}") + "=",
        " " + forged(f"wallets,,{'wal_' + '0' * 26}"),
    ],
)
def test_garbage_is_refused(cursor: str) -> None:
    assert refusal(WALLETS, None, cursor)["code"] == "BAD_CURSOR"


@pytest.mark.parametrize("number", ["", "x", "1.5", "007", "+1", "-", " 1", "1e3", "9" * 19, "٣"])
def test_a_place_that_is_no_number_is_refused(number: str) -> None:
    cursor = forged(f"transactions,{HISTORY.owner},{number}")

    assert refusal(HISTORY, None, cursor)["code"] == "BAD_CURSOR"


@given(some.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    assert refusal(WALLETS, None, text)["code"] == "BAD_CURSOR"


# ── connections ──────────────────────────────────────────────────────────────────────────────────


def test_a_connection_tells_where_it_stands() -> None:
    page = Page(items=[((9,), "nine"), ((8,), "eight")], has_next=True, has_previous=False)

    connection = HISTORY.connection(page, str.upper)

    assert [edge.node for edge in connection.edges] == ["NINE", "EIGHT"]
    assert [HISTORY.position("after", edge.cursor) for edge in connection.edges] == [(9,), (8,)]
    info = connection.page_info
    assert (info.start_cursor, info.end_cursor) == tuple(edge.cursor for edge in connection.edges)
    assert (info.has_next_page, info.has_previous_page) == (True, False)


def test_an_empty_connection_has_no_cursors() -> None:
    connection = WALLETS.connection(Page(items=[], has_next=False, has_previous=False), str)

    assert connection.edges == []
    assert (connection.page_info.start_cursor, connection.page_info.end_cursor) == (None, None)
