"""The naive service as uvicorn runs it; NAIVE_DATABASE is its database file."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from benchmarks.naive.database import create_tables, open_engine, session_factory
from benchmarks.naive.schema import schema
from benchmarks.naive.shapes import Context

engine = open_engine(os.environ["NAIVE_DATABASE"])
context = Context(sessions=session_factory(engine), write_lock=asyncio.Lock())


class NaiveGraphQL(GraphQL[Context, None]):
    """Strawberry's own endpoint, with the session factory and the lock at the resolvers' hands."""

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """Return what every resolver shares."""
        del request, response
        return context


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
    """Create the tables at the start, close the connections at the end."""
    await create_tables(engine)
    yield
    await engine.dispose()


async def answer_ready(_request: Request) -> Response:
    """Say that requests are welcome."""
    return PlainTextResponse("ready")


endpoint = NaiveGraphQL(schema)
app = Starlette(
    routes=[Route("/readyz", answer_ready), Route("/graphql", endpoint)], lifespan=lifespan
)
