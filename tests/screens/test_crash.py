"""A fault of the program tells where it happened, and not what was being typed."""

from __future__ import annotations

import pytest

from smartos_wizard.app import WizardApp
from smartos_wizard.world import practice_world


def fault() -> None:
    password = "Hunter2" * 2
    raise RuntimeError(f"a fault of {len(password)} letters")


async def test_a_fault_shows_no_values_of_variables(capsys: pytest.CaptureFixture[str]) -> None:
    world = practice_world()
    app = WizardApp(world)
    try:
        with pytest.raises(RuntimeError, match="a fault"):
            async with app.run_test() as pilot:
                app.call_later(fault)
                await pilot.pause(0.5)
        app._print_error_renderables()
        said = capsys.readouterr()
        assert "a fault of 14 letters" in said.err + said.out
        assert "Hunter2Hunter2" not in said.err + said.out
    finally:
        world.close()
