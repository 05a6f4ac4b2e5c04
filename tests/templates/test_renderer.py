"""The renderer: a process of its own, which a template can end, and nothing else."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import uvloop

from campaigns.liquid import (
    Aborted,
    MissingProperty,
    Outcome,
    Rendered,
    Renderer,
    RenderError,
    RendererUnavailable,
    Roots,
    Template,
    TemplateFault,
)
from campaigns.liquid import renderer as renderers
from campaigns.liquid.renderer import IN_FLIGHT_MAX
from campaigns.liquid.worker import MEMORY_BYTES_MAX
from tests.harness.patience import patience, poll
from tests.house.sources import ROOT
from tests.templates.scenes import ANN, ROOTS, with_event

HELLO = Template("{{ Event.points }} for you", "Hi {{ Profile.tier }}", "<p>{{ Profile.Name }}</p>")
SAID = Rendered("120 for you", "Hi gold", "<p>Ann &lt;b&gt;&amp; Co&lt;/b&gt;</p>")

# Within all bounds that are counted, and yet some seconds of work.
TERMS = "{% if " + " and ".join(["1==1"] * 110) + " %}{% endif %}"
SLOW = Template(None, "{% for i in (1..1000) %}" + TERMS * 7 + "{% endfor %}")


@pytest.fixture
async def renderer() -> AsyncIterator[Renderer]:
    renderer = Renderer()
    yield renderer
    await renderer.close()


def runs(process_id: int) -> bool:
    """Whether a process runs; one that has ended and isn't waited for doesn't."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def about(renderer: Renderer, file: str) -> str:
    """What the system tells of the worker."""
    return Path(f"/proc/{renderer.process_id}/{file}").read_text()


async def test_it_renders_every_kind_of_outcome(renderer: Renderer) -> None:
    async with patience():
        assert await renderer.render("c-1/1", HELLO, ANN) == SAID
        assert await renderer.render("c-2/1", Template(None, "{% abort 'no' %}"), ANN) == (
            Aborted("no")
        )
        assert await renderer.render("c-3/1", Template(None, "{{ Profile.nickname }}"), ANN) == (
            MissingProperty("Profile.nickname")
        )
        assert await renderer.render("c-4/1", Template(None, "{{ 1 | divided_by: 0 }}"), ANN) == (
            RenderError("divided_by: can't divide by 0")
        )
        assert await renderer.render("c-5/1", Template(None, "{% if %}"), ANN) == (
            RenderError("`{% if %}` is never closed")
        )


async def test_instants_and_decimals_reach_it_as_they_are(renderer: Renderer) -> None:
    scene = with_event(points=Decimal("0.125"), eventTimestamp=datetime(2026, 6, 1, tzinfo=UTC))
    message = Template(None, "{{ Event.points }} {{ Event.eventTimestamp | date: '%d.%m. %H:%M' }}")

    async with patience():
        assert await renderer.render("c", message, scene) == Rendered(
            None, "0.125 01.06. 02:00", None
        )


async def test_an_attribute_that_is_more_than_a_value_is_an_outcome(renderer: Renderer) -> None:
    profile: Any = {"tags": ["a", "b"], "address": {"city": "Bonn"}}
    message = Template(None, "{{ Profile.tags | join: '+' }} {{ Profile.address.city }}")

    async with patience():
        assert await renderer.render("c", message, replace(ANN, profile=profile)) == Rendered(
            None, "a+b Bonn", None
        )


async def test_it_checks(renderer: Renderer) -> None:
    async with patience():
        assert await renderer.check(HELLO, ROOTS) is None
        assert await renderer.check(Template("{{ Event.ponts }}", "x"), ROOTS) == TemplateFault(
            "`Event` has no property `ponts`", "subject", 1, 10, "Event.points"
        )


async def test_it_takes_roots_that_nobody_can_change(renderer: Renderer) -> None:
    async with patience():
        assert await renderer.check(HELLO, Roots(MappingProxyType(dict(ROOTS.event)))) is None


