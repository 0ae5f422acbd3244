"""The way to SmartOS beside a make-believe Linux, as tests walk it."""

from __future__ import annotations

from typing import Any

from tests.screens.conftest import on, text_of, until

NAME = "practice-linux"


async def to_look(app: Any, pilot: Any, root: str = "") -> None:
    """To a make-believe Linux as it starts now."""
    from smartos_wizard.screens.dualboot_look import DualbootLook

    app.show(DualbootLook(root))
    await until(pilot, lambda: on(app, "DualbootLook")() and app.screen.seen is not None, "the look")


async def to_way(app: Any, pilot: Any, root: str = "") -> None:
    """On to the ways."""
    await to_look(app, pilot, root)
    await until(pilot, lambda: app.focused is not None and app.focused.id == "go", "the button")
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "DualbootWay")() and app.screen.opinion is not None, "the ways")


async def to_told(app: Any, pilot: Any, root: str = "", *, iso: bool = False) -> None:
    """On to what it is told, with the newest release downloaded where it is not here."""
    await to_way(app, pilot, root)
    await pilot.press(*(["down"] if iso else []), "enter")
    await until(
        pilot, lambda: on(app, "DualbootRelease")() and app.screen.query_one("#releases").chosen, "list"
    )
    await pilot.press("enter")
    await until(
        pilot, lambda: on(app, "DualbootTold")() or getattr(app.screen, "_ended", False), "it is here", 60
    )
    if not on(app, "DualbootTold")():
        await until(pilot, lambda: app.focused is not None and app.focused.id == "next", "the button")
        await pilot.press("enter")
    await until(pilot, lambda: on(app, "DualbootTold")() and app.focused is not None, "the form")


async def to_entry(app: Any, pilot: Any, root: str = "", *, iso: bool = False) -> str:
    """On to the entry; what it shows."""
    await to_told(app, pilot, root, iso=iso)
    await pilot.press("f2")
    await until(
        pilot, lambda: on(app, "DualbootEntry")() and "Looking" not in text_of(app, "#entry"), "entry"
    )
    return text_of(app, "#entry")


async def to_review(app: Any, pilot: Any, name: str = "DualbootReview") -> None:
    """Wait for a plan."""
    await until(pilot, lambda: on(app, name)() and getattr(app.screen, "_plan", None) is not None, name)
    await pilot.pause(0.1)


async def arm(app: Any, pilot: Any, name: str) -> None:
    """Type the name, and press the button that it armed."""
    await pilot.press(*name, "enter")
    assert app.focused.id == "go"
    await pilot.press("enter")
