"""What the screen tests share: a fast practice world, the wizard over it, and goldens of what a screen looks like.

Waits are for a condition, never for a time. `--update-goldens` writes what is seen instead of comparing.
"""

from __future__ import annotations

import gc
import io
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from smartos_wizard.core import journal
from smartos_wizard.practice.stamps import NEWEST

GOLDEN = Path(__file__).parent / "golden"
NOW = 1_795_000_000.0  # one moment of 2026-11: ages on the screens never change


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="Write the goldens of tests/screens anew.")


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setenv("SMARTOS_WIZARD_PRACTICE_SPEED", "0")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def _light() -> Iterator[None]:
    """What earlier apps left in memory is not looked through again by the collector for every later test."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def practice_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose practice world has the newest release downloaded, made once: tests share the download."""
    home = tmp_path_factory.mktemp("practice-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMARTOS_WIZARD_HOME", str(home))
        patch.setenv("SMARTOS_WIZARD_PRACTICE_SPEED", "0")
        from smartos_wizard.screens.desk import Desk
        from smartos_wizard.world import build

        world = build(True)
        desk = Desk(world)
        *_, last = world.run(desk.download_plan(desk.offer(details=True).rows[0].stamp))
        assert last.exit_code == 0, last
        world.close()
    return home


@pytest.fixture
def world(practice_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The practice world as on the first day, but with the newest release stored."""
    from smartos_wizard.world import build

    monkeypatch.setenv("SMARTOS_WIZARD_HOME", str(practice_home))
    built = build(True)
    built.clock = lambda: NOW
    yield built
    for job in journal.list_jobs(built.paths.jobs):
        job.request_cancel()
        end = time.monotonic() + 20
        while job.running() and time.monotonic() < end:
            time.sleep(0.05)
    built.disks._control.reset()
    for place in (built.paths.state, built.paths.config, built.paths.runtime, built.disks._files):
        shutil.rmtree(place, ignore_errors=True)
    for release in built.paths.store.iterdir():
        if release.name[:1].isdigit() and release.name != NEWEST:
            shutil.rmtree(release, ignore_errors=True)
    built.close()


def text_grid(app: Any) -> str:
    """What the terminal shows, as lines without trailing blanks."""
    width, height = app.size
    console = Console(width=width, height=height, file=io.StringIO(), record=True, force_terminal=True)
    console.print(app.screen._compositor.render_update(full=True))
    return "\n".join(line.rstrip() for line in console.export_text(styles=False).splitlines()) + "\n"


async def until(pilot: Any, condition: Callable[[], Any], what: str = "", seconds: float = 20.0) -> None:
    """Let the app work until `condition` holds."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            await pilot.pause()
            return
        await pilot.pause(0.02)
    raise AssertionError(f"never came: {what or condition}\n{text_grid(pilot.app)}")


def on(app: Any, name: str) -> Callable[[], bool]:
    """Whether the screen of that class is shown, and filled in."""
    return lambda: type(app.screen).__name__ == name and getattr(app.screen, "filled", True)


def not_stored(world: Any, kind: str) -> None:
    """Tests share a store: what one before fetched of that kind is not here any more."""
    from smartos_wizard.releases.store import Store

    for stored in Store(world.paths.store).list():
        if stored.artifact.kind == kind:
            stored.path.unlink()


async def choose(app: Any, pilot: Any, name: str) -> None:
    """Choose an entry of Home's menu by its name, with the keys."""
    menu = app.screen.query_one("#menu")
    while menu.chosen != name:
        before = menu.chosen
        await pilot.press("down")
        assert menu.chosen != before, f"no entry {name}"
    await pilot.press("enter")


@asynccontextmanager
async def wizard(
    world: Any, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[tuple[Any, Any]]:
    """The wizard at Home with its news told."""
    from smartos_wizard.app import WizardApp

    app = WizardApp(world, **options)
    async with app.run_test(size=size) as pilot:
        await until(pilot, on(app, "Home"), "Home")
        await until(pilot, lambda: "Newest" in text_of(app, "#news") or size[0] < 60, "the news")
        await until(pilot, lambda: "withheld" in text_of(app, "#attached"), "the disks")
        yield app, pilot


def text_of(app: Any, selector: str) -> str:
    """The words of a Static on the screen."""
    found = app.screen.query(selector)
    return str(found.first().content) if found else ""


async def to_target(app: Any, pilot: Any) -> None:
    """From Home to the list of disks, downloading the newest release where it is not stored."""
    await pilot.press("enter")
    await until(pilot, on(app, "ChooseRelease"), "releases")
    await until(pilot, lambda: app.screen.query_one("#releases").chosen, "the list")
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "ChooseTarget")() or getattr(app.screen, "_ended", False), "download")
    if not on(app, "ChooseTarget")():
        assert "VERIFIED" in text_grid(app)
        await pilot.press("enter")
        await until(pilot, on(app, "ChooseTarget"), "targets")
    await until(pilot, lambda: app.screen.query_one("#disks").option_count > 3, "disks")


async def to_options(app: Any, pilot: Any, path: str = "/practice/sdb") -> None:
    """On to what the machine is told at boot, with the disk at `path` chosen."""
    await to_target(app, pilot)
    for _ in range(10):
        await pilot.press("down")
        if app.screen.query_one("#disks").chosen == path:
            break
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "Options")() and app.focused is not None, "options")


async def to_review(app: Any, pilot: Any, path: str = "/practice/sdb") -> None:
    """On to the plan for the disk at `path`, with the options left as released."""
    await to_options(app, pilot, path)
    await pilot.press("enter")
    await until(pilot, on(app, "Review"), "review")
    await until(pilot, lambda: app.screen._plan is not None, "the plan")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Any, str], None]:
    """Compare what is shown with the file `golden/NAME.txt`."""

    def check(app: Any, name: str) -> None:
        # Nothing that differs from one run or processor to the next belongs into a golden: how well the
        # practice image is compressed, and so its size and digest, depends on the instructions at hand.
        seen = re.sub(r"\d{8}T\d{6}Z-[0-9a-f]{6}", "JOB", text_grid(app))
        seen = re.sub(r"/looks-gw\d", "/looks-gw0", seen)
        seen = re.sub(r"[0-9a-f]{4}([…~])[0-9a-f]{4}\b(?=: the)", r"####\1####", seen)
        seen = re.sub(r"\d+\.\d+(?= MiB)", lambda m: "#" * len(m[0]), seen)
        file = GOLDEN / f"{name}.txt"
        if request.config.getoption("--update-goldens"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(seen, encoding="utf-8")
        assert file.exists(), f"no golden {name}: run with --update-goldens and look at it"
        assert seen == file.read_text(encoding="utf-8")

    return check
