"""Writes docs/pictures/*.svg: every screen, from the practice world, the same each time.

python packaging/pictures.py [NAME ...]
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))
SIZE = (100, 30)


def tidy(svg: str) -> str:
    """The picture without the random names that differ from run to run."""
    svg = re.sub(r"terminal-\d+", "terminal-0", svg)
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    return re.sub(r"\d{8}T\d{6}Z-[0-9a-f]{6}", "20261122T140700Z-4f2a9c", svg)


async def walk(out: Path, only: set[str]) -> None:
    """Walk the wizard once and keep each screen."""
    from smartos_wizard.app import WizardApp
    from smartos_wizard.screens.desk import Desk
    from smartos_wizard.world import build
    from tests.screens import conftest as steps
    from tests.screens import test_looks as looks

    world = build(True)
    world.clock = lambda: steps.NOW
    desk = Desk(world)
    for _event in world.run(desk.download_plan(desk.offer(details=True).rows[0].stamp)):
        pass
    app = WizardApp(world)
    async with app.run_test(size=SIZE) as pilot:
        await steps.until(pilot, lambda: "Newest" in steps.text_grid(app), "home")
        async for name in looks.tour(app, pilot, world):
            await pilot.pause(0.2)
            if only and name not in only:
                continue
            file = out / f"{name}.svg"
            file.write_text(tidy(app.export_screenshot(title="smartos-wizard")), encoding="utf-8")
            print(file.relative_to(HERE))
    world.close()


def main() -> None:
    """Pictures of the screens named, or of all."""
    out = HERE / "docs" / "pictures"
    out.mkdir(parents=True, exist_ok=True)
    os.environ.update(TEXTUAL_ANIMATIONS="none", TZ="UTC", SMARTOS_WIZARD_PRACTICE_SPEED="0")
    os.environ.pop("NO_COLOR", None)
    with tempfile.TemporaryDirectory() as home:
        os.environ["SMARTOS_WIZARD_HOME"] = home
        asyncio.run(walk(out, set(sys.argv[1:])))


if __name__ == "__main__":
    main()
