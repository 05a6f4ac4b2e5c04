"""previewMessage: shows a message as it would be, and sends and keeps nothing."""

import pytest

from tests.conftest import Unchanged
from tests.harness.campaigns import CREDITED, ask, preview
from tests.harness.client import Client
from tests.harness.values import Answer, Json


def shown(answer: Answer) -> tuple[str | None, ...]:
    assert answer.error is None, answer.raw
    return tuple(answer.raw[part] for part in ("subject", "body", "html"))


async def test_a_believable_event_has_every_property(client: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        answer = await preview(
            client,
            "{{ Event.points }} of {{ Event.source }} for {{ Profile.Name }}",
            subject="{{ Event['CT Source'] }}",
            html="<p>{{ Event.saleChannel }}</p>",
        )

    assert shown(answer) == ("API", "250 of Cashback Coupon for Ann", "<p>web</p>")


async def test_each_preview_is_of_its_own_message(client: Client) -> None:
    first = await preview(client, "one")
    second = await preview(client, "two")

    assert (first.raw["body"], second.raw["body"]) == ("one", "two")


async def test_a_real_event_tells_of_its_member(client: Client) -> None:
    await client.upsert_member("ann", name="Ann Example")
    await client.credit("ann", 12, description="Thanks")
    [event] = (await client.events()).nodes

    answer = await preview(
        client,
        "{{ Profile.Name }}: {{ Event.points }}, {{ Event.pointsDescription }},"
        " {{ Wallet.active }}",
        event_id=event.id,
    )

    assert shown(answer) == (None, "Ann Example: 12, Thanks, 12", None)


async def test_a_sample_says_what_it_says_and_no_more(client: Client) -> None:
    sample = {"points": 7.5, "pointsExpiry": "2026-04-01T12:00:00+02:00", "saleChannel": "app"}

    answer = await preview(
        client,
        "{{ Event.points }} {{ Event.pointsExpiry | date: '%Y-%m-%d %H:%M' }}"
        " {{ Event.saleChannel }} {{ Event.locationId | default: 'nowhere' }}",
        sample=sample,
    )

    assert shown(answer) == (None, "7.5 2026-04-01 10:00 app nowhere", None)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("who.event", {"who": {"event": "Points"}}),
        (
            "who.filters.0.property",
            {"who": {"event": CREDITED, "filters": [{"property": "a", "op": "EXISTS"}]}},
        ),
        ("eventId", {"eventId": "evt_none"}),
        ("eventId", {"eventId": "a\x00b"}),
        ("sample", {"eventId": "evt_none", "sample": {}}),
        ("sample", {"sample": [1]}),
        ("sample", {"sample": "points"}),
        ("sample", {"sample": {"Points": 5}}),
        ("sample.points", {"sample": {"points": "5"}}),
        ("sample.points", {"sample": {"points": None}}),
        ("sample.source", {"sample": {"source": {"a": 1}}}),
        ("sample.pointsExpiry", {"sample": {"pointsExpiry": "tomorrow"}}),
        ("sample.pointsExpiry", {"sample": {"pointsExpiry": 5}}),
        ("message", {"message": {"body": "{% abort 'not today' %}"}}),
        ("message", {"message": {"body": "{{ Event.points }}"}, "sample": {}}),
    ],
    ids=str,
)
async def test_refuses_what_can_not_be_shown(
    client: Client, unchanged: Unchanged, path: str, fields: Json
) -> None:
    known: Json = {"who": {"event": CREDITED}, "message": {"body": "Hello"}}

    async with unchanged():
        answer = await ask(client, "previewMessage", known | fields)

    assert (answer.error, ".".join(answer.error_path)) == ("InvalidInput", f"input.{path}")
    assert [answer.raw[part] for part in ("subject", "body", "html")] == [None, None, None]


async def test_refuses_another_kind_of_event(client: Client, unchanged: Unchanged) -> None:
    await client.credit("ann", 5)
    [event] = (await client.events()).nodes

    async with unchanged():
        answer = await preview(client, "Hello", {"event": "CT Points Debited"}, event_id=event.id)

    assert (answer.error, answer.error_path) == ("InvalidInput", ("input", "eventId"))


@pytest.mark.parametrize(
    ("part", "template", "place"),
    [
        ("body", "{{ event.points }}", (1, 4, "Event")),
        ("subject", "{{ Event.points | upcas }}", (1, 19, "upcase")),
        ("html", "\n{% for %}{% endfor %}", (2, 4, None)),
    ],
)
async def test_refuses_a_template_at_its_line_and_column(
    client: Client, part: str, template: str, place: tuple[int, int, str | None]
) -> None:
    message = {"body": "Hello", part: template}

    answer = await ask(client, "previewMessage", {"who": {"event": CREDITED}, "message": message})

    assert (answer.error, answer.error_path) == ("TemplateError", ("input", "message", part))
    assert tuple(answer.details.values()) == place
