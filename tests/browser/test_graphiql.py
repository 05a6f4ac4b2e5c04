"""GraphiQL at /graphql: a visitor credits a wallet, and watches it happen, without the internet.

`PICTURES=docs/images make test ARGS=tests/browser` takes the README's picture anew.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, WebSocket, async_playwright, expect

from tests.harness.clock import VirtualClock
from tests.harness.processes import poll
from tests.harness.servers import Service, running

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PLAY = ".graphiql-execute-button"
ANSWER = ".result-window"
PANEL = ".tuppence-live"
OPERATION = "document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.operationName"
WAIT_S_MAX = 10

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"needs a Chromium at {CHROMIUM} (apt-get install chromium)"
)


@pytest.fixture
async def service(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[Service]:
    """The service on a new SQLite file; the page is the same over either database."""
    async with running(f"sqlite:///{tmp_path / 'tuppence.db'}", clock) as service:
        yield service


@pytest.fixture
async def page(service: Service) -> AsyncIterator[Page]:
    """The page on a first visit; at the end it must have kept to itself and been silent."""
    said: list[str] = []
    asked: list[str] = []
    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        await page.goto(f"{service.url}/graphql")
        await expect(page.locator(PANEL)).to_contain_text("Connected")
        yield page
        await browser.close()
    own = (service.url, service.url.replace("http", "ws", 1))
    assert [url for url in asked if not url.startswith(own)] == []
    assert said == []


async def open_example(page: Page, title: str, operation: str) -> None:
    """Open an example and wait until GraphiQL has read it: it does so a tenth of a second later."""
    await page.get_by_role("button", name=title).click()

    async def has_read() -> bool:
        return await page.evaluate(OPERATION) == operation

    assert await poll(has_read, WAIT_S_MAX), f"GraphiQL did not turn to {operation}"


async def send(page: Page, operation: str) -> None:
    """Press play, and wait until the socket has carried the operation."""
    sent: list[str] = []

    async def has_sent() -> bool:
        return any(operation in frame for frame in sent)

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: sent.append(str(frame)))

    page.on("websocket", listen)
    await page.locator(PLAY).click()
    assert await poll(has_sent, WAIT_S_MAX), f"GraphiQL did not send {operation}"


async def test_opens_with_a_welcome_and_the_examples_in_tabs(page: Page) -> None:
    await expect(page).to_have_title("Tuppence · GraphiQL")
    await expect(page.get_by_role("region", name="Start here")).to_be_visible()
    await expect(page.get_by_role("tab")).to_contain_text(
        [
            "GivePoints",
            "Wallet",
            "Watch",
            "EventLog",
            "CreditedNotRedeemed",
            "OpenProgram",
            "HoldPoints",
        ]
    )


async def test_a_credit_run_from_the_editor_is_answered_and_seen_live(
    page: Page, service: Service
) -> None:
    await page.locator(PLAY).click()

    await expect(page.locator(ANSWER)).to_contain_text('"replayed": false')
    await expect(page.locator(ANSWER)).to_contain_text('"active": 50')
    await expect(page.locator(f"{PANEL} li")).to_have_count(1)
    await expect(page.locator(f"{PANEL} li")).to_contain_text("+50annWelcome!")
    assert (await service.client.balance("ann")).active == 50

    await page.locator(PLAY).click()

    await expect(page.locator(ANSWER)).to_contain_text('"replayed": true')
    assert (await service.client.balance("ann")).active == 50
    await take_picture(page, "graphiql.png")


async def test_the_subscription_s_tab_shows_a_credit_from_outside(
    page: Page, service: Service
) -> None:
    await open_example(page, "Watch credits as they happen", "Watch")
    await send(page, "Watch")

    await service.client.credit("ann", 25, key="k1", description="From outside")

    await expect(page.locator(ANSWER)).to_contain_text('"points": 25')
    await expect(page.locator(ANSWER)).to_contain_text('"pointsDescription": "From outside"')
    await expect(page.locator(f"{PANEL} li")).to_contain_text("From outside")


async def test_an_example_whose_tab_was_closed_opens_again(page: Page) -> None:
    await page.locator(".graphiql-tab-active").get_by_role("button", name="Close Tab").click()
    await expect(page.get_by_role("tab")).to_have_count(6)

    await open_example(page, "Give a wallet points", "GivePoints")

    await expect(page.get_by_role("tab")).to_have_count(7)
    await page.locator(PLAY).click()
    await expect(page.locator(ANSWER)).to_contain_text('"replayed": false')


async def take_picture(page: Page, name: str) -> None:
    """Take the README's picture, where one is asked for."""
    if folder := os.environ.get("PICTURES"):
        await page.screenshot(path=Path(folder) / name)
