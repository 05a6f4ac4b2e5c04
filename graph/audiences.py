"""Audiences: subscribers who ask the same with the same rights are answered by one execution.

    audience = audiences.find(key) or audiences.open(key, begun, context)
    listener = Listener(audience, id, wire, trace, on_end)
    listener.start(after)                # catches up alone, then joins
    listener.stop()

An audience follows its course as one. For each event it executes once, encodes once and frames once
for each id that its listeners have chosen; a delivery is one write. A listener hears with the
others while its client reads. One that comes with a cursor, or doesn't read, follows the course
alone, from its own position, at its client's pace; as soon as nothing is left that the audience has
had and it hasn't, it joins them.

Nothing is queued of what was sent. An event is handed out to those who are there at that moment,
and `position` says up to where: one who has dealt with all up to there has missed nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

from graph.asking import Key
from graph.context import Context
from graph.courses import Begun, Event, Follower
from graph.documents import Operation
from graph.kept import Kept
from graph.messages import Envelope
from graph.operations import Answer, answer_to, fault
from graph.telemetry import Codes, Telemetry, Trace
from graph.wires import Wire

TOGETHER_MAX: Final = 32
"""So many events at most go out by one write, where there are several."""

TOGETHER_BYTES_MAX: Final = 16_384
"""And so much: well below what makes a client count as one that doesn't read."""

TURN_MAX: Final = 256
"""So many listeners are written to before it is others' turn."""


