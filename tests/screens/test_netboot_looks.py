"""What booting over the network looks like in the wizard, to the character."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.events import Noted, PlanFinished, PlanStarted, StepFinished, StepHead, StepStarted
from smartos_wizard.core.progress import Progress, reduce
from smartos_wizard.netboot.check_steps import plan_check
from smartos_wizard.netboot.serve_plan import Serving, plan_serve
from smartos_wizard.practice.netboot import INTERFACE
from smartos_wizard.practice.stamps import NEWEST
from smartos_wizard.screens.netboot_build import BuildTree
from smartos_wizard.screens.netboot_check import CheckTree
from smartos_wizard.screens.netboot_model import BuildAnswers, ServeAnswers, TreeFacts
from smartos_wizard.screens.netboot_review import ServeReview
from tests.screens.conftest import NOW, on, text_grid, until, wizard
from tests.screens.netboot_parts import MIB, OLDER, choose_card, loaded, machine, serving, shown, to_wire
from tests.screens.test_looks import settled

TREE = "/srv/netboot"
FACTS = TreeFacts(TREE, "tree", (NEWEST, OLDER), 612 * MIB, ("52:54:00:12:34:56",), 61 << 30)
ARCHIVE = f"os/{NEWEST}/platform/i86pc/amd64/boot_archive"
MACS = tuple(f"52:54:00:00:53:1{n}" for n in range(5))


def evening() -> Progress:
    """Five machines, each at another place."""
    one, again, uefi, slow, bad = MACS
    at, size = NOW - 40, 300 * MIB
    router = "Another DHCP server, 192.0.2.254 (02:00:5e:00:53:fe), gives addresses."
    events: list[Any] = [
        Noted(at, "wire", router, reference="other-server"),
        machine(at, one, "starting", starts=1, release=NEWEST, file=f"{ARCHIVE}.hash", done=40, total=40),
        machine(at, uefi, "not-by-uefi", firmware="UEFI"),
    ]
    events += [machine(NOW - 20, name, "archive", file=ARCHIVE, total=size) for name in (again, slow, bad)]
    events += [loaded(NOW - 10 + n, again, "boot_archive", (n + 1) * 20 * MIB, size) for n in range(10)]
    events += [loaded(NOW - 18 + n, slow, "boot_archive", (n + 1) * MIB // 4, size) for n in range(5)]
    events += [machine(NOW - 5, bad, "broke-off", file=ARCHIVE, done=180 * MIB, total=size)]
    return serving(plan(), events, at)


def plan() -> Any:
    return plan_serve(Serving(Path(TREE), INTERFACE, elsewhere=True))


def found() -> Progress:
    """A check that found an archive that rotted."""
    check = plan_check(TREE, full=True)
    state = reduce(
        Progress(),
        PlanStarted(
            NOW, check.kind, check.title, tuple(StepHead(s.id, s.title, "reads") for s in check.steps)
        ),
    )
    for step in check.steps:
        state = reduce(reduce(state, StepStarted(NOW, step.id, step.title)), StepFinished(NOW, step.id))
    sum_ = "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"
    wrong = f"{ARCHIVE} is not what its hash says ({sum_}, not {sum_[::-1]}): SmartOS would panic at boot."
    rows = [
        ("boot.ipxe", 743, "good"),
        ("menu.ipxe", 2900, "good"),
        (ARCHIVE, 300 * MIB, "bad"),
        (f"{ARCHIVE}.hash", 41, "good"),
    ]
    from smartos_wizard.core.errors import ChecksumFailed

    error = ChecksumFailed(
        "hash-mismatch",
        wrong,
        hint="`smartos-wizard netboot build DIR --release STAMP --again` unpacks a release anew.",
    ).report()
    result = {
        "each": [{"path": path, "size": size, "state": word} for path, size, word in rows],
        "findings": [{"level": "error", "reference": "hash-mismatch", "text": wrong, "where": ARCHIVE}],
    }
    return reduce(state, PlanFinished(NOW, 6, result, error))


async def tour(app: Any, pilot: Any) -> AsyncIterator[str]:
    """Every screen, with one tree."""
    desk = app.desk.netboot
    desk.known, desk.proposed, desk.look = lambda: (FACTS,), lambda: TREE, lambda _directory: FACTS
    desk.serve_plan = lambda _said: plan()
    app.start_netboot()
    await until(pilot, lambda: on(app, "NetbootStart")() and app.screen.query_one("#trees").option_count)
    yield "netboot-start"
    app.show(BuildTree(BuildAnswers(TREE, (NEWEST,), keep="1", console="ttyb")))
    await until(pilot, lambda: on(app, "BuildTree")() and app.screen.facts is not None)
    yield "netboot-build"
    await to_wire(app, pilot, TREE)
    await choose_card(app, pilot)
    yield "netboot-wire"
    app.show(ServeReview(ServeAnswers(TREE, "practice0")))
    await until(pilot, lambda: on(app, "ServeReview")() and app.screen._plan is not None)
    yield "netboot-review"
    await shown(app, pilot, plan(), evening())
    yield "netboot-serve"
    app.show(CheckTree(TREE))
    await until(pilot, lambda: on(app, "CheckTree")() and app.screen.facts is not None)
    yield "netboot-check"
    await shown(app, pilot, plan_check(TREE, full=True), found())
    yield "netboot-found"


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_booting_over_the_network_looks_as_agreed(
    world: Any, golden: Any, size: tuple[int, int]
) -> None:
    async with wizard(world, size) as (app, pilot):
        async for name in tour(app, pilot):
            await settled(app, pilot)
            golden(app, f"{name}-{size[0]}x{size[1]}")


@pytest.mark.slow
async def test_booting_over_the_network_in_ascii_is_ascii(world: Any, golden: Any) -> None:
    async with wizard(world, ascii_only=True) as (app, pilot):
        async for name in tour(app, pilot):
            await settled(app, pilot)
            assert text_grid(app).isascii()
            if name == "netboot-serve":
                golden(app, f"{name}-ascii")


@pytest.mark.slow
async def test_a_small_window_breaks_nothing_over_the_network(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        async for _name in tour(app, pilot):
            for size in ((60, 20), (40, 12), (1, 1), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()


@pytest.mark.slow
async def test_without_colour_every_machine_is_told_by_a_mark_and_words(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with wizard(world) as (app, pilot):
        await shown(app, pilot, plan(), evening())
        grid = text_grid(app)
        for words in (
            "✔ has everything",
            "◐ loads the archive",
            "▲ UEFI: not possible",
            "▲ silent for",
            "✗ broke off, archive",
        ):
            assert words in grid
