"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def instant(text: str) -> datetime:
    """Return the moment that an RFC 3339 text names, in UTC."""
    at = datetime.fromisoformat(text)
    assert at.tzinfo is not None, f"a moment without an offset: {text}"
    return at.astimezone(UTC)


class VirtualClock:
    """The service's only source of time: microseconds since 1970, moved forward by the test."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return (self.now - EPOCH) // MICROSECOND

    def advance(self, **by: float) -> datetime:
        """Move forward by `days=`, `hours=`, … as `timedelta` names them."""
        return self.set(self.now + timedelta(**by))

    def set(self, to: datetime | str) -> datetime:
        """Move forward to a moment; time never runs backwards here."""
        at = instant(to) if isinstance(to, str) else to
        assert at >= self.now, f"{at} is before {self.now}"
        self.now = at
        return at

    def after(self, **by: float) -> datetime:
        """Return a moment yet to come, or gone by if negative; the clock stands still."""
        return self.now + timedelta(**by)


class Ticks:
    """Seconds that never run backwards, from nowhere in particular; they pass as the test says."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now
