"""A disk that a power cut takes back to what was synced, and to any part of what was not.

    disk = Disk("lossy")             # a VFS of apsw's SQLite: all that is asked of it is noted
    …                                # the service runs on it
    platter = Platter(files)         # what lay there at the beginning
    platter.take(disk.deeds[0])      # … up to any of the deeds
    platter.cut(chance)              # what is found there when the power comes back

The files are real, so that SQLite's own locks and shared memory work as they do. What `-shm` holds
is memory, and is lost.
"""

import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import apsw
from typing_extensions import override

SECTOR: Final = 512
"""Bytes that are written whole or not at all; what lies beside a write is never harmed by it."""


@dataclass(frozen=True, slots=True)
class Write:
    file: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    file: str


@dataclass(frozen=True, slots=True)
class Remove:
    file: str
    is_synced: bool


Deed = Write | Truncate | Sync | Remove


class Disk(apsw.VFS):
    """Notes every deed in its order, and does it."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.name = name
        self.deeds: list[Deed] = []

    @override
    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> "apsw.VFSFile":
        if name is None:  # a temporary file, which nobody looks for after a power cut
            return apsw.VFSFile("", name, flags)
        return _File(self.deeds, name, flags)

    @override
    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        self.deeds.append(Remove(filename, syncdir))


class _File(apsw.VFSFile):
    def __init__(self, deeds: list[Deed], name: "str | apsw.URIFilename", flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._deeds = deeds
        self._name = name if isinstance(name, str) else name.filename()

    @override
    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._deeds.append(Write(self._name, offset, bytes(data)))

    @override
    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._deeds.append(Truncate(self._name, newsize))

    @override
    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._deeds.append(Sync(self._name))


@dataclass
class Platter:
    """What a power cut can't take, file by file, and what has been written since."""

    safe: dict[str, bytes] = field(default_factory=dict[str, bytes])
    unsafe: list[Write | Truncate | Remove] = field(default_factory=list[Write | Truncate | Remove])

    def take(self, deed: Deed) -> None:
        """Go one deed on."""
        if not isinstance(deed, Sync):
            self.unsafe.append(deed)
        if isinstance(deed, Sync) or (isinstance(deed, Remove) and deed.is_synced):
            ours = [each for each in self.unsafe if each.file == deed.file]
            self.unsafe = [each for each in self.unsafe if each.file != deed.file]
            self.safe = _with(self.safe, ours)

    def cut(self, chance: random.Random | None = None) -> dict[str, bytes]:
        """What is found after a cut: nothing that was not synced, or of it what chance leaves.

        Of the writes since, any may have reached the disk before any other, whole or in part.
        """
        return _with(self.safe, _survivors(self.unsafe, chance) if chance else [])


def _with(files: dict[str, bytes], deeds: list[Write | Truncate | Remove]) -> dict[str, bytes]:
    changed: dict[str, bytearray] = {}
    gone: set[str] = set()
    for deed in deeds:
        if isinstance(deed, Remove):
            changed.pop(deed.file, None)
            gone.add(deed.file)
            continue
        if deed.file not in changed:
            before = b"" if deed.file in gone else files.get(deed.file, b"")
            changed[deed.file] = bytearray(before)
        _apply(changed[deed.file], deed)
    left = {name: content for name, content in files.items() if name not in gone}
    return left | {name: bytes(content) for name, content in changed.items()}


def _apply(content: bytearray, deed: Write | Truncate) -> None:
    wanted = deed.size if isinstance(deed, Truncate) else deed.offset + len(deed.data)
    content.extend(bytes(max(0, wanted - len(content))))
    if isinstance(deed, Truncate):
        del content[deed.size :]
    else:
        content[deed.offset : wanted] = deed.data


def _survivors(
    deeds: list[Write | Truncate | Remove], chance: random.Random
) -> list[Write | Truncate | Remove]:
    kept: list[Write | Truncate | Remove] = []
    stayed: set[str] = set()  # files that a lost removal has left: what came after was another's
    share = chance.choice((0.1, 0.5, 0.9))
    for deed in deeds:
        if deed.file in stayed:
            continue
        survives = chance.random() < share
        if survives:
            kept.append(deed)
        elif isinstance(deed, Remove):
            stayed.add(deed.file)
        elif isinstance(deed, Write):
            kept += [each for each in _sectors(deed) if chance.random() < share / 2]
    return kept


def _sectors(write: Write) -> list[Write]:
    """The parts of a write that each reach the disk whole or not at all."""
    end = write.offset + len(write.data)
    bounds = [write.offset, *range(write.offset - write.offset % SECTOR + SECTOR, end, SECTOR), end]
    return [
        Write(write.file, start, write.data[start - write.offset : stop - write.offset])
        for start, stop in pairwise(bounds)
    ]
