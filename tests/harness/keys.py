"""The key that a service under test takes as its first: an administrator's."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADMIN = "tpk_01kb00000000000000000000ad_the-specification-lets-itself-in-by-this"


@contextmanager
def admin_key_file() -> Iterator[Path]:
    """A file that holds the key, for TUPPENCE_ADMIN_KEY_FILE."""
    with tempfile.TemporaryDirectory(prefix="tuppence-key-") as folder:
        file = Path(folder) / "admin.key"
        file.touch(0o600)
        file.write_text(f"{ADMIN}\n", encoding="utf-8")
        yield file
