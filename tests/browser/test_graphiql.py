"""GraphiQL at /graphql: a developer credits a wallet, and watches it happen, without the internet.

`PICTURES=docs/images make test ARGS=tests/browser` takes the README's pictures anew.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Page, WebSocket, expect

from graph import graphiql
from tests.browser.visits import (
    ANSWER,
    LOST,
    PANEL,
    PLAY,
    REFUSED,
    follows,
    needs_chromium,
    take_picture,
    visiting,
)
from tests.harness.clock import VirtualClock
from tests.harness.patience import poll
from tests.harness.servers import Service, running

OPERATION = "document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.operationName"

pytestmark = needs_chromium


@pytest.fixture
async def service(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    """A developer's service on a new SQLite file; the page is the same over either database."""
    async with running(sqlite_url, clock, developer_token="a-developer-is-here") as service:
        yield service


@pytest.fixture
async def page(service: Service) -> AsyncIterator[Page]:
    async with visiting(service) as page:
        await follows(page)
        yield page


async def open_example(page: Page, title: str, operation: str) -> None:
    """Open an example and wait until GraphiQL has read it: it does so a tenth of a second later."""
    await page.get_by_role("button", name=title).click()

    async def has_read() -> bool:
        return await page.evaluate(OPERATION) == operation

    assert await poll(has_read), f"GraphiQL did not turn to {operation}"


async def send(page: Page, operation: str) -> None:
    """Press play, and wait until the socket has carried the operation."""
    sent: list[str] = []

    async def has_sent() -> bool:
        return any(operation in frame for frame in sent)

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: sent.append(str(frame)))

    page.on("websocket", listen)
    await page.locator(PLAY).click()
    assert await poll(has_sent), f"GraphiQL did not send {operation}"


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
    every = (graphiql.PAGE / "examples.graphql").read_text(encoding="utf-8").count("# ── ")
    await page.locator(".graphiql-tab-active").get_by_role("button", name="Close Tab").click()
    await expect(page.get_by_role("tab")).to_have_count(every - 1)

    await open_example(page, "Give a wallet points", "GivePoints")

    await expect(page.get_by_role("tab")).to_have_count(every)
    await page.locator(PLAY).click()
    await expect(page.locator(ANSWER)).to_contain_text('"replayed": false')


async def test_the_developer_need_not_sign_in_and_cannot_sign_out(page: Page) -> None:
    await expect(page.get_by_role("button", name="Sign in")).to_have_count(0)
    await expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    assert await page.evaluate("sessionStorage.length") == 0


async def test_the_page_goes_on_when_the_service_was_started_anew(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with AsyncExitStack() as visit:
        async with running(sqlite_url, clock, developer_token="the-first") as service:
            port = int(service.url.rpartition(":")[2])
            said = [LOST, REFUSED]
            page = await visit.enter_async_context(visiting(service, may_say=said))
            await follows(page)
        await expect(page.locator(PANEL)).to_contain_text("The connection is lost")

        async with running(sqlite_url, clock, developer_token="another", port=port) as service:
            await follows(page)
            await page.locator(PLAY).click()

            await expect(page.locator(f"{PANEL} li")).to_contain_text("+50annWelcome!")
            assert (await service.client.balance("ann")).active == 50
