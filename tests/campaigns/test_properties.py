"""Properties: what each event says on the wire, and what is known of whoever it is about."""

import json
from dataclasses import replace
from typing import Any

import pytest

from campaigns.conditions import PropertyFilter, check_filters
from campaigns.properties import (
    EVENT_NAMES,
    PROFILE,
    SCHEMAS,
    SUGGESTED_LENGTH_MAX,
    PropertyType,
    check_sample,
    from_wire,
    nearest,
    profile_of,
    properties_of,
    sample,
    to_wire,
)
from events.occurrences import NAMES, Occurrence
from ledger.records import Member
from models.log import EVENTS
from models.notation import Unreadable

AT = 1_773_133_200_000_000  # 2026-03-10T09:00:00Z

CREDITED = Occurrence(
    position=7,
    id="evt_1",
    name="POINTS_CREDITED",
    wallet_id="wal_1",
    program_id="prg_1",
    member_id="mem_1",
    identity="ann",
    transaction_id="txn_1",
    origin_id="txn_1",
    sequence=3,
    lot_id=None,
    points=12_300,
    source="CASHBACK_COUPON",
    campaign_id="cmp_1",
    description="thanks",
    sale_channel="web",
    location_id="lyon",
    sale_amount=49.5,
    coupon_code="SPRING",
    coupon_id="cpn_1",
    ct_source="API",
    at=AT,
    expires_at=AT + 1,
)
BARE = replace(
    CREDITED,
    source=None,
    campaign_id=None,
    description=None,
    sale_channel=None,
    location_id=None,
    sale_amount=None,
    coupon_code=None,
    coupon_id=None,
    expires_at=None,
)
WHOLE: dict[str, Any] = {
    "CT Source": "API",
    "walletId": "wal_1",
    "transactionId": "txn_1",
    "points": 12.3,
    "source": "Cashback Coupon",
    "campaignId": "cmp_1",
    "pointsDescription": "thanks",
    "eventTimestamp": AT,
    "pointsExpiry": AT + 1,
    "couponCode": "SPRING",
    "couponId": "cpn_1",
    "saleChannel": "web",
    "locationId": "lyon",
    "saleAmount": 49.5,
}
KINDS = {
    PropertyType.STRING: str,
    PropertyType.NUMBER: (int, float),
    PropertyType.DATE: int,
    PropertyType.BOOLEAN: bool,
}


def test_every_event_of_the_log_is_told_but_those_that_no_campaign_listens_to() -> None:
    silent = {"POINTS_HELD", "POINTS_RELEASED", "POINTS_TRANSFERRED"}

    assert set(EVENT_NAMES) == set(NAMES) == set(EVENTS) - silent
    assert [*EVENT_NAMES.values()] == [*SCHEMAS]


def test_says_all_that_an_occurrence_has_by_the_names_on_the_wire() -> None:
    assert properties_of(CREDITED) == WHOLE
    assert [*properties_of(CREDITED)] == [*SCHEMAS["CT Points Credited"].properties]


@pytest.mark.parametrize("name", NAMES)
def test_an_event_says_what_its_schema_has_and_leaves_out_what_it_has_not(name: str) -> None:
    told = properties_of(replace(CREDITED, name=name))
    schema = SCHEMAS[EVENT_NAMES[name]]

    assert told == {key: WHOLE[key] for key in schema.properties}
    assert properties_of(replace(BARE, name=name)) == {
        key: WHOLE[key]
        for key in ("CT Source", "walletId", "transactionId", "points", "eventTimestamp")
    }


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("API", "API"),
        ("CAMPAIGN", "Campaign"),
        ("MANUAL", "Manual"),
        ("CASHBACK_COUPON", "Cashback Coupon"),
    ],
)
def test_sources_have_their_names_on_the_wire(source: str, told: str) -> None:
    assert properties_of(replace(CREDITED, source=source))["source"] == told


@pytest.mark.parametrize(
    ("milli", "told"),
    [(5_000, "5"), (12_300, "12.3"), (1, "0.001"), (999_999_999_999_999, "999999999999.999")],
)
def test_points_are_plain_numbers(milli: int, told: str) -> None:
    assert json.dumps(properties_of(replace(CREDITED, points=milli))["points"]) == told


