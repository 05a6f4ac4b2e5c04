"""The one service that all fuzzing is aimed at, examined after each test."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fuzz.books import MIA, settle
from tests.fuzz.target import (
    ADMINISTRATOR,
    ANSWER_S_MAX,
    MEMBER,
    NOBODY,
    READER,
    SETTINGS,
    Target,
)
from tests.harness.keys import ADMIN
from tests.harness.processes import ServeProcess
from tests.harness.provider import AUDIENCE, ISSUER, Provider

DAY_S = 86_400


@pytest.fixture(scope="session")
def standing_target(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("fuzz")
    shutil.copy(migrated_file, folder / migrated_file.name)
    identities = Provider(lambda: time.time_ns() // 1_000)
    public = identities.key.private.public_key()
    pem = folder / "public.pem"
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    process = ServeProcess(
        f"sqlite:///{folder / migrated_file.name}",
        folder,
        TUPPENCE_JWT_PUBLIC_KEY=str(pem),
        TUPPENCE_JWT_ISSUER=ISSUER,
        TUPPENCE_JWT_AUDIENCE=AUDIENCE,
        **SETTINGS,
    )
    try:
        asyncio.run(process.start())
        books = asyncio.run(settle(process.url))
        mia = identities.token(MIA, exp=int(time.time()) + DAY_S)
        tokens = {ADMINISTRATOR: ADMIN, READER: books.reader, MEMBER: mia, NOBODY: None}
        with httpx.Client(timeout=ANSWER_S_MAX, trust_env=False) as http:
            yield Target(process, http, books, tokens)
    finally:
        process.end()


@pytest.fixture
def target(standing_target: Target) -> Iterator[Target]:
    """The service, which must be unharmed by whatever a test sends it."""
    logged = standing_target.process.log.stat().st_size
    yield standing_target
    standing_target.check_unharmed(since=logged)
