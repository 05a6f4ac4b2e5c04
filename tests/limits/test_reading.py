"""Reading: what takes long to read or to validate keeps nobody else waiting."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import pytest

from graph import documents
from graph import shelf as shelves
from tests.harness.client import Client
from tests.harness.documents import CURSOR

LONG = "{ eventCursor } #" + "a" * documents.SHORT_MAX
TURNS_MAX = 10_000


@contextmanager
def busy() -> Iterator[None]:
    """The documents' thread is at something else until the block ends."""
    over = Event()
    documents._thread.submit(over.wait)  # noqa: SLF001 - as a document that takes long would be
    try:
        yield
    finally:
        over.set()


async def waiting(count: int) -> None:
    for _ in range(TURNS_MAX):
        if documents._waiting == count:  # noqa: SLF001
            return
        await asyncio.sleep(0)
    raise AssertionError(documents._waiting)  # noqa: SLF001


async def test_a_long_text_is_read_while_others_are_answered(client: Client) -> None:
    with busy():
        long = asyncio.create_task(client.execute(LONG))
        await waiting(1)
        await client.execute(CURSOR)
        assert not long.done()

    assert await long == await client.execute(CURSOR)


async def test_a_long_text_is_read_once(client: Client) -> None:
    text = LONG + "once"
    await client.execute(text)

    with busy():
        await client.execute(text)


@pytest.mark.parametrize("text", [LONG + "\n{", "{ eventCursorr } #" + LONG])
async def test_what_is_no_document_is_not_kept(client: Client, text: str) -> None:
    await client.refused(text)

    with busy():
        again = asyncio.create_task(client.refused(text))
        await waiting(1)
    await again


async def test_not_too_many_wait(client: Client) -> None:
    with busy():
        texts = [f"{LONG} {number}" for number in range(documents.WAITING_MAX)]
        waits = [asyncio.create_task(client.execute(text)) for text in texts]
        await waiting(documents.WAITING_MAX)

        status, answer = await client.ask(f"{LONG} more", {})
        assert status == 503
        (error,) = answer["errors"]
        assert error["extensions"] == {"code": "OVERLOADED", "retryable": True}
        await client.execute(CURSOR)

    await asyncio.gather(*waits)


async def test_what_is_kept_has_bounds(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = shelves.Shelf[documents.Document]()
    monkeypatch.setattr(documents, "_shelf", shelf)
    monkeypatch.setattr(shelves, "KEPT_MAX", 3)
    for number in range(5):
        await client.execute(f"{{ eventCursor }} # {number}")
    assert [text[-1] for text, _ in shelf._kept] == ["2", "3", "4"]  # noqa: SLF001

    monkeypatch.setattr(shelves, "KEPT_BYTES_MAX", shelf._bytes)  # noqa: SLF001
    await client.execute("{ eventCursor } # 2")  # is asked for again, and stays
    await client.execute("{ eventCursor } # five")
    assert [text[-1] for text, _ in shelf._kept] == ["2", "e"]  # noqa: SLF001
