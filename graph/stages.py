"""Stages: how Strawberry reads, validates and executes an operation, for the one extension here.

Strawberry's own finds out for each operation anew which stages each extension has a part in, and
enters all of them by exit stacks. Here it is known: `Documents` reads and validates.
"""

from contextlib import nullcontext
from typing import Any, Final

from strawberry.extensions.runner import SchemaExtensionsRunner
from typing_extensions import override

from graph.documents import Documents

NOTHING: Final = nullcontext()


class Reading:
    """The stage in which an operation's document is found."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def __aenter__(self) -> None:
        await self._documents.read()

    async def __aexit__(self, *_: object) -> None: ...


class Validating:
    """The stage in which it is told what is wrong with it."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def __aenter__(self) -> None:
        self._documents.tell_errors()

    async def __aexit__(self, *_: object) -> None:
        self._documents.end()


class Stages(SchemaExtensionsRunner):
    """The stages of one operation."""

    @override
    def parsing(self) -> Any:
        return Reading(self._documents)

    @override
    def validation(self) -> Any:
        return Validating(self._documents)

    @override
    def operation(self) -> Any:
        return NOTHING

    @override
    def executing(self) -> Any:
        return NOTHING

    @property
    def _documents(self) -> Documents:
        (documents,) = self.extensions
        assert isinstance(documents, Documents), "its stages are the only ones"
        return documents