def test_on_the_wire_dates_are_text_in_utc() -> None:
    dates = {
        "eventTimestamp": "2026-03-10T09:00:00Z",
        "pointsExpiry": "2026-03-10T09:00:00.000001Z",
    }

    assert to_wire(WHOLE) == WHOLE | dates
    assert from_wire(WHOLE | dates) == WHOLE
    assert to_wire({"points": 1}) == from_wire({"points": 1}) == {"points": 1}
    assert from_wire({"pointsExpiry": "2026-03-10T10:00:00+01:00"}) == {"pointsExpiry": AT}
    with pytest.raises(Unreadable, match="must be RFC 3339"):
        from_wire({"eventTimestamp": "soon"})


@pytest.mark.parametrize("event", SCHEMAS)
def test_a_sample_has_every_property_of_its_type_and_no_value_that_cannot_be(event: str) -> None:
    schema, told = SCHEMAS[event], sample(event)

    assert [*told] == [*schema.properties]
    for name, one in schema.properties.items():
        assert isinstance(told[name], KINDS[one.type]), name
        assert one.values is None or told[name] in one.values, name
    equal = [
        PropertyFilter(name, "EQUALS", told[name])
        for name, one in schema.properties.items()
        if one.type is not PropertyType.DATE
    ]
    assert [*check_filters(equal, schema, ())] == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Points", "points"),
        ("pionts", "points"),
        ("ctsource", "CT Source"),
        ("CTSource", "CT Source"),
        ("expiry", "pointsExpiry"),
        ("pointsDescripton", "pointsDescription"),
        ("colour", None),
        ("", None),
    ],
)
def test_knows_which_name_was_meant(name: str, meant: str | None) -> None:
    assert nearest(name, SCHEMAS["CT Points Credited"].properties) == meant


def test_seeks_no_name_for_one_that_is_too_long() -> None:
    longest = "p" * SUGGESTED_LENGTH_MAX

    assert nearest(longest, [longest]) == longest
    assert nearest(longest + "p", [longest]) is None


@pytest.mark.parametrize(
    ("given", "message", "place"),
    [
        ([], "sample must be a JSON object.", ()),
        ({"points": "5"}, "points must be a number.", ("points",)),
        ({"points": True}, "points must be a number.", ("points",)),
        ({"source": 5}, "source must be a text.", ("source",)),
        (
            {"pointsExpiry": AT},
            "pointsExpiry must be RFC 3339 with an offset, like 2026-03-10T09:00:00Z.",
            ("pointsExpiry",),
        ),
        (
            {"Points": 5},
            "CT Points Credited has no property 'Points': did you mean points?",
            (),
        ),
        ({"source": "x" * 5_000}, "sample must have at most 4096 bytes as JSON, not 5013.", ()),
    ],
)
def test_refuses_a_made_up_event_that_could_not_be(
    given: object, message: str, place: tuple[str, ...]
) -> None:
    (fault,) = check_sample(given, SCHEMAS["CT Points Credited"], ("sample",))

    assert (fault.message, fault.path) == (message, ("sample", *place))


@pytest.mark.parametrize("event", SCHEMAS)
def test_takes_a_made_up_event_that_could_be(event: str) -> None:
    for given in ({}, {"points": 5}, to_wire(sample(event))):
        assert [*check_sample(given, SCHEMAS[event], ("sample",))] == []


def member(**known: Any) -> Member:
    nobody = Member("mem_1", "ann", None, None, None, None, "{}", AT, None)
    return replace(nobody, **known)


def test_a_profile_is_what_is_known_and_nothing_else() -> None:
    assert profile_of(member()) == {"Identity": "ann"}
    assert profile_of(
        member(name="Ann", email="ann@example.com", phone="+331", time_zone="Europe/Paris")
    ) == {
        "Name": "Ann",
        "Email": "ann@example.com",
        "Phone": "+331",
        "Identity": "ann",
        "TimeZone": "Europe/Paris",
    }


def test_attributes_stand_by_their_own_names_and_hide_nothing() -> None:
    attributes = json.dumps(
        {"tier": "gold", "visits": 3, "none": None, "Email": "else", "Identity": "bob", "name": "n"}
    )

    assert profile_of(member(attributes=attributes)) == {
        "Identity": "ann",
        "tier": "gold",
        "visits": 3,
        "name": "n",
    }
    assert set(PROFILE) == {"Name", "Email", "Phone", "Identity", "TimeZone"}