async def test_many_at_once_each_get_their_own(renderer: Renderer) -> None:
    async def one(points: int) -> Outcome:
        return await renderer.render(
            "c", Template(None, "{{ Event.points }}"), with_event(points=points)
        )

    async with patience():
        outcomes = await asyncio.gather(*map(one, range(3 * IN_FLIGHT_MAX)))

    assert outcomes == [Rendered(None, str(points), None) for points in range(3 * IN_FLIGHT_MAX)]


async def test_a_template_that_takes_too_long_fails_alone(renderer: Renderer) -> None:
    """Those who were asked for with it are rendered by the next worker."""
    async with patience():
        await renderer.start()
        first = renderer.process_id
        outcomes = await asyncio.gather(
            renderer.render("a", HELLO, ANN),
            renderer.render("slow", SLOW, ANN),
            renderer.render("a", HELLO, ANN),
            renderer.check(HELLO, ROOTS),
        )

    assert outcomes == [SAID, RenderError("took too long"), SAID, None]
    assert renderer.process_id != first


async def test_a_template_that_takes_too_long_can_not_be_saved(renderer: Renderer) -> None:
    async with patience():
        assert await renderer.check(SLOW, ROOTS) == TemplateFault(
            "the message took too long to render: make it simpler", "body", 1, 1
        )


async def test_the_event_loop_goes_on_meanwhile(renderer: Renderer) -> None:
    """Told by its own beats: a render here would let none of them through."""
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    async with patience():
        await renderer.start()
        beating = asyncio.create_task(beat())
        await renderer.render("slow", SLOW, ANN)
        beating.cancel()

    assert beats >= 10


@pytest.mark.parametrize(
    "message",
    [
        Template(None, "{{" * 4_000),
        Template(None, "{% for i in (1..1000) %}{% endfor %}" * 190),
        Template(None, "{{ (1..10000000) | join }}"),
        Template(None, "{% assign a = 'aaaaaaaaaa' %}" + "{% assign a = a | append: a %}" * 60),
        Template(None, "{{ 'aaaaaaaaaa'" + " | replace: 'a', 'aaaaaaaaaa'" * 9 + " }}"),
        Template(None, "{% for i in (1..1000) %}" + "{{ i | times: i }}" * 90 + "{% endfor %}"),
        Template(
            None, "{% for i in (1..999) %}{% assign a = (1..1000) | reverse | uniq %}{% endfor %}"
        ),
        SLOW,
    ],
)
async def test_each_hostile_template_is_refused_and_would_fail(
    renderer: Renderer, message: Template
) -> None:
    async with patience():
        assert isinstance(await renderer.check(message, ROOTS), TemplateFault)
        assert isinstance(await renderer.render("hostile", message, ANN), RenderError)
        assert await renderer.render("c", HELLO, ANN) == SAID


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
async def test_a_worker_that_dies_is_replaced(renderer: Renderer, how: signal.Signals) -> None:
    async with patience():
        await renderer.start()
        first = renderer.process_id
        assert first
        os.kill(first, how)

        assert await renderer.render("c", HELLO, ANN) == SAID
        assert await renderer.render("c", HELLO, ANN) == SAID
        assert renderer.process_id not in {None, first}


async def test_a_message_under_which_two_workers_die_fails_alone(renderer: Renderer) -> None:
    async with patience():
        await renderer.start()
        asked = [
            asyncio.create_task(renderer.render(key, message, ANN))
            for key, message in (("slow", SLOW), ("c", HELLO))
        ]

        async def killed_until_told() -> bool:
            if process_id := renderer.process_id:
                os.kill(process_id, signal.SIGKILL)
            return asked[0].done()

        await asyncio.sleep(0)  # so that it is under way
        assert await poll(killed_until_told)
        assert await asyncio.gather(*asked) == [
            RenderError("the process that rendered it ended"),
            SAID,
        ]


def _has_ended(process_id: int) -> Any:
    async def has() -> bool:
        return not runs(process_id)

    return has


