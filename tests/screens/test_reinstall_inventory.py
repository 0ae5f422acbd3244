"""Several machines of an inventory in the wizard: each confirmed by itself, one at a time, stopped at the first failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.screens import reinstall_parts as road
from tests.screens.conftest import on, text_grid, text_of, until, wizard
from tests.screens.test_reinstall_run import plan_of

pytestmark = pytest.mark.slow


def inventory(world: Any, tmp_path: Path, *names: str, confirm: bool = False) -> Path:
    """A file with the recommended plan of each of these machines."""
    text = "inventory = 1\n"
    for name in names:
        plan = plan_of(world, name)
        (tmp_path / f"{name}.plan.json").write_text(json.dumps(plan.to_json()))
        text += f'[[host]]\nplan = "{name}.plan.json"\n'
        text += f"confirm = {json.dumps(plan.confirmation.tokens)}\n" if confirm and plan.confirmation else ""
    (tmp_path / "fleet.toml").write_text(text)
    return tmp_path / "fleet.toml"


def gone(world: Any, name: str) -> list[str]:
    """The pools of that machine that were destroyed."""
    file = world.paths.state / "hosts.json"
    states = json.loads(file.read_text()) if file.exists() else {}
    return list(states.get(name, {}).get("destroyed", ()))


async def to_inventory(app: Any, pilot: Any, file: Path) -> None:
    """The machines of that file."""
    await road.to_machine(app, pilot)
    await pilot.press("f6")
    await until(pilot, on(app, "Box"), "which file")
    app.screen.query_one("#file").value = str(file)
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "ShowInventory")() and app.screen._found is not None, "the machines")


async def confirm(app: Any, pilot: Any) -> None:
    """Type what the machine under the pointer asks for."""
    screen = app.screen
    missing = screen._missing(screen._chosen())
    await pilot.press("enter")
    await until(pilot, on(app, "Box"), "what is typed")
    app.screen.query_one("#typed").value = " ".join(missing)
    await pilot.press("enter")
    await until(pilot, on(app, "ShowInventory"), "confirmed")


async def begin(app: Any, pilot: Any) -> None:
    """Begin, once all are confirmed."""
    await pilot.press("f2")
    await until(pilot, on(app, "Asking"), "once more")
    await pilot.press("right", "enter")
    await until(pilot, on(app, "InventoryWork"), "the work")


async def keys(app: Any, pilot: Any) -> None:
    """Agree to every new key until the end."""
    for _ in range(12):
        await until(pilot, lambda: on(app, "Asking")() or getattr(app.screen, "_ended", False), "a key, or the end", 60)  # fmt: skip
        if not on(app, "Asking")():
            return
        await pilot.press("right", "enter")
        await until(pilot, on(app, "InventoryWork"), "the work goes on")


async def test_each_machine_is_confirmed_by_itself_and_all_are_done_in_order(
    world: Any, tmp_path: Path
) -> None:
    file = inventory(world, tmp_path, "plain", "running-vms")
    async with wizard(world) as (app, pilot):
        await to_inventory(app, pilot, file)
        await pilot.press("f2")
        assert on(app, "ShowInventory")()
        await pilot.press("enter")
        await until(pilot, on(app, "Box"))
        app.screen.query_one("#typed").value = "running-vms:zones"
        await pilot.press("enter")
        assert "is none of them" in text_grid(app)
        await pilot.press("escape")
        await until(pilot, on(app, "ShowInventory"))
        await confirm(app, pilot)
        await pilot.press("f2")
        assert on(app, "ShowInventory")()
        assert "1 machine of 2 not confirmed yet" in text_grid(app)
        second = app.screen._found.entries[1]
        assert set(app.screen._missing(second)) == set(
            second.tokens
        )  # what was typed for one confirms no other
        await confirm(app, pilot)
        await begin(app, pilot)
        await keys(app, pilot)
        assert app.screen.good
        said = " ".join(text_of(app, "#said").split())
        assert "plain: done; running-vms: done." in said
        assert gone(world, "plain") == ["10417391262571231811"]
        assert gone(world, "running-vms") == ["5536120087341290447"]


async def test_it_stops_at_the_first_failure_and_says_what_was_not_begun(world: Any, tmp_path: Path) -> None:
    file = inventory(world, tmp_path, "running-vms", "changed-pool", "dropped-run", confirm=True)
    async with wizard(world) as (app, pilot):
        await to_inventory(app, pilot, file)
        assert "All are confirmed." in text_grid(app)
        await begin(app, pilot)
        await keys(app, pilot)
        assert app.screen.failed
        said = " ".join(text_of(app, "#said").split())
        assert "running-vms: done; changed-pool: failed; dropped-run: not begun." in said
        assert "changed-pool" in said
        assert gone(world, "running-vms")
        assert gone(world, "changed-pool") == gone(world, "dropped-run") == []
        await pilot.press("escape")
        await until(pilot, lambda: on(app, "Home")() and app.screen.query_one("#jobs").chosen, "unfinished")
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ShowInventory")() and app.screen._found is not None, "again")
        states = app.screen._found.states
        assert (states[0], states[2]) == ("done", "not begun")


@pytest.mark.parametrize(
    ("words", "said"),
    [("no such file.toml", "cannot be read"), ("not an inventory", "no TOML"), ("", "Which file?")],
)
async def test_a_file_that_is_none_is_told_and_nothing_is_begun(
    world: Any, tmp_path: Path, words: str, said: str
) -> None:
    file = tmp_path / "odd.toml"
    file.write_text("this is [[ no")
    async with wizard(world) as (app, pilot):
        await road.to_machine(app, pilot)
        await pilot.press("f6")
        await until(pilot, on(app, "Box"))
        app.screen.query_one("#file").value = {"not an inventory": str(file)}.get(words, words)
        await pilot.press("enter")
        await until(pilot, lambda: said in " ".join(text_grid(app).split()), said)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: on(app, "ChooseMachine")() or on(app, "ShowInventory")())


async def test_old_surveys_are_named_and_cannot_begin(world: Any, tmp_path: Path) -> None:
    from tests.screens.conftest import NOW

    file = inventory(world, tmp_path, "plain", "running-vms", confirm=True)
    async with wizard(world, (120, 36)) as (app, pilot):
        world.clock = lambda: NOW + 3600
        await to_inventory(app, pilot, file)
        assert "Survey it and plan again" in " ".join(text_grid(app).split())
        await pilot.press("f2")
        await until(pilot, on(app, "Asking"))
        assert "host 2 (running-vms)" in text_grid(app)
        await pilot.press("enter")
        await until(pilot, on(app, "ShowInventory"))
        assert gone(world, "plain") == []
