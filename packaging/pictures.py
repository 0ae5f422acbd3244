"""Writes docs/pictures/*.svg: every screen, from the practice world, the same each time.

python packaging/pictures.py [NAME ...]
"""

from __future__ import annotations

import asyncio
import math
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pictures_guests  # beside this script
import pictures_reinstall
import pictures_ways

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))
SIZE = (80, 24)
ALL = {
    "home", "home-unfinished", "release", "download", "target", "options", "review", "write", "prove", "done", "keys", "show",
    "fit", "pool", "configure", "help", "quit", "home-120x36", "write-120x36", "review-ascii", "write-ascii",
    *pictures_guests.NAMES, *pictures_reinstall.NAMES, *pictures_ways.NAMES,
}  # fmt: skip


def tidy(svg: str) -> str:
    """The picture without the random names that differ from run to run."""
    svg = re.sub(r"terminal-\d+", "terminal-0", svg)
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    return re.sub(r"\d{8}T\d{6}Z-[0-9a-f]{6}", "20261122T140700Z-4f2a9c", svg)


def progress(name: str) -> Any:
    """A job part way through the step `name`, in the 24th second of it."""
    from smartos_wizard.core.events import Advanced, PlanStarted, StepFinished, StepHead, StepStarted
    from smartos_wizard.core.progress import Progress, reduce
    from tests.screens import conftest as steps
    from tests.screens import test_looks as looks

    plan = (("fetch", "creates"), ("keep", "creates")) if name == "fetch" else looks.STEPS
    size, target, rate = (
        (412_000_000, "", 9.6e6) if name == "fetch" else (1_940_000_256, "/practice/sdb", 71e6)
    )
    begin = steps.NOW - 24
    state = reduce(Progress(), PlanStarted(begin, "", "", tuple(StepHead(i, i, e) for i, e in plan)))
    for step, _effect in plan:
        state = reduce(state, StepStarted(begin, step, step))
        if step == name:
            break
        state = reduce(state, StepFinished(begin, step))
    done = 0
    for tick in range(96):
        done += int(rate / 4 * (0.78 + 0.22 * math.sin(tick / 9) + (tick % 7) / 60)) if tick else 0
        neck = "the network" if name == "fetch" else "the key"
        state = reduce(state, Advanced(begin + tick / 4, name, done, size, done, target, neck))
    return state


async def more(app: Any, pilot: Any, world: Any) -> AsyncIterator[str]:
    """The screens off the straight way."""
    from smartos_wizard.core.journal import Job
    from smartos_wizard.screens.desk import JobRow
    from smartos_wizard.screens.following import JobMoved
    from smartos_wizard.screens.keys import OneKey
    from smartos_wizard.screens.work import Work
    from tests.screens import conftest as steps

    desk = app.desk
    job = Job(world.paths.jobs / "20260903T000000Z-abcdef")
    rows = desk.offer(details=False).rows
    app.go_home()
    await steps.until(pilot, lambda: all(w in steps.text_grid(app) for w in ("Newest", "withheld")), "home")
    await pilot.press("f1")
    await steps.until(pilot, steps.on(app, "Helping"))
    yield "help"
    await pilot.press("escape")
    await steps.until(pilot, steps.on(app, "Home"))
    app.show(Work(job, desk.download_plan(rows[1].stamp)))
    await steps.until(pilot, steps.on(app, "Work"))
    app.screen.moved(progress("fetch"))
    yield "download"
    target = next(d for d in desk.judged() if d.disk.path == "/practice/sdb")
    plan = desk.write_plan(desk.stored_image(rows[0].stamp), (target,))
    app.show(Work(job, plan))
    await steps.until(pilot, lambda: steps.on(app, "Work")() and app.screen.plan is plan)
    app.screen.moved(progress("prove"))
    yield "prove"
    app.watched = JobMoved(job, progress("prove"))
    app.request_quit()
    await steps.until(pilot, steps.on(app, "Asking"))
    yield "quit"
    await pilot.press("escape")
    await steps.until(pilot, steps.on(app, "Work"))
    app.watched = None
    app.look_after()
    await steps.until(pilot, lambda: steps.on(app, "LookAfter")() and "/practice/sdi" in steps.text_grid(app))
    await pilot.press(*["down"] * 6)
    yield "keys"
    app.show(OneKey(next(d for d in desk.judged() if d.disk.path == "/practice/sdi")))
    await steps.until(pilot, lambda: "Health" in steps.text_grid(app), "what is on it")
    yield "show"
    words = "The key does not boot as it is. What is right on it is kept."
    row = JobRow(
        job, "key-write", plan.title, "cancelled", "write 812 MiB of 1.81 GiB", words, resumable=True
    )
    desk.jobs = lambda: (row,)
    app.go_home()
    await steps.until(pilot, lambda: "Unfinished" in steps.text_grid(app))
    yield "home-unfinished"


