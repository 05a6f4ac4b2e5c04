"""Files: what was written to them is on the disk."""

import os
from pathlib import Path


def flush(path: Path) -> None:
    """See that a file, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
