"""Followers over WebSockets: each comes back with its last cursor, to any instance.

What a follower hears goes into the history. Now and then it hangs up by itself; now and then it
comes back with an older cursor, as one that was killed before it had noted the newest.
"""

import asyncio
import json
import random
from base64 import urlsafe_b64decode
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.harness.keys import ADMIN
from tests.harness.stream import PROTOCOL
from tests.histories.history import Follower, Heard, Subscription
from tests.histories.recorder import Recorder, thousandths

DOCUMENT: Final = """subscription Credited($filter: PointsCreditedFilter, $after: String) {
  pointsCredited(filter: $filter, after: $after) { cursor transactionId walletId points } }"""
PAUSE_S: Final = 0.2
OPEN_S_MAX: Final = 5.0
PING_S: Final = 2.0  # so long one that stands still is put up with, and once more
EVENTS_MAX: Final = 60  # of one subscription
FORGETS: Final = 0.2
FORGETS_MAX: Final = 5
RETRYABLE: Final = frozenset({"UNAVAILABLE", "OVERLOADED", "RATE_LIMITED"})


class Followers:
    """All of them. They follow from `start` to `close`."""

    def __init__(self, urls: list[str], recorder: Recorder, seed: int) -> None:
        self.urls = [url.replace("http", "ws", 1) for url in urls]
        self.recorder = recorder
        self.chance = random.Random(seed)
        self.followers: list[Follower] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.told_of_faults: list[str] = []
        self.cursors: dict[int, str] = {}
        """As the service gave them: it alone can make one."""

        self.connections = 0

    def start(self, who: list[str | None], cursor: str) -> None:
        """Follow all of these, from a cursor on; None is everybody."""
        after = self.keep(cursor)
        for number, each in enumerate(who):
            name = f"follower {number} of {each or 'everybody'}"
            follower = self.recorder.follower(name, each)
            self.followers.append(follower)
            self.tasks.append(asyncio.create_task(self.follow(follower, after)))

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def follow(self, follower: Follower, after: int) -> None:
        """For as long as there are instances: connect, listen, lose it, connect again."""
        while True:
            url = self.chance.choice(self.urls)
            try:
                async with connect(
                    url,
                    subprotocols=[PROTOCOL],
                    compression=None,
                    proxy=None,
                    open_timeout=OPEN_S_MAX,
                    ping_interval=PING_S,
                    ping_timeout=PING_S,
                    close_timeout=PING_S,
                ) as socket:
                    self.connections += 1
                    subscription = Subscription(after)
                    follower.subscriptions.append(subscription)
                    await self.listen(socket, follower, subscription)
            except (OSError, WebSocketException):
                await asyncio.sleep(self.chance.uniform(0, PAUSE_S))
            after = self.cursor(follower, after)

    def cursor(self, follower: Follower, after: int) -> int:
        """Where to go on: the last that was heard or, of one that forgets, a little before it."""
        heard = [each.position for sub in follower.subscriptions[-1:] for each in sub.heard]
        if not heard:
            return after
        forgotten = self.chance.randint(1, FORGETS_MAX) if self.chance.random() < FORGETS else 0
        return heard[max(-1 - forgotten, -len(heard))]

    async def listen(
        self, socket: ClientConnection, follower: Follower, subscription: Subscription
    ) -> None:
        """Take what comes, until so many have come or it is told to come back."""
        shown = {"authorization": f"Bearer {ADMIN}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": shown}))
        only = {"identity": follower.who} if follower.who else None
        variables = {"filter": only, "after": self.cursors[subscription.after]}
        asked = {"query": DOCUMENT, "variables": variables}
        most = self.chance.randint(1, EVENTS_MAX)
        async for frame in socket:
            message = json.loads(frame)
            match message["type"]:
                case "connection_ack":
                    begin = {"id": "1", "type": "subscribe", "payload": asked}
                    await socket.send(json.dumps(begin))
                case "ping":
                    await socket.send(json.dumps({"type": "pong"}))
                case "next" if not message["payload"].get("errors"):
                    subscription.heard.append(self.heard_in(message["payload"]["data"]))
                    if len(subscription.heard) == most:
                        return
                case "next":
                    self.note(message["payload"]["errors"])
                    return
                case "error":
                    self.note(message["payload"])
                    return
                case _:
                    return

    def heard_in(self, data: dict[str, Any]) -> Heard:
        told = data["pointsCredited"]
        points = thousandths(told["points"])
        return Heard(self.keep(told["cursor"]), told["transactionId"], told["walletId"], points)

    def keep(self, cursor: str) -> int:
        """Keep a cursor by its position, which it gives."""
        name, _, position, _ = (
            urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(",")
        )
        assert name == "pointsCredited"
        self.cursors[int(position)] = cursor
        return int(position)

    def note(self, errors: list[dict[str, Any]]) -> None:
        """Errors that say `come back` are no finding; any other is."""
        codes = {error.get("extensions", {}).get("code") for error in errors}
        if not codes <= RETRYABLE:
            self.told_of_faults.append(str(errors))
