"""The receiver: shows what is signed by a secret that it knows, and says why of all else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from rich.console import Console

from campaigns.channels.parcels import Parcel, Payment
from campaigns.channels.webhooks import new_secret, payload, signature
from server.clock import Clock, FastClock
from server.listening import listen, origin
from server.receiver import (
    BODY_BYTES_MAX,
    REMEMBERED_MAX,
    SECRETS_BYTES_MAX,
    Receiver,
    is_secret,
    keep_secret,
    read_secrets,
    receiving,
)
from server.settings import CannotRun
from tests.campaigns.channels.parcels import SECRET, open_channels, parcel
from tests.harness.clock import VirtualClock

MINUTE = 60_000_000
JSON = {"content-type": "application/json"}


@dataclass
class Reached:
    """A receiver that listens, and what it has shown."""

    url: str
    screen: StringIO

    @property
    def shown(self) -> str:
        return self.screen.getvalue()

    async def post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as http:
            return await http.post(self.url, content=body, headers=headers)

    async def send(self, sent: Parcel, secret: str = SECRET) -> httpx.Response:
        body = payload(sent)
        return await self.post(body, {**JSON, **signature(sent, body, secret)})


@asynccontextmanager
async def reached(
    *secrets: str, clock: Clock | None = None, width: int = 100
) -> AsyncIterator[Reached]:
    screen = StringIO()
    console = Console(file=screen, width=width, highlight=False)
    receiver = Receiver(lambda: secrets, clock or VirtualClock(), console)
    with listen("127.0.0.1", 0) as listener:
        async with receiving(listener, receiver):
            yield Reached(f"{origin(listener)}/", screen)


@pytest.fixture
async def receiver() -> AsyncIterator[Reached]:
    async with reached(SECRET) as receiver:
        yield receiver


async def test_a_message_of_a_channel_is_taken_and_shown(receiver: Reached) -> None:
    sent = parcel(
        name="Ann", subject="120 points are waiting", body="Ann, use them.\nSoon.", html=None
    )
    async with open_channels() as channels:
        receipt = await channels.send(
            "WEBHOOK", {"url": receiver.url}, {"signingSecret": SECRET}, sent
        )

    assert (receipt.verdict, receipt.status) == ("SENT", 204)
    lines = [line.strip("│ ") for line in receiver.shown.splitlines()]
    assert lines[0].startswith("╭─ Come back → Ann ─")
    assert lines[1:4] == ["120 points are waiting", "Ann, use them.", "Soon."]


async def test_points_rewards_and_tests_are_told(receiver: Reached) -> None:
    sent = parcel(
        event="CT Points Credited",
        properties={"points": 1_250.5},
        reward=Payment(2_500, "txn_01kb00000000000000000000ad"),
        is_test=True,
    )

    answer = await receiver.send(sent)

    assert answer.status_code == 204
    assert "with a reward of 2.5 points" in receiver.shown
    assert "on CT Points Credited of 1,250.5 points, a test" in receiver.shown
    assert "not checked" not in receiver.shown


async def test_whoever_has_no_name_is_called_by_their_identity(receiver: Reached) -> None:
    await receiver.send(parcel(name=None, identity="customer-17"))

    assert "Come back → customer-17" in receiver.shown


async def test_a_message_that_comes_again_is_taken_and_shown_as_such(receiver: Reached) -> None:
    first, again = await receiver.send(parcel()), await receiver.send(parcel())

    assert (first.status_code, again.status_code) == (204, 204)
    assert receiver.shown.count("it came before") == 1


async def test_it_remembers_so_many_messages_and_no_more() -> None:
    receiver = Receiver(tuple, VirtualClock(), Console(file=StringIO()))
    for number in range(REMEMBERED_MAX + 1):
        assert not receiver.knows(f"dlv_{number}")

    assert receiver.knows(f"dlv_{REMEMBERED_MAX}")
    assert not receiver.knows("dlv_0")


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


async def refused(receiver: Reached, answer: httpx.Response) -> tuple[int, str]:
    """The answer; and nothing but it was shown."""
    assert receiver.shown == f"Refused with {answer.status_code}: {answer.text}"
    return answer.status_code, answer.text


async def test_another_secrets_signature_is_refused(receiver: Reached) -> None:
    answer = await receiver.send(parcel(), new_secret())

    assert await refused(receiver, answer) == (
        401,
        "No secret that is known here has signed it: give its own by --secret.\n",
    )


async def test_a_body_that_was_altered_is_refused(receiver: Reached) -> None:
    sent = parcel()
    body = payload(sent)
    headers = {**JSON, **signature(sent, body, SECRET)}

    answer = await receiver.post(body.replace(b"Ann", b"Eve"), headers)

    assert (await refused(receiver, answer))[0] == 401


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_what_is_not_signed_is_refused(receiver: Reached, name: str) -> None:
    sent = parcel()
    body = payload(sent)
    headers = {**JSON, **signature(sent, body, SECRET)}
    del headers[name]

    answer = await receiver.post(body, headers)

    assert await refused(receiver, answer) == (401, f"It must be signed: {name} is missing.\n")


@pytest.mark.parametrize("timestamp", ["yesterday", "9" * 30, "-1", "1773133200.5"])
async def test_a_timestamp_that_is_none_is_refused(receiver: Reached, timestamp: str) -> None:
    sent = parcel()
    body = payload(sent)
    headers = {**JSON, **signature(sent, body, SECRET), "webhook-timestamp": timestamp}

    answer = await receiver.post(body, headers)

    assert (await refused(receiver, answer))[0] == 401


@pytest.mark.parametrize("minutes", [5, -5])
async def test_a_signature_holds_for_five_minutes_each_way(minutes: int) -> None:
    clock = VirtualClock()
    at = clock() + minutes * MINUTE
    late = at + (1_000_000 if minutes > 0 else -1_000_000)
    async with reached(SECRET, clock=clock) as receiver:
        held = await receiver.send(parcel(at=at))
        refused = await receiver.send(parcel(at=late))

    assert held.status_code == 204
    assert refused.status_code == 401
    assert refused.text == "It was signed too long ago, or by a clock that is ahead.\n"


async def test_by_a_fast_clock_it_holds_for_as_long_to_us() -> None:
    clock = FastClock(VirtualClock()(), 8_640, lambda: 0)
    async with reached(SECRET, clock=clock) as receiver:
        held = await receiver.send(parcel(at=clock() - 8_640 * 5 * MINUTE))
        refused = await receiver.send(parcel(at=clock() - 8_640 * 5 * MINUTE - 1_000_000))

    assert (held.status_code, refused.status_code) == (204, 401)


async def test_a_body_is_taken_up_to_its_bound_and_no_further() -> None:
    async with reached() as receiver:
        body = payload(parcel(body=""))
        whole = payload(parcel(body="x" * (BODY_BYTES_MAX - len(body))))
        assert len(whole) == BODY_BYTES_MAX

        taken = await receiver.post(whole, JSON)
        refused = await receiver.post(whole + b" ", JSON)

    assert taken.status_code == 204
    assert refused.status_code == 413
    assert refused.text == "The body must have at most 65,536 bytes.\n"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "The body must be JSON.\n"),
        (b"\xff", "The body must be JSON.\n"),
        (b"[" * 60_000, "The body must be JSON.\n"),
        (b"null", "The body must be a message of a campaign: its type is campaign.message.\n"),
        (
            b'{"type": "order.paid"}',
            "The body must be a message of a campaign: its type is campaign.message.\n",
        ),
    ],
)
async def test_what_is_no_message_is_refused(body: bytes, sentence: str) -> None:
    async with reached() as receiver:
        answer = await receiver.post(body, JSON)

        assert await refused(receiver, answer) == (400, sentence)


async def test_what_a_page_can_send_unasked_is_refused() -> None:
    async with reached() as receiver:
        answer = await receiver.post(payload(parcel()), {"content-type": "text/plain"})

        assert await refused(receiver, answer) == (
            400,
            "The content-type must be application/json.\n",
        )


async def test_only_posts_are_taken(receiver: Reached) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(receiver.url)

    assert answer.status_code == 405


# ── what is shown ────────────────────────────────────────────────────────────────────────────────


async def test_without_a_secret_all_is_shown_and_called_unchecked() -> None:
    async with reached() as receiver:
        answer = await receiver.send(parcel(body="Hello"))

    assert answer.status_code == 204
    assert "Hello" in receiver.shown
    assert "signature not checked" in receiver.shown


async def test_no_text_does_anything_to_the_terminal() -> None:
    wild = "\x1b]0;owned\x07\x1b[2J\u202e[red]\x9b1m"
    async with reached() as receiver:
        await receiver.send(parcel(name=wild, subject=wild, body=wild, campaign_name=wild))

    assert not any(each in receiver.shown for each in "\x1b\x07\u202e\x9b")
    assert receiver.shown.count("]0;owned  [2J [red] 1m") == 4


@pytest.mark.parametrize("more", [None, 7, [], {"points": "many"}, {"points": True}])
async def test_a_message_of_another_shape_is_shown_as_far_as_it_goes(more: Any) -> None:
    body = orjson.dumps(
        {"type": "campaign.message", "data": {"body": "Hi", "reward": more, "member": more}}
    )
    async with reached() as receiver:
        answer = await receiver.post(body, JSON)

    assert answer.status_code == 204
    assert "Hi" in receiver.shown
    assert "reward" not in receiver.shown


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────


def test_secrets_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    file, (one, other) = tmp_path / "data" / "receiver.secrets", (new_secret(), new_secret())

    keep_secret(file, one)
    keep_secret(file, other)

    assert read_secrets(file) == [one, other]
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_no_secret_is_passed_over(tmp_path: Path) -> None:
    file, secret = tmp_path / "receiver.secrets", new_secret()
    file.write_bytes(b"whsec_\nwhsec_!\nhello\n\xff\n" + secret.encode() + b"\n")

    assert read_secrets(file) == [secret]
    assert read_secrets(tmp_path / "none") == []


def test_a_long_file_is_read_in_part(tmp_path: Path) -> None:
    file = tmp_path / "receiver.secrets"
    file.write_text(f"{new_secret()}\n" * 1_000)

    assert 0 < len(read_secrets(file)) <= SECRETS_BYTES_MAX // len(new_secret())


def test_a_file_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")

    with pytest.raises(CannotRun, match="The receiver's secrets can't be kept in "):
        keep_secret(tmp_path / "data" / "receiver.secrets", new_secret())


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_a", "whsec_!!!", "abc"])
def test_what_cannot_sign_is_no_secret(text: str) -> None:
    assert not is_secret(text)
