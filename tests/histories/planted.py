"""Faults to plant in a sound history: each is a way in which a ledger can break a promise."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.histories.history import (
    Answered,
    Balance,
    Broken,
    Deed,
    Done,
    History,
    Invoked,
    Key,
    LogEvent,
    Nothing,
    Posting,
    Refused,
    Seen,
    Subscription,
)
from tests.histories.sound import OPENING

Fault = Callable[[History], None]


def pick(rows: list[Posting], **wanted: Any) -> int:
    """Where a row stands that has these fields, amid the history."""
    return next(
        place
        for place, row in enumerate(rows)
        if place > len(rows) // 3 and all(getattr(row, n) == v for n, v in wanted.items())
    )


def answered(history: History, kind: type, nth: int = 20) -> int:
    """The place of an answer of one kind."""
    places = [
        place
        for place, step in enumerate(history.steps)
        if isinstance(step, Answered) and isinstance(step.outcome, kind)
    ]
    return places[min(nth, len(places) - 1)]


def change_answer(history: History, kind: type, change: Callable[[Any], Any]) -> None:
    place = answered(history, kind)
    step = history.steps[place]
    assert isinstance(step, Answered)
    history.steps[place] = replace(step, outcome=change(step.outcome))


def lose_a_row(history: History) -> None:
    """The last of a wallet, its event and key with it: a commit that a crash undid."""
    row = max(
        (row for row in history.postings if row.wallet == "wal_ann"), key=lambda row: row.sequence
    )
    history.postings.remove(row)
    history.keys = [key for key in history.keys if key.transaction != row.id]


def lose_a_row_under_its_key(history: History) -> None:
    del history.postings[pick(history.postings, kind="CREDIT")]


def double_an_effect(history: History) -> None:
    """A retry that took effect again, soundly in all else."""
    row = max(
        (row for row in history.postings if row.wallet == "wal_dan"), key=lambda row: row.sequence
    )
    credit = history.postings[pick(history.postings, kind="CREDIT", wallet="wal_dan")]
    again = replace(
        credit,
        id="txn_again",
        sequence=row.sequence + 1,
        after=row.after.plus(credit.change),
    )
    history.postings.append(again)
    position = len(history.events) + 1
    event = LogEvent(position, "POINTS_CREDITED", again.wallet, again.id, again.points)
    history.events.append(event)


def leave_a_gap(history: History) -> None:
    start = pick(history.postings, kind="DEBIT")
    wallet = history.postings[start].wallet
    for place in range(start, len(history.postings)):
        row = history.postings[place]
        if row.wallet == wallet:
            history.postings[place] = replace(row, sequence=row.sequence + 1)


def miscount_a_balance(history: History) -> None:
    place = pick(history.postings, kind="DEBIT")
    row = history.postings[place]
    history.postings[place] = replace(row, after=row.after.plus(Balance(1)))


def take_too_much(history: History) -> None:
    place = pick(history.postings, kind="DEBIT", hold=None)
    row = history.postings[place]
    taken = row.points + row.after.active + 1
    history.postings[place] = replace(
        row, points=taken, change=Balance(-taken), after=row.after._replace(active=-1)
    )


def change_too_little(history: History) -> None:
    place = pick(history.postings, kind="DEBIT")
    row = history.postings[place]
    history.postings[place] = replace(row, points=row.points + 1)


def settle_a_hold_twice(history: History) -> None:
    """What one hold has left is given back once more, of another."""
    first, second = [place for place, row in enumerate(history.postings) if row.kind == "RELEASE"][
        :2
    ]
    history.postings[second] = replace(history.postings[second], hold=history.postings[first].hold)


def answer_a_key_twice(history: History) -> None:
    """A retry is told of another transaction."""
    place = answered(history, Done)
    step = history.steps[place]
    assert isinstance(step, Answered)
    assert isinstance(step.outcome, Done)
    other = replace(step.outcome.postings[0], id="txn_other")
    told = Done((other, *step.outcome.postings[1:]), replayed=True)
    history.steps += [Invoked(9_999, step.deed), Answered(9_999, step.deed, told)]


def call_a_replay_fresh(history: History) -> None:
    place = answered(history, Done)
    step = history.steps[place]
    assert isinstance(step, Answered)
    history.steps += [Invoked(9_999, step.deed), Answered(9_999, step.deed, step.outcome)]


def answer_other_points(history: History) -> None:
    change_answer(
        history,
        Done,
        lambda done: replace(
            done, postings=(replace(done.postings[0], points=77), *done.postings[1:])
        ),
    )


def do_what_was_refused(history: History) -> None:
    change_answer(history, Done, lambda _: Refused("InsufficientPoints", 0))


def do_what_was_not_to_be_done(history: History) -> None:
    change_answer(history, Done, lambda _: Nothing("UNAVAILABLE"))


def do_something_else(history: History) -> None:
    """Another wallet than the caller's is credited, soundly in all else."""
    place = answered(history, Done)
    step = history.steps[place]
    other = replace(step.deed, who="cyd" if step.deed.who != "cyd" else "dan")
    history.steps = [
        replace(each, deed=other) if each.deed.key == other.key else each for each in history.steps
    ]


