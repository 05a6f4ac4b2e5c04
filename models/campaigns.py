"""Campaigns: standing rules of who hears or gets what, the channels they use, their versions."""

from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from models.columns import flag, holds, one_of, text, whole

KINDS = ("WEBHOOK", "EMAIL", "INBOX", "APPRISE", "CLEVERTAP")
STATUSES = ("DRAFT", "RUNNING", "PAUSED", "STOPPED", "COMPLETED")


class Channel(SQLModel, table=True):
    """A way to members. `settings` and `secrets` are JSON objects as text; the latter stay inside.

    One that is `disabled` sends nothing more: its endpoint has said that it is gone.
    """

    __tablename__ = "channels"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("name"),
        one_of("kind", *KINDS),
        {"sqlite_strict": True},
    )

    id: str = text(primary_key=True)
    name: str = text()
    kind: str = text()
    settings: str = text()
    secrets: str = text()
    disabled: bool = flag()
    created_at: int = whole()


class Campaign(SQLModel, table=True):
    """A campaign as it stands: `plan` is the JSON of what the next publication freezes.

    `version` is that of the last publication, 0 before the first; `ends_at` is that version's end.
    `finishes` says of a stopped one that what waits is still sent. Events past `until_position` are
    not its any more. `resumed_at` is when it last went on after a pause. `placed` counts the
    deliveries that have taken a place under the cap; `minute_at` and `minute_count` how many
    messages were begun since when, for the rate. It sends nothing before `rests_until`.
    """

    __tablename__ = "campaigns"
    __table_args__: ClassVar[Any] = (
        one_of("status", *STATUSES),
        holds("campaign_draft_is_unpublished", "(status = 'DRAFT') = (version = 0)"),
        holds("campaign_places_not_negative", "placed >= 0"),
        {"sqlite_strict": True},
    )

    id: str = text(primary_key=True)
    name: str = text()
    status: str = text()
    version: int = whole()
    plan: str = text()
    ends_at: int = whole()
    finishes: bool = flag()
    until_position: int = whole()
    resumed_at: int | None = whole()
    placed: int = whole()
    minute_at: int = whole()
    minute_count: int = whole()
    rests_until: int = whole()
    created_at: int = whole()


class CampaignVersion(SQLModel, table=True):
    """What a publication froze: it holds for events past `from_position`, up to the next one's."""

    __tablename__ = "campaign_versions"
    __table_args__: ClassVar[Any] = ({"sqlite_strict": True},)

    campaign_id: str = text(primary_key=True, foreign_key="campaigns.id")
    version: int = whole(primary_key=True)
    name: str = text()
    plan: str = text()
    channel_id: str | None = text(foreign_key="channels.id")
    conversion_within: int | None = whole()
    from_position: int = whole()
    published_at: int = whole()


class CampaignCursor(SQLModel, table=True):
    """How far the log was read for campaigns: one row, locked by whoever reads on."""

    __tablename__ = "campaign_cursor"
    __table_args__: ClassVar[Any] = ({"sqlite_strict": True},)

    id: int = whole(primary_key=True)
    position: int = whole()
