"""CleverTap: our events uploaded to its event API, so that a marketer's campaigns there go on.

They go as custom events. What begins with `CT ` is CleverTap's own: its wallets raise a
`CT Points Credited` themselves, and an upload must not be taken for one. So ours is named
`Points Credited`, and the property `CT Source` is `eventSource`.

An answer of 200 tells of single records: those that weren't processed are named in it.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson

from campaigns.channels.addresses import AddressRefused
from campaigns.channels.exchanges import SECOND_US, Answer, Exchange, NoAnswer
from campaigns.channels.instants import find_instant
from campaigns.channels.parcels import Parcel, Receipt, rejected, retry, sent, unknown
from campaigns.channels.webhooks import NO_JSON

BASE_URL: Final = "https://{region}.api.clevertap.com"
REGION: Final = re.compile(r"[a-z]{2,4}[0-9]")
"""A region as CleverTap names them: in1, us1, sg1, aps3, mec1, eu1."""

PASSCODE: Final = "passcode"
BATCH_MAX: Final = 1_000
VALUE_BYTES_MAX: Final = 512
ANSWER_BYTES_MAX: Final = 4_194_304
SERVER_FAULT: Final = 555
"""What CleverTap calls an error of its own with one record."""

OWN: Final = "CT "
RENAMED: Final[Mapping[str, str]] = {"CT Source": "eventSource"}
DELIVERY: Final = "deliveryId"


class CleverTap:
    """`base_url` has `{region}` where the channel's region is put in."""

    def __init__(self, exchange: Exchange, base_url: str = BASE_URL) -> None:
        self._exchange = exchange
        self._base_url = base_url

    async def send(
        self, parcel: Parcel, settings: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> Receipt:
        return (await self.send_many([parcel], settings, secrets))[0]

    async def send_many(
        self, parcels: Sequence[Parcel], settings: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> list[Receipt]:
        """Upload so many events by as few requests as they take; a receipt for each, in order."""
        receipts: list[Receipt] = []
        for first in range(0, len(parcels), BATCH_MAX):
            receipts += await self._upload(parcels[first : first + BATCH_MAX], settings, secrets)
        return receipts

    async def _upload(
        self, parcels: Sequence[Parcel], settings: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> list[Receipt]:
        url = f"{self._base_url.format(region=settings['region'])}/1/upload"
        headers = {
            "x-clevertap-account-id": settings["accountId"],
            "x-clevertap-passcode": secrets[PASSCODE],
        }
        try:
            body = orjson.dumps({"d": [record(parcel) for parcel in parcels]})
            answer = await self._exchange.post(url, headers, body, ANSWER_BYTES_MAX)
        except AddressRefused as error:
            return [rejected(str(error))] * len(parcels)
        except orjson.JSONEncodeError:
            return [rejected(NO_JSON)] * len(parcels)
        except NoAnswer as error:
            reason = "TIMED_OUT" if error.is_late else "UNREACHABLE"
            lost = unknown(reason, str(error)) if error.is_sent else retry(reason, str(error))
            return [lost] * len(parcels)
        return judged(answer, parcels)


def record(parcel: Parcel) -> dict[str, Any]:
    """An event as the upload takes it. Its time is the event's own, to the second."""
    happened_at = find_instant(parcel.properties.get("eventTimestamp"))
    data = {RENAMED.get(name, name): _value(said) for name, said in parcel.properties.items()}
    return {
        "identity": parcel.identity,
        "ts": (parcel.at if happened_at is None else happened_at) // SECOND_US,
        "type": "event",
        "evtName": parcel.event.removeprefix(OWN),
        "evtData": data | {DELIVERY: parcel.delivery_id, "campaignName": parcel.campaign_name},
    }


def judged(answer: Answer, parcels: Sequence[Parcel]) -> list[Receipt]:
    """What an answer says of each parcel."""
    status = answer.status
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return [retry("REJECTED", f"CleverTap answered {status}.", status)] * len(parcels)
    if status != HTTPStatus.OK:
        hint = ": are account, passcode and region right?" if status in {401, 403} else "."
        return [rejected(f"CleverTap answered {status}{hint}", status)] * len(parcels)
    failures = _failures(answer.body)
    if failures is None:
        said = unknown("REJECTED", "CleverTap's answer could not be read.")
        return [said] * len(parcels)
    known = {parcel.delivery_id for parcel in parcels}
    # A failure that names none of ours may be any of those that nothing else is said of.
    rest = sent(status) if failures.keys() <= known else _of_unknown_fate()
    return [failures.get(parcel.delivery_id, rest) for parcel in parcels]


def _of_unknown_fate() -> Receipt:
    return unknown("REJECTED", "CleverTap left out records, and did not say which.")


def _failures(body: bytes) -> dict[str, Receipt] | None:
    """What went wrong with which delivery; None if the answer is none of this API's."""
    try:
        said = orjson.loads(body)
        failures = dict(_failure(each) for each in said.get("unprocessed", ()))
        is_told = said["status"] in {"success", "partial"} or (
            said["status"] == "fail" and failures
        )
        return failures if is_told else None
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None


def _failure(said: Mapping[str, Any]) -> tuple[str, Receipt]:
    code, error = said.get("code"), str(said.get("error", ""))
    number = code if isinstance(code, int) else None
    message = f"CleverTap did not take it: {code} {error}"
    delivery = str(said.get("record", {}).get("evtData", {}).get(DELIVERY, ""))
    if number == SERVER_FAULT:
        return delivery, retry("REJECTED", message, number)
    return delivery, rejected(message, number)


def _value(said: Any) -> Any:
    """A property as CleverTap takes it: a date by its own notation, and no text too long for it."""
    if not isinstance(said, str):
        return said
    instant = find_instant(said)
    if instant is not None:
        return f"$D_{instant // SECOND_US}"
    return said.encode(errors="replace")[:VALUE_BYTES_MAX].decode(errors="ignore")
