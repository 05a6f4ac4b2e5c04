"""Letters: a message as an e-mail, and the texts that may be an address.

No text of a campaign or a member can add a header: line breaks become spaces, and an address has
none. A letter's Message-ID is the delivery's, the same in every attempt.
"""

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote

from campaigns.channels.instants import moment
from campaigns.channels.parcels import Parcel

ADDRESS_MAX: Final = 254
LOCAL_MAX: Final = 64
SENDER_MAX: Final = 320
SUBJECT_MAX: Final = 998
UNSUBSCRIBE: Final = "List-Unsubscribe"

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_QUOTED: Final = re.compile(r"[<>\"\\\ud800-\udfff]")
_UNENCODABLE: Final = re.compile(r"[\ud800-\udfff]")


def is_mail_address(text: str | None) -> bool:
    """Whether a text is an address that every server takes, like ann@example.com."""
    if not text or len(text) > ADDRESS_MAX or not _ADDRESS.fullmatch(text):
        return False
    return len(text.partition("@")[0]) <= LOCAL_MAX


def find_sender(text: object) -> Address | None:
    """Who a channel's letters are from: `ann@example.com` or `Ann <ann@example.com>`."""
    if not isinstance(text, str) or len(text) > SENDER_MAX or _BREAKS.search(text):
        return None
    name, _, address = text[:-1].rpartition("<") if text.endswith(">") else ("", "", text)
    name = name.strip().strip('"')
    if not is_mail_address(address) or _QUOTED.search(name):
        return None
    return Address(display_name=name, addr_spec=address)


class _Unfolded(EmailPolicy):
    """As every letter is, but for one header that is a URI: folded, it would be encoded as text."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name == UNSUBSCRIBE:
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


_POLICY: Final = _Unfolded(linesep="\r\n")


def letter(parcel: Parcel, sender: Address) -> EmailMessage:
    """The e-mail for a parcel whose member has an address."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = Address(addr_spec=parcel.email or "")
    message["Subject"] = one_line(parcel.subject or parcel.campaign_name)
    message["Date"] = format_datetime(moment(parcel.at))
    message["Message-ID"] = f"<{parcel.delivery_id}@{sender.domain}>"
    # Whoever reads the sender's mail takes it from there: the service keeps no list of refusals.
    about = quote(f"unsubscribe {parcel.delivery_id}", safe="")
    to = quote(sender.addr_spec, safe="@")
    message[UNSUBSCRIBE] = f"<mailto:{to}?subject={about}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_encodable(parcel.body or ""))
    if parcel.html is not None:
        message.add_alternative(_encodable(parcel.html), subtype="html")
    return message


def one_line(text: str) -> str:
    """A text as a header may have it."""
    return _encodable(_BREAKS.sub(" ", text)).strip()[:SUBJECT_MAX]


def _encodable(text: str) -> str:
    return _UNENCODABLE.sub("?", text)
