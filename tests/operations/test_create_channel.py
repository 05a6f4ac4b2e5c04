"""createChannel: opens a way to members; what is secret about it is never read back."""

import pytest

from tests.conftest import Unchanged
from tests.harness.campaigns import ask, channel, channels
from tests.harness.client import Client
from tests.harness.values import Json

URL = "https://shop.example/hook"
NODE = """query Node($id: ID!) {
  node(id: $id) { ... on Channel { id name kind settings disabled } } }"""


async def test_a_webhook_has_a_signing_secret_that_is_shown_once(client: Client) -> None:
    fields = {"name": "shop", "kind": "WEBHOOK", "settings": {"url": URL}}

    answer = await ask(client, "createChannel", fields)

    made = answer.raw["channel"]
    assert answer.error is None
    assert made == {
        "id": made["id"],
        "name": "shop",
        "kind": "WEBHOOK",
        "settings": {"url": URL},
        "disabled": False,
    }
    assert made["id"].startswith("chn_")
    secret = answer.raw["secret"]
    assert secret.startswith("whsec_")
    assert await channels(client) == [made]
    assert secret not in str((await client.execute(NODE, id=made["id"]))["node"])


@pytest.mark.parametrize(
    ("kind", "settings", "shown"),
    [
        ("INBOX", {}, {}),
        (
            "EMAIL",
            {"from": "Shop <hi@shop.example>", "smtpUrl": "smtp://ann:hunter2@mail.example:587"},
            {"from": "Shop <hi@shop.example>", "smtpUrl": "smtp://mail.example:587"},
        ),
        (
            "CLEVERTAP",
            {"accountId": "ABC-123-456Z", "passcode": "hunter2", "region": "eu1"},
            {"accountId": "ABC-123-456Z", "region": "eu1"},
        ),
    ],
)
async def test_other_channels_have_no_secret_to_show_and_keep_theirs(
    client: Client, kind: str, settings: Json, shown: Json
) -> None:
    fields = {"name": "one", "kind": kind, "settings": settings}

    answer = await ask(client, "createChannel", fields)

    assert (answer.error, answer.raw["secret"]) == (None, None)
    assert answer.raw["channel"]["settings"] == shown
    assert [each["settings"] for each in await channels(client)] == [shown]
    assert "hunter2" not in str(answer.raw) + str(await channels(client))


async def test_channels_are_listed_in_the_order_of_their_making(client: Client) -> None:
    made = [await channel(client, name=name) for name in ("one", "two", "three")]

    assert await channels(client) == made


async def test_a_channel_is_found_by_its_id(client: Client) -> None:
    made = await channel(client)

    assert (await client.execute(NODE, id=made["id"]))["node"] == made


async def test_refuses_a_name_that_another_has(client: Client, unchanged: Unchanged) -> None:
    await channel(client, name="one")

    async with unchanged():
        answer = await ask(
            client, "createChannel", {"name": "one", "kind": "INBOX", "settings": {}}
        )

    assert (answer.error, answer.error_path) == ("NameTaken", ("input", "name"))
    assert (answer.raw["channel"], answer.raw["secret"]) == (None, None)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (("name",), {"name": ""}),
        (("name",), {"name": "n" * 101}),
        (("name",), {"name": "a\x00b"}),
        (("settings",), {"settings": "url"}),
        (("settings",), {"settings": [1]}),
        (("settings", "url"), {"settings": {}}),
        (("settings", "url"), {"settings": {"url": 5}}),
        (("settings", "url"), {"settings": {"url": "ftp://shop.example"}}),
        (("settings", "url"), {"settings": {"url": "https://ann:pw@shop.example"}}),
        (("settings", "method"), {"settings": {"url": URL, "method": "PUT"}}),
        (("settings", "url"), {"kind": "INBOX", "settings": {"url": URL}}),
        (("settings", "from"), {"kind": "EMAIL", "settings": {}}),
        (("settings", "smtpUrl"), {"kind": "EMAIL", "settings": {"from": "a@b.example"}}),
        (("settings", "service"), {"kind": "APPRISE", "settings": {"service": "json://x"}}),
        (("settings", "accountId"), {"kind": "CLEVERTAP", "settings": {}}),
    ],
    ids=str,
)
async def test_refuses_what_a_channel_can_not_be(
    client: Client, unchanged: Unchanged, path: tuple[str, ...], fields: Json
) -> None:
    known = {"name": "one", "kind": "WEBHOOK", "settings": {"url": URL}}

    async with unchanged():
        answer = await ask(client, "createChannel", known | fields)

    assert (answer.error, answer.error_path) == ("InvalidInput", ("input", *path))
    assert answer.raw["channel"] is None
