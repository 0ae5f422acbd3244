"""kill -9, Ctrl-C and a full disk at every moment of making, re-installing and removing guests in the real QEMU.

Whatever is cut wherever: it is seen as what it is, the same command or `guest delete` brings it to an end, and then
no process, folder, socket or secret is left.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.core.paths import below
from smartos_wizard.guests.store import MARK
from tests.lab.rig import fatkey, parts, qemuguests, tinyboot
from tests.lab.rig.command import Outcome
from tests.lab.rig.qemuguests import Desk
from tests.lab.rig.tinyboot import Media

pytestmark = pytest.mark.lab
SECRET = ("--root-shadow", "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA")
CREATE = ("folder", "key", "configure", "disk-zones-0", "command", "check")
KILLED = -9


@pytest.fixture(scope="module")
def media(space: Path) -> Media:
    parts.need_programs(fatkey.PROGRAMS)
    place = space / "media-kill"
    place.mkdir(exist_ok=True)
    return tinyboot.build(place, "kill")


@pytest.fixture
def desk(home: Path, media: Media) -> Iterator[Desk]:
    with qemuguests.desk(home, media) as made:
        yield made


def moments(*steps: str) -> list[str]:
    return [f"{kind}:{step}" for step in steps for kind in ("started", "finished")]


def killed(done: Outcome) -> None:
    assert done.code == KILLED, done.told()


def test_the_steps_that_are_cut_are_all_there_are(desk: Desk) -> None:
    plan = desk.run(*desk.create_words("lab", *SECRET), "--dry-run", "--json").document
    assert tuple(step["id"] for step in plan["steps"]) == CREATE
    assert desk.left() == [], "a plan that is only shown leaves nothing"


@pytest.mark.parametrize("step", CREATE)
def test_killed_at_any_step_of_making_it_is_made_anew_or_removed(desk: Desk, step: str) -> None:
    words = desk.create_words("lab", *SECRET)
    for moment in moments(step):
        killed(desk.trapped(moment, "kill", *words))
        listed = desk.listed()
        if moment == "started:folder":
            assert listed == {}
            assert [Path(each).parent.name for each in desk.left()] == ["vault"], "for the job that broke off"
            desk.dismiss()
            assert desk.left() == []
        else:
            assert listed["lab"]["made"] == (moment == "finished:check"), moment
        if moment == "finished:check":
            assert desk.run(*words, "--json", code=4).reference == "name-taken"
        elif moment.startswith("started"):
            if listed:
                assert desk.run("start", "lab", "--json", code=4).reference == "half-made"
            desk.run(*words)
            assert [guest.made for guest in desk.store.list()] == [True]
            assert len(list(desk.store.root.iterdir())) == 1
        desk.run("delete", "lab", "--confirm", "lab")
        assert desk.left() == [], moment


def test_killed_at_any_change_of_names_there_is_never_a_folder_that_nobody_owns(desk: Desk) -> None:
    words = desk.create_words(iso=True)
    for number in range(1, 30):
        done = desk.trapped(f"change:{number}", "kill", *words)
        if done.code == 0:
            break
        killed(done)
        for folder in desk.store.root.iterdir():
            assert folder.name.startswith(".") or (folder / MARK).is_file(), number
        assert [guest.name for guest in desk.store.list()] in ([], ["lab"])
        if number % 2:  # half of them are removed, the others made anew by the next round
            for guest in desk.store.list():
                desk.run("delete", guest.name, "--confirm", guest.name)
                assert desk.left() == [], number
        elif [guest.made for guest in desk.store.list()] == [True]:
            desk.run("delete", "lab", "--confirm", "lab")
    else:
        raise AssertionError("it never came to its end")
    assert number > 5
    assert [guest.made for guest in desk.store.list()] == [True]
    assert [path.name for path in desk.store.root.iterdir()] == ["lab"], (
        "nothing that was begun lies beside it"
    )


def test_killed_again_and_again_while_it_is_removed_it_is_gone_in_the_end(desk: Desk) -> None:
    guest = desk.create("lab", *SECRET)
    desk.run("start", "lab")
    words = ("delete", "lab", "--confirm", "lab")
    for moment in [*moments("stop", "unmake"), "started:remove"]:
        killed(desk.trapped(moment, "kill", *words))
        assert desk.listed()["lab"]["made"] == (moment in (*moments("stop"), "started:unmake")), moment
        assert (guest.folder / "zones-0.qcow2").exists()
    rounds = 0
    while desk.store.list():
        done = desk.trapped(f"change:{rounds + 2}", "kill", *words)
        assert done.code in (0, KILLED), done.told()
        assert all(not each.made and each.folder == guest.folder for each in desk.store.list())
        rounds += 1
        assert rounds < 30
    assert rounds > 3
    desk.create("other", iso=True)
    desk.run("delete", "other", "--confirm", "other")
    assert desk.left() == []


def test_killed_while_its_disks_are_emptied_the_same_command_ends_it(desk: Desk) -> None:
    guest = desk.create("lab", "--disk", "2x20GiB", iso=True)
    desk.run("start", "lab")
    words = ("reinstall", "lab", "--keep", "zones-1", "--confirm", "lab")
    kept = (guest.folder / "zones-1.qcow2").read_bytes()
    for moment in moments("stop", "wipe-zones-0", "disk-zones-0"):
        killed(desk.trapped(moment, "kill", *words))
        assert desk.store.find("lab").spec == guest.spec
        if moment in ("finished:wipe-zones-0", "started:disk-zones-0"):
            assert desk.run("start", "lab", "--json", code=4).reference == "disk-gone"
    desk.run(*words)
    assert (guest.folder / "zones-1.qcow2").read_bytes() == kept
    desk.run("start", "lab")
    desk.run("delete", "lab", "--confirm", "lab")
    assert desk.left() == []


def test_killed_while_it_starts_there_is_one_machine_at_most(desk: Desk) -> None:
    guest = desk.create(iso=True)
    killed(desk.trapped("started:start", "kill", "start", "lab"))
    assert desk.processes() == []
    killed(desk.trapped("finished:start", "kill", "start", "lab"))
    first = desk.process(guest).pid
    assert "runs already" in desk.run("start", "lab").stderr
    assert [each.pid for each in desk.processes()] == [first]
    desk.run("delete", "lab", "--confirm", "lab")
    assert desk.left() == []


@pytest.mark.parametrize("moment", [*moments(*CREATE[:-1])[1::2], "started:key"])
def test_ctrl_c_takes_back_what_was_done_newest_first(desk: Desk, moment: str, tmp_path: Path) -> None:
    changes = tmp_path / "changes"
    done = desk.trapped(moment, "int", *desk.create_words("lab", *SECRET), WIZARD_LAB_CHANGES=str(changes))
    assert done.code == 3, done.told()
    assert "taken away again" in done.stderr
    if desk.left():
        assert [Path(each).parent.name for each in desk.left()] == ["vault"], "for taking it up again"
        desk.dismiss()
    assert desk.left() == []
    if moment == "finished:command":
        names = changes.read_text().splitlines()
        assert names.index("os.remove start.sh") < names.index("os.remove zones-0.qcow2")
        assert names.index("os.remove zones-0.qcow2") < names.index("os.rename lab")


# ---------------------------------------------------------------------- no room


@pytest.fixture
def room(desk: Desk) -> Iterator[Path]:
    """A file system of its own for the guests, as large as is needed and no larger when it is told so."""
    parts.need_root()
    place = below(desk.home).state / "guests"
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8g,mode=700", "guests", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def full(place: Path) -> str:
    """The command that leaves no room at all."""
    used = f"$(df --output=used -B1 '{place}' | tail -1)"
    return f"mount -o remount,size=$(({used} > 4096 ? {used} : 4096)) '{place}'"


@pytest.mark.parametrize("step", CREATE[:-1])
def test_a_disk_that_is_full_is_named_and_nothing_is_left(desk: Desk, room: Path, step: str) -> None:
    done = desk.trapped(f"finished:{step}", full(room), *desk.create_words("lab", *SECRET), "--json")
    assert done.code == 7, done.told()
    assert done.reference == "guest-disk-full", done.told()
    assert "No space left" in done.last["error"]["message"]
    desk.dismiss()
    assert desk.left() == []


def test_too_little_room_is_named_before_anything_is_made(desk: Desk, room: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=100m", str(room)], check=True)
    done = desk.run(*desk.create_words(), "--json", code=4)
    assert done.reference == "disk-full"
    assert desk.left() == []
