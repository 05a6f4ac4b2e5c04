"""GET /graphql for a browser, and /graphql/page/…: the page's files, and no other."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graph import graphiql
from tests.harness.clock import VirtualClock
from tests.harness.servers import running

HERE = "http://127.0.0.1:8000"
TOKEN = "the-developer's-token"


@pytest.fixture
def developer_token() -> str | None:
    return None


@pytest.fixture
async def browser(developer_token: str | None) -> AsyncIterator[httpx.AsyncClient]:
    async def page(request: Request) -> Response:
        return await graphiql.page(request, developer_token)

    app = Starlette(routes=[Route("/graphql", page), *graphiql.page_routes()])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as browser:
        yield browser


signed_in = pytest.mark.parametrize("developer_token", [TOKEN])


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("page.js", "text/javascript; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("favicon.svg", "image/svg+xml"),
        ("examples.graphql", "application/graphql; charset=utf-8"),
        ("dist/graphiql.min.js", "text/javascript; charset=utf-8"),
    ],
)
async def test_serves_each_file_as_what_it_is(
    browser: httpx.AsyncClient, name: str, media_type: str
) -> None:
    answer = await browser.get(f"/graphql/page/{name}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.content == (graphiql.PAGE / name).read_bytes()


async def test_lets_the_page_load_nothing_from_elsewhere(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/graphql")

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["vary"] == "Accept"
    assert answer.headers["content-security-policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "font-src 'self' data:; img-src 'self' data:; connect-src 'self'"
    )


async def test_the_page_is_guarded_as_every_answer_is_but_by_a_policy_of_its_own(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock) as service:
        answer = await service.client.http.get(service.client.url, headers={"Accept": "text/html"})

    assert answer.headers.get_list("content-security-policy") == [graphiql.POLICY]
    assert answer.headers.get_list("cache-control") == ["no-cache"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "set-cookie" not in answer.headers


async def test_sends_a_file_again_only_when_it_changed(browser: httpx.AsyncClient) -> None:
    first = await browser.get("/graphql/page/page.js")

    again = await browser.get(
        "/graphql/page/page.js", headers={"If-None-Match": first.headers["etag"]}
    )

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


async def test_the_page_has_no_token_where_there_is_no_developer(
    browser: httpx.AsyncClient,
) -> None:
    answer = await browser.get("/graphql")

    assert "tuppence-token" not in answer.text
    assert answer.headers["cache-control"] == "no-cache"


@signed_in
async def test_the_developer_s_page_carries_the_token(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/graphql")

    assert answer.status_code == 200
    assert '<meta name="tuppence-token" content="the-developer&#x27;s-token" />' in answer.text
    assert (
        answer.text.replace(
            '  <meta name="tuppence-token" content="the-developer&#x27;s-token" />\n  ', ""
        )
        == (graphiql.PAGE / "index.html").read_text()
    )


@signed_in
async def test_a_page_with_a_token_is_kept_nowhere(browser: httpx.AsyncClient) -> None:
    kept = graphiql.assets()["index.html"].etag

    answer = await browser.get("/graphql", headers={"If-None-Match": kept})

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert TOKEN.replace("'", "&#x27;") in answer.text


@signed_in
@pytest.mark.parametrize("host", ["127.0.0.1:8000", "[::1]:8000", "localhost:8000", "localhost"])
async def test_the_token_is_for_this_machine_by_any_name_of_its_own(
    browser: httpx.AsyncClient, host: str
) -> None:
    answer = await browser.get("/graphql", headers={"Host": host})

    assert "tuppence-token" in answer.text


@signed_in
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example:8000"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_no_other_site_gets_the_token(
    browser: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await browser.get("/graphql", headers=headers)

    assert "tuppence-token" not in answer.text


@pytest.mark.parametrize(
    "name", ["package.json", "prepare.py", "../schema.py", "%2e%2e/__init__.py", "dist/", ""]
)
async def test_serves_no_other_file(browser: httpx.AsyncClient, name: str) -> None:
    answer = await browser.get(f"/graphql/page/{name}")

    assert answer.status_code == 404


async def test_says_what_to_do_where_set_up_has_not_run(
    browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphiql, "assets", dict)

    answer = await browser.get("/graphql")

    assert answer.status_code == 503
    assert "run `make setup`" in answer.text