async def test_a_worker_that_stands_still_is_ended(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renderers, "STANDSTILL_S", 0.05)
    async with patience():
        await renderer.start()
        first = renderer.process_id
        assert first
        os.kill(first, signal.SIGSTOP)

        assert await renderer.render("c", HELLO, ANN) == RenderError("took too long")


async def test_without_a_worker_it_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderers, "PROGRAM", "raise SystemExit(1)")
    renderer = Renderer()

    async with patience():
        with pytest.raises(RendererUnavailable):
            await renderer.render("c", HELLO, ANN)
        await renderer.close()


async def test_closing_ends_the_worker_and_tells_who_waits() -> None:
    renderer = Renderer()
    async with patience():
        await renderer.start()
        process_id = renderer.process_id
        assert process_id
        waiting = asyncio.create_task(renderer.render("slow", SLOW, ANN))
        await asyncio.sleep(0)
        await renderer.close()

        with pytest.raises(RendererUnavailable):
            await waiting
        with pytest.raises(RendererUnavailable):
            await renderer.render("late", HELLO, ANN)
    assert not runs(process_id)


async def test_closing_what_never_started_does_nothing() -> None:
    await Renderer().close()


async def test_who_no_longer_waits_takes_nobodys_answer(renderer: Renderer) -> None:
    async with patience():
        await renderer.start()
        gone = asyncio.create_task(renderer.render("gone", Template(None, "gone"), ANN))
        await asyncio.sleep(0)
        gone.cancel()

        assert await renderer.render("c", HELLO, ANN) == SAID


OWNER = """
import asyncio
from campaigns.liquid import Renderer
async def main():
    renderer = Renderer()
    await renderer.start()
    print(renderer.process_id, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_the_worker_ends_with_a_service_that_is_killed() -> None:
    async with patience():
        owner = await asyncio.create_subprocess_exec(
            sys.executable, "-c", OWNER, stdout=subprocess.PIPE, cwd=ROOT
        )
        assert owner.stdout
        process_id = int(await owner.stdout.readline())
        assert runs(process_id)
        owner.kill()
        await owner.wait()

    assert await poll(_has_ended(process_id))


async def test_the_worker_has_no_environment(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", "sqlite:///secret.db")
    async with patience():
        await renderer.start()

    assert about(renderer, "environ") == ""


async def test_the_running_worker_has_that_limit(renderer: Renderer) -> None:
    async with patience():
        await renderer.start()
    (line,) = re.findall(r"^Max address space.*$", about(renderer, "limits"), re.MULTILINE)
    limit = int(line.split()[3])

    assert MEMORY_BYTES_MAX < limit < 3 * MEMORY_BYTES_MAX


async def test_what_is_far_too_long_is_not_even_sent() -> None:
    huge = Template(None, "x" * 50_000_000)

    assert await Renderer().check(huge, ROOTS) == TemplateFault(
        "a template has 8000 characters at most", "body", 1, 1
    )
    assert await Renderer().render("c", Template(None, "x" * 1_000_001), ANN) == RenderError(
        "can't be handed to a template: template and values are more than 1000000 bytes"
    )


@pytest.mark.parametrize("value", [object(), datetime(2026, 1, 1), "\ud800", 2**70])  # noqa: DTZ001
async def test_a_value_that_is_none_is_an_outcome(value: object) -> None:
    outcome = await Renderer().render("c", HELLO, with_event(points=value))

    assert isinstance(outcome, RenderError)
    assert outcome.message.startswith("can't be handed to a template: ")


def test_it_runs_on_the_loop_that_the_service_runs_on() -> None:
    async def main() -> list[Outcome]:
        renderer = Renderer()
        outcomes = [
            await renderer.render(key, message, ANN)
            for key, message in (("a", HELLO), ("b", SLOW), ("a", HELLO))
        ]
        await renderer.close()
        return outcomes

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == [SAID, RenderError("took too long"), SAID]
