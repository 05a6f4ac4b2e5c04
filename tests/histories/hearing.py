"""Whether each follower heard what it was promised. One pass over what it heard.

    heard twice            no event comes twice in one subscription, nor at or before its cursor
    heard out of order     positions rise within a subscription
    not heard              nothing is missing between a cursor and the last that was heard, nor
                           between one subscription and the next, nor at the end
    heard otherwise        what is heard is what the log says, and what was asked for

Across subscriptions only what lies past the cursor that a follower gave may come again.
"""

from bisect import bisect_right
from collections.abc import Iterator

from tests.histories.history import Finding, Follower, Heard, History, Subscription

CREDITED = "POINTS_CREDITED"


class Log:
    """The CT Points Credited, of everybody and of each member, in the log's order."""

    def __init__(self, history: History) -> None:
        self.of: dict[str | None, list[Heard]] = {None: []}
        for event in history.events:
            if event.name != CREDITED or event.transaction is None:
                continue
            told = Heard(event.position, event.transaction, event.wallet, event.points)
            who = history.owners.get(event.wallet, event.wallet)
            self.of[None].append(told)
            self.of.setdefault(who, []).append(told)

    def past(self, who: str | None, position: int) -> Iterator[Heard]:
        events = self.of.get(who, [])
        start = bisect_right(events, position, key=lambda event: event.position)
        return (events[index] for index in range(start, len(events)))

    def last(self, who: str | None) -> int:
        events = self.of.get(who)
        return events[-1].position if events else 0


def check_hearing(history: History) -> Iterator[Finding]:
    """All of the above, of every follower."""
    log = Log(history)
    for follower in history.followers:
        yield from _check_follower(follower, log)


def _check_follower(follower: Follower, log: Log) -> Iterator[Finding]:
    reached = follower.subscriptions[0].after if follower.subscriptions else 0
    for number, subscription in enumerate(follower.subscriptions):
        where = f"{follower.name}'s subscription {number} after {subscription.after}"
        if subscription.after > reached:
            yield Finding("not heard", f"{where}: the one before had come to {reached}")
        yield from _check_subscription(subscription, follower.who, log, where)
        if subscription.heard:
            reached = max(reached, subscription.heard[-1].position)
    if follower.drained and reached < log.last(follower.who):
        last = log.last(follower.who)
        yield Finding("not heard", f"{follower.name} ended at {reached}, the log at {last}")


def _check_subscription(
    subscription: Subscription, who: str | None, log: Log, where: str
) -> Iterator[Finding]:
    """Walk beside the log. Where they part, one finding tells how; what follows follows from it."""
    before = subscription.after
    expected = log.past(who, before)
    for place, heard in enumerate(subscription.heard):
        wanted = next(expected, None)
        if heard != wanted:
            name = _name(heard, wanted, before, subscription.heard[place:])
            yield Finding(name, f"{where}: {heard} in place of {wanted}")
            return
        before = heard.position


def _name(heard: Heard, wanted: Heard | None, before: int, rest: list[Heard]) -> str:
    """How what was heard parts from what was to be heard."""
    if heard.position <= before:
        return "heard twice"
    if wanted in rest:
        return "heard out of order"
    if wanted is not None and heard.position > wanted.position:
        return "not heard"
    return "heard otherwise"
