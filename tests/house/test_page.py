"""graph/page: examples that fit the schema, and nothing that is fetched from elsewhere.

Whatever npm fetches, here or for the tests, it fetches by hash.
"""

import json
import re
from functools import cache

import pytest
from graphql import (
    DocumentNode,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)

from graph import graphiql
from tests.house.sources import ROOT

PAGE = ROOT / "graph" / "page"


OURS = [name for name in graphiql.MEDIA_TYPES if re.fullmatch(r"\w+\.js", name)]
UNSAFE = (
    r"document\.cookie|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\("
)


def text_of(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


@cache
def schema() -> GraphQLSchema:
    return build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))


def operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


@pytest.mark.parametrize("name", ["examples.graphql", "live.graphql"])
def test_its_operations_fit_the_schema(name: str) -> None:
    errors = validate(schema(), parse(text_of(name)))

    assert not errors, f"mend graph/page/{name}: {[error.message for error in errors]}"


def test_every_example_has_a_title_and_a_name() -> None:
    titles = re.findall(r"^# ── \S.*$", text_of("examples.graphql"), re.MULTILINE)
    found = operations(parse(text_of("examples.graphql")))

    assert len(titles) == len(found), "each operation wants a line `# ── its title` above it"
    assert all(operation.name for operation in found), "a tab shows its operation's name"


@pytest.mark.parametrize(
    "folder", ["graph/page", "tests/clients", "benchmarks/postgraphile", "benchmarks/node"]
)
def test_the_lock_file_has_hashes_and_no_addresses(folder: str) -> None:
    lock = (ROOT / folder / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(lock)["packages"]
    fetched = {name: package for name, package in packages.items() if name}
    addressed = [name for name, package in fetched.items() if "resolved" in package]
    unhashed = [name for name, package in fetched.items() if "integrity" not in package]

    assert not addressed, f"npm's omit-lockfile-registry-resolved leaves them out: {addressed}"
    assert not unhashed, f"delete package-lock.json and run `npm install` there: {unhashed}"


def test_its_packages_are_pinned_exactly() -> None:
    wanted = json.loads(text_of("package.json"))["dependencies"]
    loose = {name: version for name, version in wanted.items() if not version[0].isdigit()}

    assert not loose, f"graph/page/package.json: name one version of each: {loose}"


def test_the_page_has_no_script_within_and_none_from_elsewhere() -> None:
    html = text_of("index.html")

    assert re.findall(r"<script(?![^>]*\ssrc=)", html) == [], "the policy refuses inline scripts"
    assert re.findall(r"(?:src|href)=\"(?!graphql/page/)", html) == [], "serve it from graph/page/"


def test_every_file_the_page_loads_is_served() -> None:
    loaded = re.findall(r"(?:src|href)=\"graphql/page/([^\"]+)\"", text_of("index.html"))
    for script in OURS:
        loaded += re.findall(r"from \"\./([^\"]+)\"", text_of(script))
    unserved = sorted(set(loaded) - set(graphiql.MEDIA_TYPES))

    assert not unserved, f"graph/graphiql.py: give each its media type: {unserved}"


@pytest.mark.parametrize("name", OURS)
def test_its_scripts_set_no_cookie_and_make_no_code_of_text(name: str) -> None:
    found = re.findall(UNSAFE, text_of(name))

    assert not found, f"graph/page/{name}: a token is at stake; do without {found}"
