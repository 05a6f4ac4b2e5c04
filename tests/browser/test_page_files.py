"""GET /graphql for a browser, and /graphql/page/…: the page's files, and no other."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from graph import graphiql


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    routes = [Route("/graphql", graphiql.page), *graphiql.page_routes()]
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://tuppence") as browser:
        yield browser


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
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content == (graphiql.PAGE / name).read_bytes()


async def test_lets_the_page_load_nothing_from_elsewhere(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/graphql")

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["vary"] == "Accept"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-security-policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "font-src 'self' data:; img-src 'self' data:; connect-src 'self'"
    )


async def test_sends_a_file_again_only_when_it_changed(browser: httpx.AsyncClient) -> None:
    first = await browser.get("/graphql/page/page.js")

    again = await browser.get(
        "/graphql/page/page.js", headers={"If-None-Match": first.headers["etag"]}
    )

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


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
