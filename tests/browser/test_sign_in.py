"""Signing in to GraphiQL: by a key, for as long as it works; the page has nothing to say before."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from access import keys
from access.keys import ApiKey, NewKey
from events.audit import TERMINAL
from tests.browser.visits import (
    ANSWER,
    PANEL,
    PLAY,
    REFUSED,
    follows,
    needs_chromium,
    sign_in,
    take_picture,
    visiting,
)
from tests.harness.clock import VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.provider import provider
from tests.harness.servers import Service, running
from tests.harness.stream import Stream

HOUR_US = 3_600_000_000
ENDED = "You were signed out: your key or token was revoked, or has expired."
WRONG = "tpk_01kb00000000000000000000ad_nobody-has-this-key"
FOLLOW = "subscription { pointsCredited { id } }"
REVOKED_MS_MAX = 20_000  # the service is given 10 s; a busy machine is given as many again
KEPT = "JSON.stringify([localStorage, sessionStorage])"
HEADERS = "document.querySelectorAll('.graphiql-editor-tool .CodeMirror')[1].CodeMirror"

pytestmark = needs_chromium


@pytest.fixture
async def service(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    async with running(sqlite_url, clock) as service:
        yield service


@pytest.fixture
async def page(service: Service) -> AsyncIterator[Page]:
    async with visiting(service, may_say=[REFUSED]) as page:
        yield page


async def asks(page: Page) -> None:
    """Wait until the page asks for a key, and shows nothing else."""
    await expect(page.get_by_label("API key, or a member’s token")).to_be_focused()
    await expect(page.locator(PLAY)).to_have_count(0)


async def test_the_page_asks_for_a_key_before_it_asks_the_service_for_anything(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    page.on("websocket", lambda socket: asked.append(socket.url))

    await page.reload()

    await asks(page)
    assert set(asked) == {"GET"}
    await page.set_viewport_size({"width": 960, "height": 540})
    await take_picture(page, "sign-in.png")


async def test_a_key_opens_graphiql_and_stays_in_the_tab(page: Page, service: Service) -> None:
    await sign_in(page, f"  Bearer {ADMIN} ")
    await follows(page)
    await expect(page.get_by_text("Signed in by key_01kb00000000000000000000ad")).to_be_visible()
    await page.locator(PLAY).click()
    await expect(page.locator(ANSWER)).to_contain_text('"active": 50')
    await expect(page.locator(f"{PANEL} li")).to_contain_text("+50annWelcome!")

    await page.reload()
    await follows(page)

    assert ADMIN not in await page.evaluate("JSON.stringify(localStorage)")
    another = await page.context.new_page()
    await another.goto(f"{service.url}/graphql")
    await asks(another)


@pytest.mark.parametrize("shown", [WRONG, "clé", "two words"])
async def test_a_wrong_key_is_called_that_and_the_right_one_may_follow(
    page: Page, shown: str
) -> None:
    await sign_in(page, shown)

    await expect(page.get_by_role("alert")).to_have_text(
        "This lets nobody in: it is unknown, expired or revoked."
    )
    assert await page.evaluate("sessionStorage.length") == 0
    await asks(page)

    await sign_in(page, ADMIN)
    await follows(page)


async def test_signing_out_forgets_the_key_and_what_was_written(page: Page) -> None:
    await sign_in(page, ADMIN)
    await follows(page)
    await page.locator(PLAY).click()
    await expect(page.locator(ANSWER)).to_contain_text('"active": 50')
    assert "GivePoints" in await page.evaluate(KEPT)

    await page.get_by_role("button", name="Sign out").click()

    await asks(page)
    await expect(page.get_by_role("alert")).to_have_count(0)
    kept = await page.evaluate(KEPT)
    assert ADMIN not in kept
    assert "GivePoints" not in kept


async def test_an_authorization_of_the_header_editor_goes_before_the_session(page: Page) -> None:
    await sign_in(page, ADMIN)
    await follows(page)
    await page.get_by_role("button", name="Headers").click()
    await page.evaluate(f'{HEADERS}.setValue(\'{{"Authorization": "Bearer {WRONG}"}}\')')

    await page.locator(PLAY).click()

    await expect(page.locator(ANSWER)).to_contain_text('"code": "UNAUTHENTICATED"')
    await follows(page)  # the session's own key is as good as ever


async def test_a_header_is_not_kept(page: Page) -> None:
    await sign_in(page, ADMIN)
    await follows(page)
    await page.get_by_role("button", name="Headers").click()
    await page.evaluate(f'{HEADERS}.setValue(\'{{"Authorization": "Bearer {WRONG}"}}\')')
    await page.locator(PLAY).click()
    await expect(page.locator(ANSWER)).to_contain_text('"code": "UNAUTHENTICATED"')

    kept = await page.evaluate(KEPT)

    assert "GivePoints" in await page.evaluate("localStorage['graphiql:queries']")
    assert WRONG not in kept


async def create_key(
    service: Service, *scopes: str, expires_at: int | None = None
) -> tuple[ApiKey, str]:
    """Make a key at the terminal; return it and its token."""
    wanted = NewKey("the till in Lyon", scopes, expires_at)
    made: tuple[ApiKey, str] = await service.inside.database.write(
        keys.create, service.clock(), wanted, TERMINAL
    )
    return made


async def test_the_page_asks_again_when_the_key_is_revoked(page: Page, service: Service) -> None:
    key, token = await create_key(service, "events:read", "points:credit")
    await sign_in(page, token)
    await follows(page)

    await service.inside.database.write(keys.revoke, service.clock(), key.id, TERMINAL)

    await expect(page.get_by_role("alert")).to_have_text(ENDED, timeout=REVOKED_MS_MAX)
    await asks(page)
    assert await page.evaluate("sessionStorage.length") == 0


async def test_the_page_asks_again_when_the_key_expires(page: Page, service: Service) -> None:
    expires_at = service.clock() + HOUR_US
    _, token = await create_key(service, "points:credit", expires_at=expires_at)
    await sign_in(page, token)
    await expect(page.locator(PANEL)).to_contain_text("events:read")

    service.clock.advance(hours=1)
    await page.locator(PLAY).click()

    await expect(page.get_by_role("alert")).to_have_text(ENDED)
    await asks(page)


async def test_nothing_is_tried_again_while_the_page_asks(page: Page, service: Service) -> None:
    expires_at = service.clock() + HOUR_US
    _, token = await create_key(service, "events:read", expires_at=expires_at)
    await page.clock.install()
    await page.reload()
    await sign_in(page, token)
    await follows(page)
    service.clock.advance(hours=1)
    await expect(page.get_by_role("alert")).to_have_text(ENDED, timeout=REVOKED_MS_MAX)

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    await page.clock.fast_forward("05:00")

    await asks(page)
    assert asked == []


async def test_a_key_that_may_not_follow_is_told_so_once(page: Page, service: Service) -> None:
    _, token = await create_key(service, "wallets:read")
    sent: list[str] = []
    page.on("websocket", lambda socket: sent.append(socket.url))
    await page.clock.install()
    await page.reload()

    await sign_in(page, token)

    await expect(page.locator(PANEL)).to_contain_text("events:read")
    await page.clock.fast_forward("05:00")
    await expect(page.locator(PANEL)).to_contain_text("events:read")
    assert len(sent) == 1


async def test_too_many_sockets_are_no_reason_to_ask_again(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock, limit_sockets=1) as service, visiting(service) as page:
        async with Stream(service.client.ws_url, FOLLOW, {}):
            await sign_in(page, ADMIN)

            await expect(page.locator(PANEL)).to_contain_text("at most 1 sockets")

        await follows(page)


async def test_a_member_sees_their_own_credits_live_and_nobody_else_s(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with (
        provider(clock) as identities,
        running(sqlite_url, clock, **identities.settings) as service,
        visiting(service) as page,
    ):
        await sign_in(page, identities.token("ann"))
        await follows(page)
        await expect(page.get_by_text("Signed in by a member’s token")).to_be_visible()

        await service.client.credit("bob", 7)
        await service.client.credit("ann", 5)

        await expect(page.locator(f"{PANEL} li")).to_contain_text("+5ann")
        await page.locator(PLAY).click()
        await expect(page.locator(ANSWER)).to_contain_text('"code": "FORBIDDEN"')