class Audiences:
    """All that there are."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        self._open: dict[Key, Audience] = {}
        self._executors: WeakValueDictionary[Operation, Any] = WeakValueDictionary()

    def find(self, key: Key) -> "Audience | None":
        return self._open.get(key)

    def open(self, key: Key | None, begun: Begun, context: Context) -> "Audience":
        """One that is there already, or a new one; without a key, one that nobody else finds."""
        found = self._open.get(key) if key else None
        if found is None and key:
            # An executor takes 3 KB, and but for the variables it is the operation's.
            executor = self._executors.setdefault(key.operation, begun.executor)
            begun = begun._replace(executor=executor)
            found = self._open[key] = Audience(self, key, begun, context)
        elif found is None:
            found = Audience(self, key, begun, context)
        return found

    def close(self, key: Key | None, audience: "Audience") -> None:
        if key and self._open.get(key) is audience:
            del self._open[key]


class Chunk(NamedTuple):
    """Events that go out together, in their order, each with its answer; the last may be the end.

    An answer of the kind `error` ends the subscription of whoever is there.
    """

    positions: list[int]
    answers: list[Answer]
    codes: list[Codes]

    @property
    def is_plain(self) -> bool:
        """Whether all of it is sent, and nothing noted."""
        return self.answers[-1].kind == "next" and not any(self.codes)


class Audience:
    """Those who share an execution. It lasts as long as somebody is of it, joined or not."""

    __slots__ = (
        "_audiences",
        "_begun",
        "_context",
        "_follower",
        "_kept",
        "_key",
        "_task",
        "joined",
        "members",
        "position",
    )

    def __init__(
        self, audiences: Audiences, key: Key | None, begun: Begun, context: Context
    ) -> None:
        self._audiences = audiences
        self._key = key
        self._begun = begun
        self._context = context.again()  # nothing is kept of what its first subscriber has loaded
        self._follower: Follower | None = None
        self._task: asyncio.Task[None] | None = None
        self._kept = Kept()
        self.members = 0
        self.joined: dict[Listener, None] = {}
        self.position = 0

    def attend(self, ring: Callable[[], None]) -> Follower:
        """A follower of the course, for whoever follows it alone."""
        return self._begun.course.attend(ring)

    async def answer(self, event: Event) -> tuple[Answer, Codes]:
        """The answer to an event, and the codes of what is wrong in it.

        Those who catch up at the same time, as all do whose instance was stopped, come by the same
        events one after another: each is executed by the first of them.
        """
        while told := self._kept.find(event):
            if found := await asyncio.shield(told):
                return found
        with self._kept.keeping(event, is_wanted=self.members > len(self.joined)) as told:
            with Codes(self._context.request_id) as codes:
                answer = await answer_to(event, self._begun, self._context)
            told.set_result((answer, codes))
        return answer, codes

    def answer_fault(self, error: Exception) -> tuple[Answer, Codes]:
        with Codes(self._context.request_id) as codes:
            return fault(error, self._context), codes

    # ── who is of it ────────────────────────────────────────────────────────────────────────────

    def enter(self) -> None:
        self.members += 1

    def leave(self, listener: "Listener") -> None:
        """Somebody is of it no more: with the last of them it ends."""
        self.part(listener)
        self.members -= 1
        if not self.members:
            self._audiences.close(self._key, self)

    async def join(self, listener: "Listener") -> bool:
        """Whether the listener hears with the others from its position on.

        It is false where they have had what it hasn't.
        """
        if self._follower is None:
            await self._follow(listener.position)
        if self._follower is None or listener.is_over or listener.position < self.position:
            return False
        self.joined[listener] = None
        self._follower.heads = len(self.joined)
        self._ring()
        return True

    async def _follow(self, position: int) -> None:
        """Follow the course from a position on, if by then no other does."""
        follower = self.attend(self._ring)
        try:
            await follower.begin(position)
        except BaseException:
            follower.close()
            raise
        if self._follower:
            follower.close()
            return
        self._follower = follower
        # What is beyond it is handed out anew, and heard by whoever hasn't heard it.
        self.position = position

    def part(self, listener: "Listener") -> None:
        """It doesn't hear with the others any more."""
        if self.joined.pop(listener, self) is self or self._follower is None:
            return
        self._follower.heads = len(self.joined)
        if not self.joined:
            self._follower.close()
            self._follower = None
            if self._task:
                self._task.cancel()
                self._task = None

    # ── what it hears ───────────────────────────────────────────────────────────────────────────

    def _ring(self) -> None:
        if self._follower and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve(), name="audience")

    async def _serve(self) -> None:
        """Hand out all there is. It is rung when there is more."""
        follower = self._follower
        try:
            while follower and follower is self._follower:
                chunk = await self._read_chunk(follower)
                if not chunk.positions:
                    break
                await self._hand_out(chunk)
        except Exception as error:  # noqa: BLE001 - it is told, and in the log
            answer, codes = self.answer_fault(error)
            for listener in list(self.joined):
                listener.end_by(answer, codes)
        if follower and follower is self._follower:
            self._task = None
            if follower.is_ended:
                for listener in list(self.joined):
                    listener.complete()

    async def _read_chunk(self, follower: Follower) -> Chunk:
        """The next events: several, if they are there already."""
        chunk, size = Chunk([], [], []), 0
        while len(chunk.positions) < TOGETHER_MAX and size < TOGETHER_BYTES_MAX:
            try:
                event = await follower.next()
            except Exception as error:  # noqa: BLE001 - it is told, and in the log
                answer, codes = self.answer_fault(error)
            else:
                if event is None:
                    break
                answer, codes = await self.answer(event)
            chunk.positions.append(follower.position)
            chunk.answers.append(answer)
            chunk.codes.append(codes)
            size += len(answer.payload)
            self._audiences.telemetry.shared_executions.inc()
            if answer.kind == "error":
                break
        return chunk

    async def _hand_out(self, chunk: Chunk) -> None:
        listeners, self.position = list(self.joined), chunk.positions[-1]
        framed: dict[str, bytes] = {}
        sent, first = 0, chunk.positions[0]
        is_plain = chunk.is_plain
        for number, listener in enumerate(listeners, 1):
            if listener in self.joined:
                if is_plain and listener.position < first:
                    frames = framed.get(listener.id)
                    if frames is None:
                        frames = framed[listener.id] = listener.frames(chunk.answers)
                    listener.send(frames, chunk.positions[-1], len(chunk.positions))
                    sent += len(chunk.positions)
                else:
                    sent += listener.hear(chunk)
            if number % TURN_MAX == 0:
                await asyncio.sleep(0)
        self._audiences.telemetry.shared_answers.inc(sent)
        await asyncio.sleep(0)  # what was written goes out between the turns


