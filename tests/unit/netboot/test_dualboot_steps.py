"""What is put beside a Linux is whole and proven, whatever fails is taken back, and removal leaves no trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import Noted, PlanCancelled, PlanFinished, StepStarted
from smartos_wizard.core.plan import require_confirmed
from smartos_wizard.core.vault import Vault
from smartos_wizard.netboot import dualboot_steps
from smartos_wizard.netboot.dualboot_model import HOMES, SCRIPT, Way
from smartos_wizard.netboot.dualboot_ports import Ran
from smartos_wizard.netboot.unpacking import unpack
from tests.unit.netboot.dualboot_parts import (
    ANSWERS,
    STAMP,
    Linux,
    World,
    events_of,
    image_of,
    install_plan,
    ran,
    remove_plan,
    tree,
)

CHECKOUT = Path(__file__).parents[3]
CHOICES = BootChoices(console="ttya", answers=ANSWERS)
MENU = "boot/grub/grub.cfg"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(Linux(tmp_path / "linux"), tmp_path / "home")


def test_an_installation_is_whole_and_its_removal_leaves_no_trace(world, tmp_path):
    before = tree(world.found)
    image = image_of(tmp_path)
    assert ran(world, install_plan(world, image, CHOICES)).exit_code == 0
    found = tree(world.found)
    home = f"boot/smartos-wizard/{STAMP}"
    unpack(image, tmp_path / "wanted", STAMP, dualboot_steps.Watch())
    for path in (tmp_path / "wanted").rglob("*"):
        if path.is_file():
            assert found[f"{home}/{path.relative_to(tmp_path / 'wanted')}"][1] == path.read_bytes()
    mode, script = found[SCRIPT.strip("/")]
    assert mode & 0o111
    assert subprocess.run(["sh"], input=script, capture_output=True, check=True).stdout in found[MENU][1]
    assert found[f"{home}/answers.json"][0] & 0o777 == 0o600
    assert found[MENU][0] == before[MENU][0]
    assert found[MENU][1].startswith(before[MENU][1])
    assert {p: v for p, v in found.items() if p in before and p != MENU} == {
        p: v for p, v in before.items() if p != MENU
    }
    assert not Vault(world.paths).waiting()
    assert ran(world, remove_plan(world)).exit_code == 0
    assert tree(world.found) == before


def test_an_iso_is_copied_as_it_is(world, tmp_path):
    before, image = tree(world.found), image_of(tmp_path, Way.ISO)
    last = ran(world, install_plan(world, image, way=Way.ISO))
    assert last.exit_code == 0, last
    copy = world.found.at(f"{HOMES[0]}/{STAMP}/smartos-{STAMP}.iso")
    assert copy.read_bytes() == image.path.read_bytes()
    assert ran(world, remove_plan(world)).exit_code == 0
    assert tree(world.found) == before


def test_the_platform_may_come_out_of_an_iso(world, tmp_path):
    before, image = tree(world.found), image_of(tmp_path, Way.ISO)
    last = ran(world, install_plan(world, image))
    assert last.exit_code == 0, last
    found = tree(world.found)
    archive = found[f"boot/smartos-wizard/{STAMP}/platform/i86pc/amd64/boot_archive"][1]
    assert len(archive) == 64 << 10
    assert "loopback" not in found[MENU][1].decode()
    assert ran(world, remove_plan(world)).exit_code == 0
    assert tree(world.found) == before


@pytest.mark.parametrize(
    "damage",
    [lambda d: d[:-4096], lambda d: d + b"x", lambda d: d.replace(b"unix", b"UNIX")],
    ids=["cut", "longer", "no-kernel"],
)
def test_an_iso_that_is_not_the_published_one_is_taken_back(world, tmp_path, damage):
    before, image = tree(world.found), image_of(tmp_path, Way.ISO)
    plan = install_plan(world, image, way=Way.ISO)
    image.path.write_bytes(damage(image.path.read_bytes()))
    last = ran(world, plan)
    assert (last.exit_code, last.error.reference) == (6, "image-changed")
    assert tree(world.found) == before


def test_secrets_are_in_no_plan_and_no_event(world, tmp_path):
    shadow = "$5$abcdefgh$Kx0v./yZpLmNoPqRsTuVwXyZ0123456789abcdEFGH1"
    plan = install_plan(world, image_of(tmp_path), CHOICES.with_(root_shadow=shadow))
    said = json.dumps(plan.to_json()) + repr(list(events_of(world, plan)))
    assert ANSWERS["root_password"] not in said
    assert shadow not in said
    menu = world.found.at(f"/{MENU}").read_text()
    assert shadow not in menu
    assert ANSWERS["root_password"] not in menu


def test_the_plan_wants_the_name_of_the_machine(world, tmp_path):
    plan = install_plan(world, image_of(tmp_path))
    for typed in ((), ("yes",), ("zones",)):
        with pytest.raises(Refused):
            require_confirmed(plan, typed)
    require_confirmed(plan, ("practice-linux",))


FAULTS: dict[str, tuple[str, Callable[[Linux], Ran]]] = {
    "generator-failed": ("grub-mkconfig", lambda _linux: Ran(1, "cannot find a device for /")),
    "menu-not-valid": ("grub-script-check", lambda _linux: Ran(1, "Syntax error at line 3")),
    "entries-missing": (
        "grub-mkconfig",
        lambda linux: Ran(linux.at(f"{HOMES[0]}/grub.cfg.next").write_text("set x=1\n") * 0, ""),
    ),
}


@pytest.mark.parametrize("reference", FAULTS)
def test_whatever_fails_is_taken_back(world, tmp_path, reference):
    before, image = tree(world.found), image_of(tmp_path)
    program, fault = FAULTS[reference]
    plan = install_plan(world, image, CHOICES)
    world.found.faults[program] = lambda: fault(world.found)
    last = ran(world, plan)
    assert isinstance(last, PlanFinished)
    assert last.error is not None
    assert last.error.reference == reference
    assert tree(world.found) == before
    assert not Vault(world.paths).waiting()


def test_a_menu_that_changed_while_it_was_made_anew_is_not_overwritten(world, tmp_path):
    plan = install_plan(world, image_of(tmp_path))
    menu = world.found.at(f"/{MENU}")
    for event in events_of(world, plan):
        if isinstance(event, StepStarted) and event.step == "switch":
            menu.write_text("a kernel was installed just now\n")
        last = event
    assert last.error.reference == "changed-meanwhile"
    assert menu.read_text() == "a kernel was installed just now\n"
    assert not world.found.at(HOMES[0]).exists()
    assert not world.found.at(SCRIPT).exists()


@pytest.mark.parametrize("step", ["begin", "copy", "compare", "told", "entry", "generate", "switch"])
def test_stopped_before_a_step_everything_is_as_it_was(world, tmp_path, step):
    before, cancel = tree(world.found), Cancel()
    plan = install_plan(world, image_of(tmp_path), CHOICES)
    ahead = [s.id for s in plan.steps][[s.id for s in plan.steps].index(step) - 1]
    for event in events_of(world, plan, cancel):
        if isinstance(event, StepStarted) and event.step == ahead:
            cancel.request()
        last = event
    assert isinstance(last, PlanCancelled)
    assert last.exit_code == 3
    assert tree(world.found) == before


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda d: d[:-1000], 2),
        (lambda d: d[:-9] + bytes([d[-9] ^ 1]) + d[-8:], 2),
        (lambda d: d[: len(d) // 2], 2),
        (lambda d: d + bytes(512), 6),
    ],
    ids=["cut", "flipped", "half", "longer"],
)
def test_another_file_than_the_published_one_is_not_installed(world, tmp_path, damage, code):
    before, image = tree(world.found), image_of(tmp_path)
    plan = install_plan(world, image)
    image.path.write_bytes(damage(image.path.read_bytes()))
    last = ran(world, plan)
    assert last.exit_code == code, last
    assert tree(world.found) == before


def test_a_copy_that_reads_back_otherwise_is_never_put_into_the_menu(world, tmp_path):
    before = tree(world.found)
    plan = install_plan(world, image_of(tmp_path))
    archive = world.found.at(f"{HOMES[0]}/{STAMP}/platform/i86pc/amd64/boot_archive")
    for event in events_of(world, plan):
        if isinstance(event, StepStarted) and event.step == "compare":
            with archive.open("r+b") as file:
                file.write(b"\xff\xff")
        last = event
    assert (last.exit_code, last.error.reference) == (8, "copy-differs")
    assert tree(world.found) == before


def test_without_rights_nothing_is_begun(world, tmp_path):
    before, plan = tree(world.found), install_plan(world, image_of(tmp_path), CHOICES)
    world.found.allowed = False
    last = ran(world, plan)
    assert (last.exit_code, last.error.reference) == (9, "needs-root")
    assert not Vault(world.paths).waiting()
    assert tree(world.found) == before


def test_a_second_installation_is_refused_and_harms_nothing(world, tmp_path):
    image = image_of(tmp_path)
    plan = install_plan(world, image)
    assert ran(world, plan).exit_code == 0
    found = tree(world.found)
    with pytest.raises(Refused, match="already"):
        install_plan(world, image)
    last = ran(world, plan)  # a plan that was made before the first one ran
    assert (last.exit_code, last.error.reference) == (4, "already-installed")
    assert tree(world.found) == found


def test_a_menu_changed_by_hand_is_told_and_comes_back_byte_for_byte(world, tmp_path):
    menu = world.found.at(f"/{MENU}")
    menu.write_bytes(menu.read_bytes() + b"# by hand \xff\n")
    before = tree(world.found)
    events = list(events_of(world, install_plan(world, image_of(tmp_path))))
    assert "menu-differs" in {e.reference for e in events if isinstance(e, Noted)}
    assert b"by hand" not in menu.read_bytes()
    assert ran(world, remove_plan(world)).exit_code == 0
    assert tree(world.found) == before


def test_a_menu_that_was_made_anew_since_is_made_anew_without_smartos(world, tmp_path):
    assert ran(world, install_plan(world, image_of(tmp_path))).exit_code == 0
    newer = world.found.at("/etc/grub.d/11_newer")
    newer.write_text("#!/bin/sh\nexec cat << 'E'\nmenuentry 'newer' {\n}\nE\n")
    newer.chmod(0o755)
    world.found.run(["grub-mkconfig", "-o", "/boot/grub/grub.cfg"])
    assert ran(world, remove_plan(world)).exit_code == 0
    menu = world.found.at(f"/{MENU}").read_text()
    assert "newer" in menu
    assert "SmartOS" not in menu
    assert not world.found.at(HOMES[0]).exists()
    assert sorted(p.name for p in world.found.at("/boot/grub").iterdir()) == ["grub.cfg", "i386-pc"]


def test_a_menu_that_lost_the_entry_already_is_left_alone(world, tmp_path):
    assert ran(world, install_plan(world, image_of(tmp_path))).exit_code == 0
    menu = world.found.at(f"/{MENU}")
    menu.write_text("# another hand\n")
    assert ran(world, remove_plan(world)).exit_code == 0
    assert menu.read_text() == "# another hand\n"


def test_files_of_others_in_our_directory_stay_and_are_named(world, tmp_path):
    assert ran(world, install_plan(world, image_of(tmp_path))).exit_code == 0
    notes = world.found.at(f"{HOMES[0]}/notes.txt")
    notes.write_text("mine")
    last = ran(world, remove_plan(world))
    assert (last.exit_code, last.error.reference) == (4, "others-files")
    assert "notes.txt" in last.error.message
    assert notes.read_text() == "mine"
    assert "SmartOS" not in world.found.at(f"/{MENU}").read_text()
    notes.unlink()
    assert ran(world, remove_plan(world)).exit_code == 0
    assert not world.found.at(HOMES[0]).exists()


def test_a_script_of_somebody_else_is_left_alone(world, tmp_path):
    world.found.at(SCRIPT).write_text("#!/bin/sh\necho mine\n")
    with pytest.raises(Refused) as caught:
        remove_plan(world)
    assert caught.value.reference == "not-ours"


@pytest.mark.parametrize(
    "record", ["", "{", "[]", '{"files": ["../../etc/passwd"]}', '{"files": ["/etc/passwd"]}']
)
def test_a_record_that_makes_no_sense_takes_nothing_away(world, tmp_path, record):
    assert ran(world, install_plan(world, image_of(tmp_path))).exit_code == 0
    path = world.found.at(f"{HOMES[0]}/record.json")
    whole = json.loads(path.read_text())
    path.write_text(json.dumps({**whole, **json.loads(record)}) if "files" in record else record)
    found = tree(world.found)
    with pytest.raises(Refused) as caught:
        remove_plan(world)
    assert caught.value.reference == "record-unreadable"
    assert tree(world.found) == found


def test_a_link_in_the_place_of_the_menu_is_not_followed(world, tmp_path):
    menu = world.found.at(f"/{MENU}")
    menu.rename(menu.with_name("real.cfg"))
    menu.symlink_to("real.cfg")
    before = tree(world.found)
    last = ran(world, install_plan(world, image_of(tmp_path)))
    assert (last.exit_code, last.error.reference) == (4, "menu-is-a-link")
    assert tree(world.found) == before


@pytest.mark.parametrize(("number", "moves"), [("0", False), ("1", True), ("5", True), ("saved", False)])
def test_what_starts_by_itself_never_becomes_smartos_by_its_number(world, tmp_path, number, moves):
    """A number that meant nothing so far (GRUB then takes the first entry) would mean SmartOS."""
    world.found.at("/etc/grub.d/00_header").write_text(
        f"#!/bin/sh\nexec cat << 'E'\n   set default=\"{number}\"\nE\n"
    )
    world.found.at("/etc/grub.d/00_header").chmod(0o755)
    before = tree(world.found)
    last = ran(world, install_plan(world, image_of(tmp_path)))
    if moves:
        assert (last.exit_code, last.error.reference) == (4, "default-would-move")
        assert tree(world.found) == before
    else:
        assert last.exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize("what", ["install", "remove"])
def test_killed_before_any_change_of_any_file_removal_leaves_no_trace(what):
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # hundreds of fsyncs
    with tempfile.TemporaryDirectory(dir=memory) as place:
        done = subprocess.run(
            [sys.executable, "-m", "tests.unit.netboot.dualboot_cutting", place, what],
            cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["cuts"] >= (60 if what == "install" else 25)
    assert told["traces"] == []
