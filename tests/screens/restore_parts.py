"""Walking the way back in the practice world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.screens import reinstall_parts as road
from tests.screens.conftest import on, until


def make_backup(world: Any, directory: Path, name: str = "plain") -> None:
    """A finished backup of that machine with all its instances, made by a job of its own as the wizard makes it."""
    from smartos_wizard.core import journal
    from smartos_wizard.reinstall.ports import Address
    from smartos_wizard.screens.reinstall_desk import Call, ReinstallDesk
    from smartos_wizard.screens.reinstall_model import MachineAnswers

    desk = ReinstallDesk(world)
    survey = desk.survey(Address(name), Call())
    keep = frozenset(row.name for row in desk.losses(survey) if row.keep in ("instance", "dataset"))
    said = MachineAnswers(Address(name), survey=survey, keep=keep, directory=str(directory))
    plan = desk.backup_plan(said)
    job = journal.create(world.paths.jobs, plan, practice=True)
    *_, last = journal.recorded(job, world.run(plan))
    assert last.exit_code == 0, last


async def to_backups(app: Any, pilot: Any) -> None:
    """The backups that are known."""
    await road.to_machine(app, pilot)
    await pilot.press("f5")
    await until(pilot, lambda: on(app, "ChooseBackup")() and app.screen._backups, "the backups")


async def to_what(app: Any, pilot: Any, name: str = "wiped") -> None:
    """What is put back on that machine, of the newest backup."""
    await to_backups(app, pilot)
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "RestoreTo")() and road.chosen(app), "the machines")
    for _ in range(30):
        if road.chosen(app) == name:
            break
        await pilot.press("up" if name == "plain" else "down")
    await pilot.press("enter")
    await until(pilot, on(app, "ChooseWhat"), "what is put back")


async def to_review(app: Any, pilot: Any, name: str = "wiped") -> None:
    """The plan, of what is proposed."""
    await to_what(app, pilot, name)
    await pilot.press("f2")
    await until(pilot, lambda: on(app, "RestoreReview")() and app.screen._plan is not None, "the plan")