def go_back_in_time(history: History) -> None:
    """The answer comes first of all, the question right before it: later than its place."""
    place = answered(history, Done, 200)
    step = history.steps[place]
    mine = [each for each in history.steps if each.deed.key == step.deed.key]
    history.steps = [each for each in history.steps if each.deed.key != step.deed.key] + mine


def put_the_log_back_in_time(history: History) -> None:
    """Two wallets' rows whose answers and questions contradict the log, and nothing else."""
    for who, position in (("ann", 2), ("bob", 1)):
        deed = Deed(f"late-{who}", "CREDIT", f"new-{who}", 1)
        wallet, end = f"wal_new-{who}", len(history.events)
        row = Posting(f"txn_{who}", wallet, 1, "CREDIT", 1, Balance(1), Balance(1))
        history.owners[wallet] = deed.who
        history.postings.append(row)
        history.keys.append(Key(deed.key, row.id))
        history.events.append(LogEvent(end + 1, "POINTS_CREDITED", wallet, row.id, 1))
        history.steps += [Invoked(9_000 + position, deed)]
        history.steps += [Answered(9_000 + position, deed, Done((row,), replayed=False))]
    history.steps = history.steps[:-4] + history.steps[-2:] + history.steps[-4:-2]
    history.followers = []


def refuse_what_there_was(history: History) -> None:
    """A debit of one point is refused for want of points, where there never were so many."""
    refused = next(key for key in history.keys if key.refused and key.refused.available)
    told = Refused("InsufficientPoints", 5_000)
    history.keys[history.keys.index(refused)] = replace(refused, refused=told)
    for place, step in enumerate(history.steps):
        if step.deed.key == refused.key and isinstance(step, Answered):
            outcome = told if isinstance(step.outcome, Refused) else step.outcome
            history.steps[place] = replace(step, outcome=outcome)


def refuse_what_is_enough(history: History) -> None:
    """There were so many, and so many were asked for."""
    refused = next(key for key in history.keys if key.refused and key.refused.available)
    assert refused.refused
    for place, step in enumerate(history.steps):
        if step.deed.key == refused.key:
            deed = replace(step.deed, points=refused.refused.available)
            history.steps[place] = replace(step, deed=deed)


def refuse_an_open_hold(history: History) -> None:
    place = next(
        place
        for place, row in enumerate(history.postings)
        if row.kind == "HOLD" and sum(row.hold == each.hold for each in history.postings) == 1
    )
    deed = Deed("late", "CAPTURE", "ann", hold=history.postings[place].hold)
    told = Refused("HoldClosed")
    history.keys.append(Key(deed.key, None, told))
    history.steps += [Invoked(9_999, deed), Answered(9_999, deed, told)]


def refuse_a_hold_that_is_closed_only_later(history: History) -> None:
    """The answer comes before anybody had asked for what closed it."""
    row = next(row for row in history.postings if row.kind == "RELEASE")
    closing = next(key for key in history.keys if key.transaction == row.id)
    place = next(n for n, step in enumerate(history.steps) if step.deed.key == closing.key)
    deed = Deed("early", "CAPTURE", history.owners[row.wallet], hold=row.hold)
    told = Refused("HoldClosed")
    history.keys.append(Key(deed.key, None, told))
    history.steps[place:place] = [Invoked(9_999, deed), Answered(9_999, deed, told)]


