"""A visitor's browser: what it asks for, and what it says, is listened to."""

import os
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.harness.servers import Service

CHROMIUM: Final = Path("/usr/bin/chromium")
QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PLAY: Final = ".graphiql-execute-button"
ANSWER: Final = ".result-window"
PANEL: Final = ".tuppence-live"
REFUSED: Final = "the server responded with a status of 401"
LOST: Final = "WebSocket connection to"

needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"needs a Chromium at {CHROMIUM} (apt-get install chromium)"
)


@asynccontextmanager
async def visiting(service: Service, *, may_say: Collection[str] = ()) -> AsyncIterator[Page]:
    """Show the page on a first visit. At the end it must have kept to itself, and been silent.

    A violation of the page's policy is said, too. What `may_say` has the browser says by itself.
    """
    said: list[str] = []
    asked: list[str] = []
    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        page = await context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        await page.goto(f"{service.url}/graphql")
        yield page
        assert await page.evaluate("document.cookie") == ""
        await browser.close()
    own = (service.url, service.url.replace("http", "ws", 1))
    assert [url for url in asked if not url.startswith(own)] == []
    assert [text for text in said if not any(part in text for part in may_say)] == []


async def sign_in(page: Page, token: str) -> None:
    """Show a key or a token to the page."""
    await page.get_by_label("API key, or a member’s token").fill(token)
    await page.get_by_role("button", name="Sign in").click()


async def follows(page: Page) -> None:
    """Wait until the panel follows the credits: whoever is visiting has been let in."""
    await expect(page.locator(PANEL)).to_contain_text("Connected")


async def take_picture(page: Page, name: str) -> None:
    """Take a picture for the README, where one is asked for."""
    if folder := os.environ.get("PICTURES"):
        await page.screenshot(path=Path(folder) / name)
