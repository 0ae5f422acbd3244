"""Booting over the network, in the wizard: a tree is built, served with a table of machines, checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core import journal
from smartos_wizard.core.errors import DeviceLost, WizardError
from smartos_wizard.core.events import Noted
from smartos_wizard.core.progress import reduce
from smartos_wizard.practice.netboot import PracticeWire
from smartos_wizard.practice.stamps import NEWEST
from smartos_wizard.screens.desk import Desk
from smartos_wizard.screens.netboot_build import BuildTree
from smartos_wizard.screens.netboot_check import CheckTree
from smartos_wizard.screens.netboot_model import HTTP, OWN, PROXY, BuildAnswers, ServeAnswers, rows_of
from smartos_wizard.screens.netboot_review import BuildReview, ServeReview
from tests.screens.conftest import on, text_grid, text_of, until, wizard
from tests.screens.netboot_parts import (
    MIB,
    OLDER,
    begun,
    build_tree,
    choose_card,
    loaded,
    machine,
    ran,
    serving,
    shown,
    to_wire,
)


def said(app: Any) -> str:
    """The screen with its lines put together."""
    return " ".join(text_grid(app).replace("│", " ").split())


# ---------------------------------------------------------------------- where it begins


async def test_home_leads_to_what_may_be_done_and_known_trees_are_there(world: Any, tmp_path: Path) -> None:
    directory = build_tree(world, tmp_path / "tree")
    plan = Desk(world).netboot.check_plan(directory, full=False)
    journal.create(world.paths.jobs, plan, practice=True).seen_file.touch()
    async with wizard(world) as (app, pilot):
        menu = app.screen.query_one("#menu")
        menu.highlighted = menu.get_option_index("netboot")
        await pilot.press("enter")
        await until(pilot, on(app, "NetbootStart"))
        await until(pilot, lambda: app.screen.query_one("#trees").option_count, "the tree")
        assert all(
            word in text_grid(app)
            for word in ("Build a tree", "Serve a tree", "Check a tree", "tree  1 release")
        )
        app.screen.query_one("#trees").focus()
        await pilot.press("down", "enter")
        await until(pilot, on(app, "Pick"))
        await pilot.press("enter")
        await until(pilot, on(app, "ChooseWire"))
        assert app.screen.said.directory == directory
        await pilot.press("escape")
        await until(pilot, on(app, "NetbootStart"))
        await pilot.press("escape")
        await until(pilot, on(app, "Home"))


# ---------------------------------------------------------------------- building


async def test_a_tree_is_built_from_the_list_to_its_end_and_served_on(world: Any, tmp_path: Path) -> None:
    directory = str(tmp_path / "tree")
    async with wizard(world, (120, 36)) as (app, pilot):
        app.show(BuildTree(BuildAnswers(directory)))
        await until(pilot, lambda: on(app, "BuildTree")() and app.screen.facts is not None)
        assert "not there yet; it is made" in text_grid(app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: on(app, "ChooseReleases")() and app.screen.query_one("#releases").chosen)
        assert app.screen.query_one("#releases").chosen == NEWEST  # newest first
        await pilot.press("space", "down", "space")
        marked = sorted(app.screen._marked, reverse=True)
        assert len(marked) == 2
        assert text_grid(app).count("[x]") == 2
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "BuildTree")() and app.screen.facts is not None)
        assert app.screen.said.stamps == tuple(marked)
        assert text_grid(app).count("comes  ") == 2
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "BuildReview")() and app.screen._plan is not None)
        assert app.screen.command() == f"smartos-wizard --practice netboot build {directory} " + " ".join(
            f"--release {s}" for s in marked
        )
        assert "everything else in that directory" in said(app)
        assert "are free there" in text_grid(app)
        assert not Path(directory).exists()
        assert app.focused.id == "go"
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "NetbootWork")() and app.screen._ended, "the end", 60)
        assert "PROVEN" in text_grid(app)
        assert (Path(directory) / "boot.ipxe").is_file()
        await pilot.press("enter")
        await until(pilot, on(app, "ChooseWire"))
        assert app.screen.said.directory == directory


async def test_what_leaves_a_tree_is_typed_whole(world: Any, tmp_path: Path) -> None:
    directory = build_tree(world, tmp_path / "tree", NEWEST, OLDER)
    async with wizard(world) as (app, pilot):
        app.show(BuildReview(BuildAnswers(directory, (NEWEST,), keep="1")))
        await until(pilot, lambda: on(app, "BuildReview")() and app.screen._plan is not None)
        assert app.screen.tokens == (OLDER,)
        await pilot.press(*OLDER[:-1])
        assert not app.screen.is_armed
        await pilot.press("enter")
        assert on(app, "BuildReview")()
        await pilot.press(OLDER[-1])
        assert app.screen.is_armed
        assert f"--keep 1 --confirm {OLDER}" in app.screen.command()
        assert (Path(directory) / "os" / OLDER).is_dir()


@pytest.mark.parametrize(
    ("change", "reference"),
    [({"machines": "foo"}, "no-pair"), ({"machines": "52:54:00:12:34:56=nobody"}, "no-such-profile"), ({}, "not-ours")],
)  # fmt: skip
async def test_what_cannot_be_built_has_a_reason_and_no_button(
    world: Any, tmp_path: Path, change: dict[str, str], reference: str
) -> None:
    (tmp_path / "boot.ipxe").write_text("mine")
    directory = str(tmp_path if not change else tmp_path / "new")
    async with wizard(world) as (app, pilot):
        app.show(BuildReview(BuildAnswers(directory, (NEWEST,), **change)))
        await until(pilot, lambda: reference in text_grid(app), reference)
        assert not app.screen.query_one("#go").display
        assert (tmp_path / "boot.ipxe").read_text() == "mine"
        assert not (tmp_path / "new").exists()


async def test_nonsense_in_the_form_stays_in_the_form(world: Any, tmp_path: Path) -> None:
    async with wizard(world) as (app, pilot):
        app.show(BuildTree(BuildAnswers(str(tmp_path), (NEWEST,), keep="x")))
        await until(pilot, lambda: on(app, "BuildTree")() and app.screen.facts is not None)
        assert "a number, 1 or more" in text_grid(app)
        await pilot.press("f2")
        assert on(app, "BuildTree")()
        assert app.focused.id == "keep"
        app.screen.query_one("#keep").value = ""
        for nonsense in ("", "~nobody-of-that-name/x", "/dev/null"):
            app.screen.query_one("#directory").value = nonsense
            await until(pilot, lambda: app.screen.facts is None or app.screen.facts.problem)
            await pilot.press("f2")
            assert on(app, "BuildTree")()


async def test_a_build_that_was_left_is_taken_up_from_its_own_plan(world: Any, tmp_path: Path) -> None:
    plan = Desk(world).netboot.build_plan(BuildAnswers(str(tmp_path / "tree"), (NEWEST,)))
    job = journal.create(world.paths.jobs, plan, practice=True)
    job.journal_file.write_text("")
    async with wizard(world) as (app, pilot):
        await until(pilot, lambda: app.screen.query_one("#jobs").option_count, "unfinished work")
        app.screen.query_one("#jobs").focus()
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "BuildAgain")() and app.screen._plan is not None)
        assert app.screen.is_armed


# ---------------------------------------------------------------------- the network


async def test_no_interface_is_chosen_for_anybody(world: Any, tmp_path: Path) -> None:
    directory = build_tree(world, tmp_path / "tree")
    async with wizard(world) as (app, pilot):
        screen = await to_wire(app, pilot, directory)
        assert screen.said.interface == ""
        assert screen.query_one("#cards").chosen == ""
        grid = text_grid(app)
        assert "practice0        192.0.2.1/24" in grid
        assert "Not offered" in grid
        assert "down" in grid
        assert "no IPv4 address" in grid
        await pilot.press("f2")
        await pilot.pause()
        assert on(app, "ChooseWire")()
        assert screen.said.interface == ""
        await choose_card(app, pilot, "practice1")
        assert "--interface practice1" in screen.command()
        for _ in range(4):
            await pilot.press("down")
            assert screen.said.interface in ("practice0", "practice1")
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ServeReview")() and app.screen._plan is not None)
        assert app.screen.wanted.gives == PROXY


async def test_addresses_are_given_only_where_the_danger_was_agreed_to(world: Any, tmp_path: Path) -> None:
    directory = build_tree(world, tmp_path / "tree")
    async with wizard(world) as (app, pilot):
        screen = await to_wire(app, pilot, directory)
        assert not screen.query_one("#row-addresses").display
        screen.query_one("#gives").focus()
        await pilot.press("right", "right")
        assert screen.said.gives == OWN
        await choose_card(app, pilot)
        await pilot.press("f2")
        assert app.focused.id == "addresses"  # which ones?
        await pilot.press(*"192.0.2.50-192.0.2.60")
        await pilot.press("f2")
        await until(pilot, on(app, "Asking"))
        assert "lose the network" in said(app)
        assert app.focused.id == "no"
        await pilot.press("enter")
        await until(pilot, on(app, "ChooseWire"))
        await pilot.press("f2")
        await until(pilot, on(app, "Asking"))
        await pilot.press("right", "enter")
        await until(pilot, lambda: on(app, "ServeReview")() and app.screen._plan is not None)
        plan = app.screen._plan
        assert "--dhcp 192.0.2.50-192.0.2.60" in app.screen.command()
        assert "Addresses are given on practice0" in said(app)
        progress = ran(world, plan)
        await shown(app, pilot, plan, progress)
        assert "192.0.2.254 (02:00:5e:00:53:fe) gives addresses on practice0 already" in said(app)
        assert "Choose “the network's own”" in said(app)
        assert "--dhcp" not in said(app)
        app.screen.query_one("#next").press()
        await until(pilot, lambda: on(app, "ChooseWire")() and app.screen._cards)
        assert (app.screen.said.gives, app.screen.said.addresses) == (OWN, "192.0.2.50-192.0.2.60")
        assert app.screen.said.interface == "practice0"


async def test_without_dnsmasq_it_is_said_how_to_get_it_and_files_can_be_served(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_self: object) -> str:
        raise WizardError(
            "no-dnsmasq",
            "There is no dnsmasq here.",
            hint="Install it: `apt install dnsmasq-base`. Or say --http-only.",
        )

    monkeypatch.setattr(PracticeWire, "dnsmasq", missing)
    directory = build_tree(world, tmp_path / "tree")
    async with wizard(world) as (app, pilot):
        await to_wire(app, pilot, directory)
        await choose_card(app, pilot)
        assert "There is no dnsmasq here." in text_of(app, "#sum")
        await pilot.press("f2")
        await until(pilot, on(app, "Asking"))
        assert "apt install dnsmasq-base" in said(app)
        assert "--http-only" not in said(app)
        await pilot.press("right", "enter")
        await until(pilot, on(app, "ChooseWire"))
        assert app.screen.said.gives == HTTP
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "ServeReview")() and app.screen._plan is not None)
        assert [step.id for step in app.screen._plan.steps] == ["tree", "http", "serve"]


@pytest.mark.parametrize("where", ["empty", "file", "rotten"])
async def test_what_is_no_tree_is_not_served(world: Any, tmp_path: Path, where: str) -> None:
    directory = tmp_path / where
    if where == "rotten":
        build_tree(world, directory)
        next(directory.rglob("boot_archive")).write_bytes(b"x")
    elif where == "empty":
        directory.mkdir()
    else:
        directory.write_text("x")
    async with wizard(world) as (app, pilot):
        screen = await to_wire(app, pilot, str(directory))
        await choose_card(app, pilot)
        await pilot.press("f2")
        if where != "rotten":
            await pilot.pause()
            assert on(app, "ChooseWire")()
            return
        await until(pilot, lambda: on(app, "ServeReview")() and app.screen._plan is not None)
        progress = ran(world, app.screen._plan)
        screen = await shown(app, pilot, app.screen._plan, progress)
        assert "is not what its hash says" in said(app)
        assert screen.failed


async def test_a_port_that_is_taken_leads_back_to_the_form(world: Any, tmp_path: Path) -> None:
    directory = build_tree(world, tmp_path / "tree")
    plan = Desk(world).netboot.serve_plan(ServeAnswers(directory, "practice0", port="80"))
    progress = ran(world, plan)
    async with wizard(world) as (app, pilot):
        await shown(app, pilot, plan, progress)
        assert "Port 80 of 192.0.2.1 is taken by another program." in said(app)
        assert "Choose another port" in said(app)
        assert "Change it" in text_grid(app)
        app.screen.query_one("#next").press()
        await until(pilot, on(app, "ChooseWire"))
        assert app.screen.said.port == "80"
        app.screen.query_one("#port").value = "port"
        await pilot.pause()
        assert "1 to 65535" in text_grid(app)


async def test_an_interface_that_goes_ends_it_and_that_is_said(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smartos_wizard.netboot import serve_steps

    directory = build_tree(world, tmp_path / "tree")
    plan = Desk(world).netboot.serve_plan(ServeAnswers(directory, "practice0"))
    seen: list[object] = []

    def gone(_self: object, where: object) -> None:
        seen.append(where)
        if len(seen) > 1:
            raise DeviceLost(
                "interface-gone",
                "practice0 is gone, down, or lost its address 192.0.2.1.",
                hint="Give the command again.",
            )

    monkeypatch.setattr(PracticeWire, "require_still", gone)
    monkeypatch.setattr(serve_steps, "_INTERFACE_EVERY", -1.0)
    progress = ran(world, plan)
    async with wizard(world) as (app, pilot):
        screen = await shown(app, pilot, plan, progress)
        assert progress.ended is not None
        assert progress.ended.exit_code == 10
        assert "practice0 is gone" in said(app)
        assert "Nothing is served any more" in said(app)
        assert screen.query_one("#next").label.plain == "Change it"


# ---------------------------------------------------------------------- serving


async def test_an_evening_of_serving_from_the_plan_to_a_clean_stop(world: Any, tmp_path: Path) -> None:
    directory = build_tree(world, tmp_path / "tree")
    async with wizard(world, (120, 36)) as (app, pilot):
        app.show(ServeReview(ServeAnswers(directory, "practice0")))
        await until(pilot, lambda: on(app, "ServeReview")() and app.screen._plan is not None)
        assert "proxyDHCP" in said(app)
        assert "UEFI" in text_grid(app)
        await pilot.press("tab", "enter")
        await until(
            pilot,
            lambda: on(app, "ServeWork")() and sum(r.starts for r in app.screen.machines) >= 3,
            "machines",
            60,
        )
        job = app.screen.job
        grid = text_grid(app)
        assert "Serving http://192.0.2.1:8080/boot.ipxe on practice0" in grid
        assert "Another DHCP server, 192.0.2.254" in said(app)
        assert grid.count("has everything") >= 3
        assert "UEFI: not possible" in grid
        assert "broke off, archive" in grid
        assert f"job attach {job.id}" in app.screen.command()
        await pilot.press("c")
        await until(pilot, on(app, "Asking"))
        await pilot.press("escape")  # goes on
        await until(pilot, on(app, "ServeWork"))
        await pilot.pause(0.2)
        assert job.running()
        await pilot.press("c")
        await until(pilot, on(app, "Asking"))
        await pilot.press("right", "enter")
        await until(pilot, lambda: on(app, "ServeWork")() and app.screen._ended, "the stop", 30)
        assert "Stopped, and nothing is left" in text_grid(app)
        assert "5 machines came" in text_grid(app)
        await until(pilot, lambda: not job.running(), "the process is gone")
        assert "unfinished" not in [row.state for row in app.desk.jobs()]


def plan_of(world: Any, directory: str = "/srv/netboot") -> Any:
    from smartos_wizard.netboot.serve_plan import Serving, plan_serve
    from smartos_wizard.practice.netboot import INTERFACE

    del world
    return plan_serve(Serving(Path(directory), INTERFACE, elsewhere=True))


A, B = "52:54:00:00:53:10", "52:54:00:00:53:11"


def test_a_machine_that_starts_again_starts_at_nothing(world: Any) -> None:
    plan = plan_of(world)
    events: list[Any] = [machine(10, A, "archive", file="os/x/boot_archive", done=0, total=300 * MIB)]
    events += [
        loaded(11, A, "boot_archive", 200 * MIB, 300 * MIB),
        machine(12, A, "broke-off", file="os/x/boot_archive", done=200 * MIB, total=300 * MIB),
    ]
    (row,) = rows_of(serving(plan, events))
    assert (row.state, row.done, row.bad) == ("broke-off", 200 * MIB, True)
    events += [
        machine(20, A, "menu", file="boot.ipxe", done=700, total=700),
        loaded(20, A, "boot.ipxe", 700, 700),
    ]
    events += [
        machine(21, A, "archive", file="os/x/boot_archive", done=0, total=300 * MIB),
        loaded(22, A, "boot_archive", 10 * MIB, 300 * MIB),
    ]
    (row,) = rows_of(serving(plan, events))
    assert (row.state, row.done, row.total, row.loading) == ("archive", 10 * MIB, 300 * MIB, True)


def test_no_machine_is_forgotten_however_much_is_noted(world: Any) -> None:
    events: list[Any] = [machine(1, A, "starting", starts=1, release=NEWEST)]
    events += [machine(2 + n, B, "menu" if n % 2 else "asks") for n in range(400)]
    rows = rows_of(serving(plan_of(world), events))
    assert [row.name for row in rows] == [A, B]
    assert rows[0].starts == 1


async def test_the_table_tells_how_far_how_fast_and_who_is_silent(world: Any) -> None:
    plan = plan_of(world)
    now = world.now()
    events: list[Any] = [
        machine(now - 30, name, "archive", file="boot_archive", done=0, total=300 * MIB) for name in (A, B)
    ]
    events += [loaded(now - 20 + n, A, "boot_archive", n * 10 * MIB, 300 * MIB) for n in range(20)]
    events += [loaded(now - 20 + n, B, "boot_archive", n * MIB, 300 * MIB) for n in range(5)]
    async with wizard(world) as (app, pilot):
        screen = await shown(app, pilot, plan, serving(plan, events))
        grid = text_grid(app)
        line = next(line for line in grid.splitlines() if A in line)
        assert "63 %" in line
        assert "10.5 MB/s" in line
        assert "silent for 16 s" in grid
        await pilot.press("c")
        await until(pilot, on(app, "Asking"))
        assert "are loading and break off" in said(app)
        await pilot.press("escape")
        many = [
            machine(now, f"52:54:00:00:54:{n:02x}", "starting", starts=1, release=NEWEST) for n in range(40)
        ]
        screen.moved(serving(plan, [*events, *many]))
        await pilot.pause()
        assert "42 machines, 40 have everything, 2 loading" in text_grid(app)
        assert "more below" in text_grid(app)


async def test_root_is_asked_for_once_and_in_words(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(world)
    asked: list[tuple[str, str]] = []
    note = Noted(
        5.0,
        "wire",
        "It takes root.",
        "warning",
        reference="needs-opener",
        data={"command": "sudo x", "why": "It takes root."},
    )
    async with wizard(world) as (app, pilot):
        from smartos_wizard.screens.following import JobMoved

        monkeypatch.setattr(app, "_let_open", lambda command, why: asked.append((command, why)))
        screen = await shown(app, pilot, plan, serving(plan, []))
        for _ in range(3):  # it goes on already: whoever follows it later is not asked
            app.on_job_moved(JobMoved(screen.job, serving(plan, [note])))
        assert asked == []
        for _ in range(3):
            app.on_job_moved(JobMoved(screen.job, reduce(begun(plan, "wire"), note)))
        assert asked == [("sudo x", "It takes root.")]


# ---------------------------------------------------------------------- checking, and servers of one's own


@pytest.mark.parametrize("good", [True, False])
async def test_a_check_tells_file_by_file(world: Any, tmp_path: Path, good: bool) -> None:
    directory = build_tree(world, tmp_path / "tree")
    if not good:
        archive = next(Path(directory).rglob("boot_archive"))
        archive.write_bytes(b"x" + archive.read_bytes()[1:])
    plan = Desk(world).netboot.check_plan(directory, full=True)
    progress = ran(world, plan)
    async with wizard(world) as (app, pilot):
        await shown(app, pilot, plan, progress)
        await until(pilot, lambda: "File by file" in text_grid(app))
        grid = text_grid(app)
        assert f"os/{NEWEST}/…/amd64/boot_archive " in grid
        assert ("WHOLE" if good else "NOT RIGHT") in grid
        assert ("7 right, 0 not right" if good else "6 right, 1 not right") in grid
        if not good:
            assert "is not what its hash says" in said(app)
            assert "exit code 6" in grid
            assert app.screen.job.seen_file.exists()  # an answer, not unfinished work
            app.screen.query_one("#next").press()  # and it can be put right from here
            await until(pilot, lambda: on(app, "BuildTree")() and app.screen.facts is not None)
            said_ = app.screen.said
            assert (said_.stamps, said_.again) == ((NEWEST,), True)
            assert f"--release {NEWEST} --again" in app.screen.command()
            mended = app.desk.netboot.build_plan(said_)
            assert ran(world, mended).error is None
            assert ran(world, plan).error is None


async def test_a_server_is_checked_too_and_the_official_tree_is_offered(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        app.show(CheckTree(""))
        await until(pilot, on(app, "CheckTree"))
        await pilot.press("f4")
        await until(pilot, on(app, "Pick"))
        assert "the official tree" in text_grid(app)
        await pilot.press("enter")
        await until(pilot, on(app, "CheckTree"))
        assert (
            app.screen.command()
            == "smartos-wizard --practice netboot check https://netboot.smartos.org/smartos.ipxe"
        )
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "CheckWork")() and app.screen._ended, "the check", 60)
        grid = text_grid(app)
        assert "WHOLE" in grid
        assert ":fail" in grid
        assert "not compared" in grid


@pytest.mark.parametrize(
    ("where", "how", "command"),
    [
        ("/srv/t", "", "check /srv/t"), ("/srv/t", "quick", "check /srv/t --quick"), ("http://x/", "", "check http://x/"),
        ("http://x/", "full", "check http://x/ --full"),
    ],
)  # fmt: skip
async def test_the_same_check_by_command(world: Any, where: str, how: str, command: str) -> None:
    async with wizard(world) as (app, pilot):
        app.show(CheckTree(where))
        await until(pilot, on(app, "CheckTree"))
        app.screen.take("how", how)
        assert app.screen.command() == f"smartos-wizard --practice netboot {command}"


async def test_where_no_tree_is_a_check_says_so(world: Any, tmp_path: Path) -> None:
    plan = Desk(world).netboot.check_plan(str(tmp_path), full=True)
    progress = ran(world, plan)
    async with wizard(world) as (app, pilot):
        await shown(app, pilot, plan, progress)
        assert "no-tree" in text_grid(app)


async def test_configuration_is_written_for_other_servers(world: Any, tmp_path: Path) -> None:
    directory = build_tree(world, tmp_path / "tree")
    async with wizard(world) as (app, pilot):
        screen = await to_wire(app, pilot, directory, config=True)
        assert [offer.value for offer in screen.query_one("#gives").offers] == [PROXY, OWN]
        await choose_card(app, pilot)
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "ConfigReview")() and app.screen._plan is not None)
        assert f"--config-only {directory}-config" in app.screen.command()
        plan = app.screen._plan
        await shown(app, pilot, plan, ran(world, plan))
        assert "README.txt" in said(app)
        assert sorted(p.name for p in Path(f"{directory}-config").iterdir()) == [
            "README.txt",
            "dhcpd.conf",
            "dnsmasq.conf",
            "kea-dhcp4.json",
            "nginx.conf",
        ]
        await shown(app, pilot, plan, ran(world, plan))  # never over another
        assert "Choose a new directory" in said(app)