def read_what_was_long_ago(history: History) -> None:
    """A copy that lags: what the very first credit had left is read at the end."""
    deed = replace(history.steps[0].deed, key="late", kind="READ", points=None)
    history.steps += [Invoked(9_999, deed), Answered(9_999, deed, Seen(Balance(OPENING)))]


def break_an_answer(history: History) -> None:
    change_answer(history, Done, lambda _: Broken("INTERNAL"))


def leave_a_place_of_the_log_empty(history: History) -> None:
    for place in range(100, len(history.events)):
        event = history.events[place]
        history.events[place] = replace(event, position=event.position + 1)


def tell_nothing_of_a_row(history: History) -> None:
    last = history.events.pop()
    assert last.transaction


def tell_of_no_row(history: History) -> None:
    position = len(history.events) + 1
    history.events.append(LogEvent(position, "POINTS_DEBITED", "wal_ann", "txn_none", 1))


def tell_twice_of_a_row(history: History) -> None:
    history.events.append(replace(history.events[50], position=len(history.events) + 1))


def tell_other_points(history: History) -> None:
    history.events[50] = replace(history.events[50], points=77)


def swap_two_events(history: History) -> None:
    """Two of a wallet stand on the log the other way round."""
    places = [place for place, event in enumerate(history.events) if event.wallet == "wal_ann"]
    first, second = places[50:52]
    one, two = history.events[first], history.events[second]
    history.events[first] = replace(two, position=one.position)
    history.events[second] = replace(one, position=two.position)


def a_subscription(history: History) -> Subscription:
    return next(sub for sub in history.followers[0].subscriptions[5:] if len(sub.heard) > 4)


def hear_nothing_of_one(history: History) -> None:
    del a_subscription(history).heard[2]


def hear_one_twice(history: History) -> None:
    heard = a_subscription(history).heard
    heard.insert(2, heard[1])


def hear_one_before_the_cursor(history: History) -> None:
    subscription = a_subscription(history)
    subscription.after = subscription.heard[0].position


def hear_two_the_other_way_round(history: History) -> None:
    heard = a_subscription(history).heard
    heard.insert(3, heard.pop(1))  # 0 2 3 1


def hear_of_other_points(history: History) -> None:
    heard = a_subscription(history).heard
    heard[2] = heard[2]._replace(points=77)


def miss_some_between_two_subscriptions(history: History) -> None:
    follower = history.followers[0]
    del follower.subscriptions[4]


def miss_the_last(history: History) -> None:
    del history.followers[0].subscriptions[-1]


FAULTS: dict[Fault, str] = {
    lose_a_row: "acknowledged and lost",
    lose_a_row_under_its_key: "acknowledged and lost",
    double_an_effect: "effect without a key",
    leave_a_gap: "sequence gap",
    miscount_a_balance: "wrong balance",
    take_too_much: "overdraft",
    change_too_little: "wrong change",
    settle_a_hold_twice: "hold settled twice",
    answer_a_key_twice: "two answers to one key",
    call_a_replay_fresh: "two answers to one key",
    answer_other_points: "answered otherwise",
    do_what_was_refused: "refused and done",
    do_what_was_not_to_be_done: "refused and done",
    do_something_else: "not what was asked",
    go_back_in_time: "against real time",
    put_the_log_back_in_time: "against real time",
    refuse_what_there_was: "refused without a reason",
    refuse_what_is_enough: "refused without a reason",
    refuse_an_open_hold: "refused without a reason",
    refuse_a_hold_that_is_closed_only_later: "refused without a reason",
    read_what_was_long_ago: "read of no moment",
    break_an_answer: "broken answer",
    leave_a_place_of_the_log_empty: "position gap",
    tell_nothing_of_a_row: "row without an event",
    tell_of_no_row: "event without a row",
    tell_twice_of_a_row: "row with two events",
    tell_other_points: "event of other points",
    swap_two_events: "event out of order",
    hear_nothing_of_one: "not heard",
    hear_one_twice: "heard twice",
    hear_one_before_the_cursor: "heard twice",
    hear_two_the_other_way_round: "heard out of order",
    hear_of_other_points: "heard otherwise",
    miss_some_between_two_subscriptions: "not heard",
    miss_the_last: "not heard",
}