class Listener:
    """One subscriber: the last position it has dealt with, and the wire that it hears by.

    `on_end` is told once it is over by itself, before the last of it is sent.
    """

    __slots__ = ("_audience", "_on_end", "_task", "_trace", "_wire", "id", "is_over", "position")

    def __init__(
        self, audience: Audience, id: str, wire: Wire, trace: Trace, on_end: Callable[[str], None]
    ) -> None:
        self._audience = audience
        self._wire = wire
        self._trace = trace
        self._on_end = on_end
        self._task: asyncio.Task[None] | None = None
        self.id = id
        self.position = 0
        self.is_over = False
        audience.enter()

    async def start(self, after: int | None) -> None:
        """Hear all past a position, or past the log's end; catch up with the others, and join."""
        self._task = asyncio.current_task()
        bell = asyncio.Event()
        follower = self._audience.attend(bell.set)
        try:
            await follower.begin(after)
            self.position = follower.position
            while not await self._catch_up(follower):
                bell.clear()
                if not self._wire.has_room:
                    continue
                if follower.is_ended:
                    self.complete()
                    return
                if await self._audience.join(self):
                    self._task = None
                    return
                await bell.wait()
        except Exception as error:  # noqa: BLE001 - it is told, and in the log
            self.end_by(*self._audience.answer_fault(error))
        finally:
            follower.close()

    async def _catch_up(self, follower: Follower) -> bool:
        """Hear what there is, alone; whether it is over by that."""
        while True:
            await self._wire.wait_for_room()
            event = await follower.next()
            if event is None:
                self.position = follower.position
                return False
            answer, codes = await self._audience.answer(event)
            if answer.kind == "error":
                self.end_by(answer, codes)
                return True
            codes.tell(self._trace)
            self.send(self.frames([answer]), event.position, 1)
            await asyncio.sleep(0)  # what was written goes out between the turns

    # ── with the others ─────────────────────────────────────────────────────────────────────────

    def frames(self, answers: list[Answer]) -> bytes:
        """Answers as they go over the wire to whoever has chosen the same id."""
        envelope = Envelope(self.id)
        return b"".join([self._wire.frame(envelope.seal(*answer)) for answer in answers])

    def send(self, frames: bytes, position: int, answers: int) -> None:
        self.position = position
        self._trace.answers += answers
        self._wire.write(frames)

    def hear(self, chunk: Chunk) -> int:
        """Hear what of it is past its position, one after the other; how many that was."""
        heard = 0
        for position, answer, codes in zip(*chunk, strict=True):
            if answer.kind == "error":
                self.end_by(answer, codes)
            elif position > self.position:
                codes.tell(self._trace)
                self.send(self.frames([answer]), position, 1)
                heard += 1
        return heard

    def note_full(self) -> None:
        """Its client doesn't read: go on alone, when it does."""
        if self._task is None and not self.is_over:
            self._audience.part(self)
            loop = asyncio.get_running_loop()
            self._task = loop.create_task(self._go_on(), name="listener")

    async def _go_on(self) -> None:
        # By now all of what it was just being sent is written.
        await self.start(self.position)

    # ── its end ─────────────────────────────────────────────────────────────────────────────────

    def complete(self) -> None:
        """There is nothing more to hear."""
        if self._close():
            self._on_end(self.id)
            self._wire.write(self._wire.frame(Envelope(self.id).complete))

    def end_by(self, answer: Answer, codes: Codes) -> None:
        codes.tell(self._trace)
        if self._close():
            self._on_end(self.id)
            self._wire.write(self._wire.frame(Envelope(self.id).seal(*answer)))

    def cancel(self) -> None:
        """Its client has stopped it, or is gone."""
        if self._close() and self._task:
            self._task.cancel()

    def _close(self) -> bool:
        """Leave; whether it was there."""
        if self.is_over:
            return False
        self.is_over = True
        self._audience.leave(self)
        self._trace.end()
        return True
