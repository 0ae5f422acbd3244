"""Is this machine fit: verdicts with sign and word, the gravest first, and nothing by colour alone."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from smartos_wizard.boot.hardware_verdict import Level, Verdict
from smartos_wizard.core.errors import WizardError
from smartos_wizard.screens.hardware import graver_first, verdict_lines
from smartos_wizard.screens.machine_desk import Checked
from smartos_wizard.screens.words import ASCII, UNICODE
from tests.screens.conftest import choose, on, text_grid, text_of, until, wizard

ALL = tuple(
    Verdict(name, level, f"{name} found " * 4, "Because of this and that. " * 5, todo)
    for name, level, todo in (
        ("Good", Level.OK, ""), ("Odd", Level.WARNING, "Change it. " * 9),
        ("Hidden", Level.UNKNOWN, "Look."), ("Bad", Level.NO, "Use another."),
    )
)  # fmt: skip


async def to_check(app: Any, pilot: Any) -> None:
    """From Home, by its own entry."""
    await choose(app, pilot, "fit")
    await until(pilot, lambda: on(app, "Fit")() and "Looking" not in text_of(app, "#sentence"), "the check")
    await pilot.pause(0.1)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_machine_is_judged_and_every_key_of_the_footer_works(
    world: Any, size: tuple[int, int]
) -> None:
    async with wizard(world, size) as (app, pilot):
        await to_check(app, pilot)
        seen = text_grid(app)
        assert "▲ This machine is fit for SmartOS, with warnings: RAID card." in seen
        assert "▲ warning  RAID card" in seen
        assert "What to do: Switch the card to HBA mode" in seen
        assert "doctor --target" in seen
        assert "r Look again" in seen
        below = app.screen.query_one("#verdicts").border_subtitle
        assert "more below" in str(below)
        await pilot.press("end")
        await until(
            pilot, lambda: "Firmware" in text_grid(app) and "more below" not in text_grid(app), "the end"
        )
        app.desk.machine.check = lambda: Checked("Other machine", ALL, "It is not.")
        await pilot.press("r")
        await until(pilot, lambda: "Other machine" in text_grid(app), "another look")
        assert "✗ NO       Bad" in text_grid(app)
        await pilot.press("f1")
        await until(pilot, on(app, "Helping"))
        await pilot.press("escape", "escape")
        await until(pilot, on(app, "Home"))


async def test_what_cannot_be_looked_at_is_said(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        app.desk.machine.check = lambda: (_ for _ in ()).throw(
            WizardError("broken", "It broke.", hint="Mend it.")
        )
        await to_check(app, pilot)
        assert "It broke." in text_grid(app)
        assert "Mend it." in text_grid(app)


async def test_looking_takes_its_time_and_nothing_waits_for_it(world: Any) -> None:
    gate = threading.Event()
    async with wizard(world) as (app, pilot):
        checked = app.desk.machine.check()

        def slow() -> Checked:
            gate.wait(20)
            assert isinstance(checked, Checked)
            return checked

        app.desk.machine.check = slow
        await choose(app, pilot, "fit")
        await until(pilot, on(app, "Fit"))
        assert "Looking at this machine" in text_grid(app)
        await pilot.press("escape")
        await until(pilot, on(app, "Home"))
        gate.set()  # the answer comes when nobody waits for it any more
        await pilot.pause(0.1)
        assert on(app, "Home")()


def test_the_gravest_come_first_and_the_rest_stays_in_order() -> None:
    assert [v.name for v in graver_first((*ALL, ALL[0]))] == ["Bad", "Odd", "Hidden", "Good", "Good"]


@pytest.mark.parametrize("marks", [UNICODE, ASCII])
@pytest.mark.parametrize("width", [40, 70, 100])
def test_levels_are_words_and_signs_and_lines_fit(marks: Any, width: int) -> None:
    heads = {}
    for verdict in ALL:
        lines = [str(line) for line in verdict_lines(verdict, marks, width)]
        assert all(len(line) <= width for line in lines)
        assert lines[0].split()[1] in {"ok", "warning", "unknown", "NO"}
        heads[verdict.level] = lines[0][: lines[0].index(verdict.name)]
        assert all(len(line) - len(line.lstrip()) == len(heads[verdict.level]) for line in lines[1:])
    assert len({head.split()[0] for head in heads.values()}) == 4
    assert len({len(head) for head in heads.values()}) == 1
