"""Webhooks: a message as signed JSON to a caller's URL, by the Standard Webhooks.

What comes of an answer:

    2xx                        sent
    410                        rejected, and the channel is used no more
    3xx                        rejected: a redirect is not followed
    any other                  tried again, as the specification asks; Retry-After is honoured

A receiver tells a repetition by `webhook-id`, the delivery's: whatever went wrong may be repeated.
"""

import secrets
from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
from standardwebhooks import Webhook

from campaigns.channels.addresses import AddressRefused
from campaigns.channels.exchanges import SECOND_US, Answer, Exchange, NoAnswer, retry_after_us
from campaigns.channels.instants import moment, rfc3339
from campaigns.channels.parcels import Parcel, Payment, Receipt, rejected, retry, sent

SECRET_BYTES: Final = 32
SECRET: Final = "signingSecret"  # noqa: S105 - under this name it is kept
TYPE: Final = "campaign.message"
NO_JSON: Final = "the message contains what JSON can't: half a character, or too large a number."


def new_secret() -> str:
    """A secret that signs one channel's webhooks."""
    return f"whsec_{b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


class Webhooks:
    """Sends to the URLs of channels, each signed with its channel's secret."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def send(
        self, parcel: Parcel, settings: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> Receipt:
        try:
            body = payload(parcel)
            headers = signature(parcel, body, secrets[SECRET])
            answer = await self._exchange.post(settings["url"], headers, body)
        except AddressRefused as error:
            return rejected(str(error))
        except orjson.JSONEncodeError:
            return rejected(NO_JSON)
        except NoAnswer as error:
            return retry("TIMED_OUT" if error.is_late else "UNREACHABLE", str(error))
        return judged(answer, parcel.at)


def judged(answer: Answer, now: int) -> Receipt:
    """What an answer to a webhook means."""
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return sent(status)
    if status == HTTPStatus.GONE:
        return rejected("it answered 410: it wants no more.", status, disables=True)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return rejected(f"it answered {status}: redirects are not followed.", status)
    wait = retry_after_us(answer.retry_after, now)
    return retry("REJECTED", f"it answered {status}.", status, wait)


def signature(parcel: Parcel, body: bytes, secret: str) -> dict[str, str]:
    """The headers by which a receiver knows whose it is, when it was sent, and if it is new."""
    signed = Webhook(secret).sign(parcel.delivery_id, moment(parcel.at), body.decode())
    return {
        "webhook-id": parcel.delivery_id,
        "webhook-timestamp": str(parcel.at // SECOND_US),
        "webhook-signature": signed,
    }


def payload(parcel: Parcel) -> bytes:
    """The body, made field by field: no text of a campaign can alter its shape."""
    reward = parcel.reward
    said: dict[str, Any] = {
        "type": TYPE,
        "timestamp": rfc3339(parcel.at),
        "data": {
            "deliveryId": parcel.delivery_id,
            "campaign": {"id": parcel.campaign_id, "name": parcel.campaign_name},
            "member": {
                "identity": parcel.identity,
                "name": parcel.name,
                "email": parcel.email,
                "phone": parcel.phone,
            },
            "event": {
                "id": parcel.event_id,
                "name": parcel.event,
                "properties": dict(parcel.properties),
            },
            "subject": parcel.subject,
            "body": parcel.body,
            "html": parcel.html,
            "reward": reward and _paid(reward),
            "test": parcel.is_test,
        },
    }
    return orjson.dumps(said)


def _paid(reward: Payment) -> dict[str, Any]:
    whole, rest = divmod(reward.points, 1000)
    points = reward.points / 1000 if rest else whole
    return {"points": points, "transactionId": reward.transaction_id}
