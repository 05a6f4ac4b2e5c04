"""The schema and the operation that docs/compiled.md shows, and what is written for them."""

from typing import Any

import strawberry
from graphql import parse

from graph.compiled import Compiler


@strawberry.type
class Book:
    title: str
    year: int | None


@strawberry.type
class Query:
    @strawberry.field
    async def books(self, by: str) -> list[Book]:
        return [Book(title=f"{by}'s first", year=1999)]


DOCUMENT = "query Books($by: String!) { books(by: $by) { name: title year } }"


def compiled() -> Any:
    """The operation, compiled."""
    return Compiler(strawberry.Schema(Query)).operation(parse(DOCUMENT), "Books")
