"""Chats, text messages, push: through apprise, an optional library, by URLs of the operator's.

A channel names one of the operator's services and never a URL. `{phone}` or `{email}` in a
service's URL stands for the member's own. apprise says only whether it worked: what it says did
not is tried again; what said nothing in time may have been delivered, and isn't.

apprise is not asyncio's: it runs in threads of its own, so many and no more.
"""

import asyncio
import importlib
import importlib.util
import logging
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import quote

from campaigns.channels.letters import is_mail_address, one_line
from campaigns.channels.parcels import Parcel, Receipt, rejected, retry, sent, unknown

SERVICE: Final = "service"
THREADS_MAX: Final = 4
SEND_S_MAX: Final = 30.0
"""How long a message may take, and wait for a thread."""

TALKERS: Final = ("apprise", "urllib3", "requests_oauthlib", "oauthlib")
"""Who would log a service's URL, and with it its passwords. Nobody else here uses them."""

_PHONE: Final = re.compile(r"\+?[0-9]{3,15}")
_SPACING: Final = re.compile(r"[ ()./-]")


def is_installed() -> bool:
    return importlib.util.find_spec("apprise") is not None


def find_phone(text: str | None) -> str | None:
    """A phone number as services take it: digits alone, after a plus or none."""
    number = _SPACING.sub("", text or "")
    return number if _PHONE.fullmatch(number) else None


def lacks_address(url: str, email: str | None, phone: str | None) -> bool:
    """Whether a service's URL asks for what a member doesn't have."""
    return ("{phone}" in url and find_phone(phone) is None) or (
        "{email}" in url and not is_mail_address(email)
    )


class Chats:
    """Sends by the operator's services, each under the name that channels call it by."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self._services = services
        self._threads = ThreadPoolExecutor(THREADS_MAX, "apprise")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def send(
        self, parcel: Parcel, settings: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> Receipt:
        del secrets  # they are the operator's, and stand in the service's URL
        url = self._services.get(settings.get(SERVICE, ""))
        if url is None:
            return rejected(f"there is no service {settings.get(SERVICE)!r} in the settings.")
        if lacks_address(url, parcel.email, parcel.phone):
            return rejected("the member has no address that this service could use.")
        url = url.replace("{phone}", quote(find_phone(parcel.phone) or "", safe=""))
        url = url.replace("{email}", quote(parcel.email or "", safe=""))
        title = one_line(parcel.subject or "")
        loop = asyncio.get_running_loop()
        begun = asyncio.Event()

        def deliver() -> bool | None:
            loop.call_soon_threadsafe(begun.set)
            return _notify(url, title, parcel.body or "")

        try:
            async with asyncio.timeout(SEND_S_MAX):
                is_done = await loop.run_in_executor(self._threads, deliver)
        except TimeoutError:
            said = f"the service did not say within {SEND_S_MAX:g} s whether it was delivered."
            return unknown("TIMED_OUT", said) if begun.is_set() else retry("TIMED_OUT", said)
        except ImportError:
            return rejected("apprise is not installed: pip install 'tuppence[apprise]'.")
        except Exception as error:  # noqa: BLE001 - a hundred plugins, each with faults of its own
            return unknown("UNREACHABLE", f"the service failed: {type(error).__name__}")
        if is_done is None:
            return rejected("the service's URL is none that apprise knows.")
        return sent() if is_done else retry("UNREACHABLE", "the service did not take the message.")


def _notify(url: str, title: str, body: str) -> bool | None:
    """Whether it was delivered; None if the URL is none that apprise knows."""
    library: Any = importlib.import_module("apprise")
    for talker in TALKERS:
        logging.getLogger(talker).setLevel(logging.CRITICAL + 1)
    asset = library.AppriseAsset(
        async_mode=False, storage_mode=library.PersistentStoreMode.MEMORY, secure_logging=True
    )
    service = library.Apprise(asset=asset)
    if not service.add(url):
        return None
    return bool(service.notify(body=body, title=title, body_format=library.NotifyFormat.TEXT))