async def apart(app: Any, pilot: Any, _world: Any) -> AsyncIterator[str]:
    """A key that is changed, this machine, and a pool."""
    from smartos_wizard.boot.model import BootChoices
    from smartos_wizard.screens.keys_desk import Told
    from smartos_wizard.screens.keys_review import ConfigureReview
    from tests.screens import conftest as steps

    target = next(d for d in app.desk.judged() if d.disk.path == "/practice/sdi")
    app.show(ConfigureReview(target, Told(BootChoices(console="ttya", hostname="lab1"))))
    await steps.until(pilot, lambda: "hostname=" in steps.text_grid(app), "what would change")
    yield "configure"
    app.check_machine()
    await steps.until(pilot, lambda: "RAID card:" in steps.text_grid(app), "the check")
    yield "fit"
    app.preview_pool()
    await steps.until(pilot, lambda: steps.on(app, "Pool")() and app.focused is not None)
    await pilot.press(*"8x4TB", "space", *"400GB:ssd")
    await steps.until(pilot, lambda: "raidz2" in steps.text_grid(app), "the pool")
    yield "pool"


async def session(out: Path, only: set[str], size: tuple[int, int], ending: str, **options: Any) -> None:
    """One walk through all screens; `ending` is added to the names."""
    from smartos_wizard.app import WizardApp
    from smartos_wizard.world import build
    from tests.screens import conftest as steps
    from tests.screens import test_looks as looks

    world = build(True)
    shutil.rmtree(world.paths.state, ignore_errors=True)  # what a walk before left behind
    world.clock = lambda: steps.NOW
    app = WizardApp(world, **options)
    async with app.run_test(size=size) as pilot:
        await steps.until(pilot, lambda: "Newest" in steps.text_grid(app), "home")
        await steps.until(pilot, lambda: "withheld" in steps.text_grid(app), "the disks")
        for tour in (
            looks.tour,
            more,
            apart,
            pictures_guests.road,
            pictures_guests.there,
            pictures_reinstall.road,
            pictures_ways.network,
            pictures_ways.beside,
            pictures_ways.back,
        ):
            async for name in tour(app, pilot, world):
                full = f"{name}{ending}"
                if full not in only:
                    continue
                await pilot.pause(0.3)
                file = out / f"{full}.svg"
                file.write_text(tidy(app.export_screenshot(title="smartos-wizard")), encoding="utf-8")
                print(file.relative_to(HERE))
    world.close()


async def walk(out: Path, only: set[str]) -> None:
    """Every walk that has a picture wanted."""
    from smartos_wizard.screens.desk import Desk
    from smartos_wizard.world import build

    world = build(True)
    desk = Desk(world)
    for _event in world.run(desk.download_plan(desk.offer(details=True).rows[0].stamp)):
        pass
    world.close()
    wanted = only or ALL
    await session(out, wanted, SIZE, "")
    await session(out, wanted, (120, 36), "-120x36")
    os.environ["NO_COLOR"] = "1"
    await session(out, wanted, SIZE, "-ascii", ascii_only=True)


def main() -> None:
    """Pictures of the screens named, or of all."""
    out = HERE / "docs" / "pictures"
    out.mkdir(parents=True, exist_ok=True)
    os.environ.update(TEXTUAL_ANIMATIONS="none", TZ="UTC", SMARTOS_WIZARD_PRACTICE_SPEED="0")
    os.environ.pop("NO_COLOR", None)
    time.tzset()
    with tempfile.TemporaryDirectory() as home:
        os.environ["SMARTOS_WIZARD_HOME"] = home
        asyncio.run(walk(out, set(sys.argv[1:])))


if __name__ == "__main__":
    main()
