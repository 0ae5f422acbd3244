"""A guest written for other programs, from its page; and what wants a guest that is off offers to stop it first."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.guests.model import State
from smartos_wizard.screens.guest_export import notes_of
from tests.screens.conftest import on, text_grid, text_of, until, wizard
from tests.screens.guest_parts import make, state, to_end, to_guests


async def to_plan(app: Any, pilot: Any, downs: int, target: Path | str, digest: str = "") -> None:
    """From the guest to the plan to export it, as the format `downs` below the first."""
    await pilot.press("e")
    await until(pilot, on(app, "Pick"), "as what")
    await pilot.press(*["down"] * downs, "enter")
    await until(pilot, on(app, "Box"), "where to")
    app.screen.query_one("#target").value = str(target)
    if digest:
        app.screen.query_one("#manifest").value = digest
    await pilot.click("#go")


@pytest.mark.slow
@pytest.mark.parametrize(("downs", "kind", "ending"), [(0, "ova", ".ova"), (1, "libvirt", ".xml"), (2, "utm", ".utm")])  # fmt: skip
async def test_it_is_exported_after_its_plan_was_seen(
    world: Any, tmp_path: Path, downs: int, kind: str, ending: str
) -> None:
    guest = make(world, "lab")
    before = {p: p.read_bytes() for p in guest.folder.rglob("*") if p.is_file()}
    target = tmp_path / f"my lab{ending}"
    async with wizard(world) as (app, pilot):
        await to_guests(app, pilot, "lab")
        await to_plan(app, pilot, downs, target, "sha1" if kind == "ova" else "")
        await until(pilot, lambda: on(app, "ExportReview")() and app.screen._plan is not None, "the plan")
        assert app.focused.id == "go"
        told = " ".join(str(app.screen.query_one("#steps").content).split())
        for note in notes_of(app.screen._plan):
            assert note in told  # what the format leaves behind is seen before
        assert "does not come along" in told
        command = app.screen.command()
        assert f"guest export lab --to '{target}' --format {kind}" in command
        assert ("--manifest sha1" in command) == (kind == "ova")
        assert not target.exists()
        await pilot.press("enter")
        said = await to_end(app, pilot)
        assert app.screen.good, text_grid(app)
        assert target.name in said
        await pilot.press("enter")
        await until(pilot, on(app, "Guests"), "back at the list")
    assert target.exists()
    if kind == "ova":
        with tarfile.open(target) as archive:
            manifest = next(name for name in archive.getnames() if name.endswith(".mf"))
            assert archive.extractfile(manifest).read().startswith(b"SHA1(")  # type: ignore[union-attr]
    assert {p: p.read_bytes() for p in guest.folder.rglob("*") if p.is_file()} == before


async def test_what_cannot_be_written_is_said_and_nothing_is(world: Any, tmp_path: Path) -> None:
    make(world, "lab")
    there = tmp_path / "there.ova"
    there.write_text("mine")
    async with wizard(world) as (app, pilot):
        for target, words in (
            (there, "there already"),
            (tmp_path / "x.zip", ".ova"),
            (tmp_path / "no/x.ova", "no"),
        ):
            await to_guests(app, pilot, "lab")
            await to_plan(app, pilot, 0, target)
            await until(pilot, lambda: on(app, "ExportReview")() and "exit code" in text_grid(app), "refused")
            assert words in text_of(app, "#steps")
            assert not app.screen.query_one("#go").display
        await to_guests(app, pilot, "lab")
        await to_plan(app, pilot, 0, tmp_path / "x.ova", "md5")
        assert on(app, "Box")()
        assert "sha256 or sha1" in text_of(app, "#wrong")
    assert there.read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["there.ova"]


@pytest.mark.slow
async def test_a_guest_that_runs_is_stopped_first_and_then_exported(world: Any, tmp_path: Path) -> None:
    make(world, "lab", starts=True)
    async with wizard(world) as (app, pilot):
        await to_guests(app, pilot, "lab")
        await pilot.press("e")
        await until(pilot, on(app, "Asking"), "the offer")
        assert "An export copies disks" in " ".join(text_grid(app).replace("│", " ").split())
        assert app.focused.id == "no"
        await pilot.press("enter")
        await until(pilot, on(app, "Guests"))
        assert state(world, "lab") is State.RUNNING
        await pilot.press("e")
        await until(pilot, on(app, "Asking"))
        await pilot.press("right", "enter")
        await to_end(app, pilot)
        assert str(app.screen.query_one("#next").label) == "The export"
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ExportReview")() and app.screen._plan is not None, "its plan")
    assert state(world, "lab") is State.STOPPED


@pytest.mark.slow
async def test_a_snapshot_of_a_guest_that_runs_is_refused_with_the_reason_and_taken_once_it_is_off(
    world: Any,
) -> None:
    guest = make(world, "lab", starts=True)
    async with wizard(world) as (app, pilot):
        await to_guests(app, pilot, "lab")
        await pilot.press("p")
        await until(pilot, lambda: on(app, "GuestSnapshots")() and "none yet" in text_grid(app))
        assert "at rest" in text_grid(app)
        await pilot.press("t")
        await until(pilot, on(app, "Asking"), "the offer")
        await pilot.press("escape")
        assert on(app, "GuestSnapshots")()
        assert state(world, "lab") is State.RUNNING
        await pilot.press("t")
        await until(pilot, on(app, "Asking"))
        await pilot.press("right", "right", "enter")  # switched off
        await to_end(app, pilot)
        await pilot.press("enter")
        await until(pilot, on(app, "Box"), "the name is asked for at once")
        app.screen.query_one("#name").value = "clean"
        await pilot.press("enter")
        await to_end(app, pilot)
    assert world.hypervisors()[0].snapshot(guest, "list", "") == ("clean",)
