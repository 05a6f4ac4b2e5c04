"""Listeners: the versions of campaigns that events are held against, each compiled once.

A version listens to the events past its publication, up to the next one's, so that an event is
judged by the version that was in force when it happened, however late it is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, literal, or_, select

from campaigns.conditions import compile_filters, compile_profile
from campaigns.lifecycle import LISTENING
from campaigns.plans import Plan, from_json
from campaigns.properties import SCHEMAS
from events.occurrences import Occurrence
from models.columns import NEVER, WHOLE
from models.tables import campaign_versions, campaigns

COMPILED_MAX: Final = 4_096
"""How many versions are kept compiled: more than any installation has in force."""

Predicate = Callable[[Mapping[str, Any], int], bool]
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A version's plan, ready to be held against events. `name` is the campaign's as published."""

    name: str
    plan: Plan
    log_name: str
    wants: Predicate
    suits: Predicate


@dataclass(frozen=True, slots=True)
class Listener:
    """A version, and the events between whose positions it listens."""

    campaign_id: str
    version: int
    after: int
    until: int
    compiled: Compiled

    def hears(self, occurrence: Occurrence) -> bool:
        """The event is one that this version is about, whatever it says."""
        when = self.compiled.plan.when
        return (
            self.after < occurrence.position <= self.until
            and occurrence.campaign_id != self.campaign_id
            and (when.starts_at is None or when.starts_at <= occurrence.at)
            and (when.ends_at is None or occurrence.at < when.ends_at)
        )


@dataclass(slots=True)
class Versions:
    """The versions that were compiled. What a version is never changes."""

    known: dict[Key, Compiled] = field(default_factory=dict[Key, Compiled])

    def compiled(self, connection: Connection, key: Key) -> Compiled:
        """The version, read if it isn't known."""
        if key not in self.known:
            if len(self.known) >= COMPILED_MAX:
                self.known.clear()
            name, plan = connection.execute(_PLAN, {"id": key[0], "version": key[1]}).one()
            self.known[key] = compile_version(name, from_json(plan))
        return self.known[key]

    def listeners(self, connection: Connection, cursor: int) -> list[Listener]:
        """All that listen to events past the cursor."""
        found = connection.execute(_LISTENING, {"cursor": cursor}).all()
        ends: dict[str, int] = {}
        listeners: list[Listener] = []
        for campaign_id, version, after, until in found:  # the newest version first
            ends.setdefault(campaign_id, until)
            if ends[campaign_id] > max(after, cursor):
                compiled = self.compiled(connection, (campaign_id, version))
                listener = Listener(campaign_id, version, after, ends[campaign_id], compiled)
                listeners.append(listener)
            ends[campaign_id] = after
        return listeners


def compile_version(name: str, plan: Plan) -> Compiled:
    """A plan with its filters compiled."""
    return Compiled(
        name,
        plan,
        SCHEMAS[plan.who.event].log_name,
        compile_filters(plan.who.match, plan.who.filters),
        compile_profile("ALL", plan.who.profile),
    )


_PLAN: Final = select(campaign_versions.c.name, campaign_versions.c.plan).where(
    campaign_versions.c.campaign_id == bindparam("id"),
    campaign_versions.c.version == bindparam("version", type_=WHOLE),
)
# What happened before the end is read to the end, though nothing may be sent of it any more.
_unread: Final = and_(
    campaigns.c.until_position > bindparam("cursor", type_=WHOLE),
    campaigns.c.until_position < literal(NEVER, WHOLE),
)
_LISTENING: Final = (
    select(
        campaign_versions.c.campaign_id,
        campaign_versions.c.version,
        campaign_versions.c.from_position,
        campaigns.c.until_position,
    )
    .join(campaigns, campaigns.c.id == campaign_versions.c.campaign_id)
    .where(or_(campaigns.c.status.in_(LISTENING), _unread))
    .order_by(campaign_versions.c.campaign_id, campaign_versions.c.version.desc())
)
