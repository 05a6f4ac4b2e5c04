"""The worker: what it keeps, what it may take, and how it is spoken to."""

import subprocess
import sys

from campaigns.liquid import Template
from campaigns.liquid.wire import Frames, framed
from campaigns.liquid.worker import MEMORY_BYTES_MAX, Worker
from tests.house.sources import ROOT

HELLO = Template("s", "Hi", "<p>Hi</p>")

MEASURE = """
from campaigns.liquid.worker import MEMORY_BYTES_MAX, bound_memory
bound_memory()
small = bytearray(MEMORY_BYTES_MAX // 2)
try:
    bytearray(MEMORY_BYTES_MAX)
except MemoryError:
    print("refused")
"""


def test_the_worker_may_take_64_mb_more_than_it_has() -> None:
    said = subprocess.run(
        [sys.executable, "-c", MEASURE], check=True, capture_output=True, text=True, cwd=ROOT
    )

    assert MEMORY_BYTES_MAX == 67_108_864
    assert said.stdout == "refused\n"


def test_a_version_is_parsed_once_and_the_latest_used_are_kept() -> None:
    worker = Worker()
    long = Template(None, "x" * 7_900)  # and 100 for itself: 25 of them are kept
    first = worker.parsed("0", long)

    assert worker.parsed("0", long) is first
    for number in range(1, 25):
        worker.parsed(str(number), long)
    assert worker.parsed("0", long) is first
    worker.parsed("25", long)
    assert worker.kept() == [*map(str, range(2, 25)), "0", "25"]


def test_a_version_that_became_another_is_parsed_anew() -> None:
    worker = Worker()
    first = worker.parsed("0", HELLO)

    assert worker.parsed("0", Template(None, "another")) is not first
    assert worker.kept() == ["0"]


def test_frames_come_in_pieces_of_any_size() -> None:
    sent = [b"", b"a", b"bc" * 300]
    stream = b"".join(map(framed, sent))

    for size in (1, 3, 7, len(stream)):
        frames = Frames()
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [each for piece in pieces for each in frames.take(piece)] == sent
