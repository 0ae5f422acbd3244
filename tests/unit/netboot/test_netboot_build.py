"""A tree is built whole or not at all, out of good archives only, and nothing else in its directory is touched."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.boot.profile import Profile, ProfileStore
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import WriteFailed
from smartos_wizard.core.paths import user_paths
from smartos_wizard.netboot import build_steps, tarball, unpacking
from smartos_wizard.practice.image import build_iso
from tests.unit.netboot.netboot_parts import (
    ARCHIVE,
    KERNEL,
    NEW,
    OLD,
    Command,
    command,
    files,
    member,
    sha256,
    snapshot,
)
from tests.unit.netboot.netboot_parts import tarball as make

MAC = "52:54:00:12:34:56"


@pytest.fixture
def netboot(capsys: pytest.CaptureFixture[str]) -> Command:
    return command(capsys)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "tree"


def build(netboot: Command, root: Path, path: Path, *more: str):
    return netboot("build", root, "--tarball", path, "--sha256", sha256(path), "--json", *more)


def test_a_tarball_becomes_a_tree_with_the_paths_smartos_needs_and_no_password(netboot, root, tmp_path):
    done = build(netboot, root, make(tmp_path / "p.tgz"))
    assert done.code == 0, done
    platform = root / "os" / NEW / "platform"
    assert (platform / "i86pc/kernel/amd64/unix").read_bytes() == KERNEL
    assert (platform / "i86pc/amd64/boot_archive").read_bytes() == ARCHIVE
    assert sorted(p.name for p in platform.rglob("*") if p.is_file()) == [
        "boot_archive",
        "boot_archive.hash",
        "platform",
        "unix",
    ]
    assert done.last["result"]["releases"] == [NEW]


def test_an_iso_becomes_the_same_tree(capsys, root, tmp_path):
    iso = build_iso(tmp_path / f"smartos-{NEW}.iso", NEW)
    done = command(capsys, practice=True)("build", root, "--iso", iso, "--sha256", sha256(iso), "--json")
    assert done.code == 0, done
    assert (root / "os" / NEW / "platform/i86pc/amd64/boot_archive.hash").is_file()


def test_the_newest_release_stands_first_whatever_the_order(netboot, root, tmp_path):
    build(netboot, root, make(tmp_path / "n.tgz", NEW))
    assert build(netboot, root, make(tmp_path / "o.tgz", OLD)).code == 0
    for path, words in (("menu.ipxe", f"set chosen {NEW}"), ("pxelinux.cfg/default", f"DEFAULT {NEW}")):
        assert words in (root / path).read_text()
    menu = (root / "menu.ipxe").read_text()
    assert menu.index(f"item {NEW}") < menu.index(f"item {OLD}")


def test_keep_takes_the_oldest_away_once_it_is_confirmed_by_its_name(netboot, root, tmp_path):
    build(netboot, root, make(tmp_path / "o.tgz", OLD))
    path = make(tmp_path / "n.tgz", NEW)
    before = snapshot(root)
    refused = build(netboot, root, path, "--keep", "1")
    assert (refused.code, refused.reference) == (4, "not-confirmed")
    assert snapshot(root) == before
    assert build(netboot, root, path, "--keep", "1", "--confirm", NEW).code == 4
    assert build(netboot, root, path, "--keep", "1", "--confirm", OLD).code == 0
    assert [p.name for p in (root / "os").iterdir()] == [NEW]


def test_nothing_else_in_the_directory_is_touched(netboot, root, tmp_path):
    (root / "os/joyent-mine").mkdir(parents=True)
    (root / "os/joyent-mine/x").write_bytes(b"mine")
    (root / "boot.cfg").write_bytes(b"mine too")
    (root / "link").symlink_to("/etc/hostname")
    before = {
        p: os.lstat(p).st_mtime_ns for p in (root / "os/joyent-mine/x", root / "boot.cfg", root / "link")
    }
    assert build(netboot, root, make(tmp_path / "p.tgz")).code == 0
    assert {p: os.lstat(p).st_mtime_ns for p in before} == before


@pytest.mark.parametrize("theirs", ["menu.ipxe", "grub/grub.cfg", f"os/{NEW}/platform/x"])
def test_a_file_of_somebody_else_is_never_replaced(theirs, netboot, root, tmp_path):
    (root / theirs).parent.mkdir(parents=True)
    (root / theirs).write_text("theirs")
    before = snapshot(root)
    done = build(netboot, root, make(tmp_path / "p.tgz"))
    assert (done.code, done.reference) == (4, "not-ours")
    assert snapshot(root) == before


def test_a_script_that_was_changed_by_hand_is_not_replaced(netboot, root, tmp_path):
    build(netboot, root, make(tmp_path / "o.tgz", OLD))
    (root / "menu.ipxe").write_text("#!ipxe\nmine\n")
    before = snapshot(root)
    done = build(netboot, root, make(tmp_path / "n.tgz", NEW))
    assert (done.code, done.reference) == (4, "changed-by-hand")
    assert snapshot(root) == before


HOSTILE = {
    "absolute": [member("/etc/cron.d/x", b"x")],
    "dots": [member(f"platform-{NEW}/../../x", b"x")],
    "dots at the end": [member(f"platform-{NEW}/i86pc/..", b"x")],
    "symbolic link": [member(f"platform-{NEW}/i86pc/l", type=tarfile.SYMTYPE, linkname="/etc/passwd")],
    "hard link": [member(f"platform-{NEW}/i86pc/l", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
    "device": [member(f"platform-{NEW}/i86pc/sda", type=tarfile.BLKTYPE, devmajor=8)],
    "pipe": [member(f"platform-{NEW}/i86pc/p", type=tarfile.FIFOTYPE)],
    "directory out": [member("../out", type=tarfile.DIRTYPE)],
    "twice": [member(f"platform-{NEW}/i86pc/amd64/boot_archive", b"another")],
    "count": [member(f"platform-{NEW}/n{n}") for n in range(2500)],
    "control": [member(f"platform-{NEW}/a\x1b[2J", b"x")],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(kind, netboot, root, tmp_path):
    done = build(netboot, root, make(tmp_path / "p.tgz", extra=HOSTILE[kind]))
    assert (done.code, done.reference) == (4, "odd-archive"), done
    assert not root.exists()
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "wizard") == ["p.tgz"]


@pytest.mark.parametrize("bomb", ["one file", "many bytes", "headers"])
def test_a_bomb_is_refused_before_it_fills_anything(bomb, netboot, root, tmp_path, monkeypatch):
    path = tmp_path / "p.tgz"
    with gzip.open(path, "wb", compresslevel=1) as plain:
        if bomb == "headers":  # a name that is announced to have a gigabyte
            plain.write(member(f"platform-{NEW}/", type=tarfile.DIRTYPE)[0].tobuf(tarfile.GNU_FORMAT))
            info = tarfile.TarInfo("././@LongLink")
            info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
            plain.write(info.tobuf(tarfile.GNU_FORMAT))
            for _ in range(64):
                plain.write(bytes(1 << 20))
        elif bomb == "one file":
            info = tarfile.TarInfo(f"platform-{NEW}/i86pc/amd64/boot_archive")
            info.size = 5 << 30
            plain.write(info.tobuf(tarfile.GNU_FORMAT))
        else:
            for n in range(3):
                info = tarfile.TarInfo(f"platform-{NEW}/n{n}")
                info.size = 1 << 20
                plain.write(info.tobuf(tarfile.GNU_FORMAT))
                plain.write(bytes(1 << 20))
    monkeypatch.setattr(tarball, "_MOST_BYTES", (2 << 20) if bomb == "many bytes" else 8 << 30)
    done = netboot("build", root, "--tarball", path, "--sha256", sha256(path), "--json")
    assert (done.code, done.reference) == (4, "odd-archive"), done
    assert not root.exists()


BAD = {
    "no platform": ({"readme": b"x"}, 2, "not-a-platform"),
    "no kernel": ({k: v for k, v in files(NEW).items() if "unix" not in k}, 2, "not-a-platform"),
    "wrong stamp inside": ({**files(NEW), "etc/version/platform": f"{OLD}\n".encode()}, 4, "other-platform"),
    "wrong hash": (files(NEW, hash_line="0" * 40), 6, "boot-archive-damaged"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_whole_platform_is_named_and_leaves_nothing(kind, netboot, root, tmp_path):
    content, code, reference = BAD[kind]
    done = build(netboot, root, make(tmp_path / "p.tgz", content=content))
    assert (done.code, done.reference) == (code, reference), done
    assert not root.exists()


def test_a_tarball_that_is_not_the_one_that_was_vouched_for_is_not_kept(netboot, root, tmp_path):
    path = make(tmp_path / "p.tgz")
    done = netboot("build", root, "--tarball", path, "--sha256", "0" * 64, "--json")
    assert (done.code, done.reference) == (6, "image-changed")
    assert not root.exists()
    assert netboot("build", root, "--tarball", path, "--json").code == 6  # nobody vouches for it


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_tarball_that_is_cut_off_leaves_nothing(share, netboot, root, tmp_path):
    path = make(tmp_path / f"platform-{NEW}.tgz")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    done = build(netboot, root, path)
    assert (done.code, done.reference) == (2, "not-a-platform"), done
    assert not root.exists()


def test_a_release_without_a_hash_gets_one(netboot, root, tmp_path):
    content = {k: v for k, v in files(NEW).items() if not k.endswith(".hash")}
    assert build(netboot, root, make(tmp_path / "p.tgz", content=content)).code == 0
    says = (root / "os" / NEW / "platform/i86pc/amd64/boot_archive.hash").read_bytes()
    assert says == files(NEW)["i86pc/amd64/boot_archive.hash"]


def test_too_little_room_is_said_before_anything_is_written(netboot, root, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(build_steps.shutil, "disk_usage", lambda _path: usage._replace(free=1 << 20))
    done = build(netboot, root, make(tmp_path / "p.tgz"))
    assert (done.code, done.reference) == (4, "no-space")
    assert done.last["free"] == 1 << 20
    assert not root.exists()


def test_a_disk_that_fills_up_in_the_middle_leaves_the_old_tree_as_it_was(
    netboot, root, tmp_path, monkeypatch
):
    build(netboot, root, make(tmp_path / "o.tgz", OLD))
    before = snapshot(root)

    def full(*_args: object) -> None:
        raise WriteFailed("cannot-write", "No space left on device.")

    monkeypatch.setattr(unpacking, "_judge", full)
    done = build(netboot, root, make(tmp_path / "n.tgz", NEW))
    assert done.code == 7
    assert snapshot(root) == before


def test_a_proof_that_fails_takes_everything_back(netboot, root, tmp_path, monkeypatch):
    build(netboot, root, make(tmp_path / "o.tgz", OLD))
    before = snapshot(root)
    real = build_steps._scripts

    def spoiled(run, step):
        result = yield from real(run, step)
        (root / "os" / NEW / "platform/i86pc/amd64/boot_archive").write_bytes(b"rot")
        return result

    monkeypatch.setitem(
        build_steps.BUILD_ACTIONS, "netboot-scripts", build_steps.Action(spoiled, build_steps._scripts_back)
    )
    done = build(netboot, root, make(tmp_path / "n.tgz", NEW))
    assert (done.code, done.reference) == (6, "hash-mismatch")
    assert snapshot(root) == before


def test_stopping_in_the_middle_leaves_the_tree_as_it_was(netboot, root, tmp_path, monkeypatch):
    build(netboot, root, make(tmp_path / "o.tgz", OLD))
    before = snapshot(root)
    real = Cancel.check
    asked = []

    def check(self, *state):
        asked.append(1)
        if len(asked) == 8:
            self.request()
        real(self, *state)

    monkeypatch.setattr(Cancel, "check", check)
    done = build(netboot, root, make(tmp_path / "n.tgz", NEW))
    assert done.code == 3
    assert snapshot(root) == before


def test_a_release_that_rotted_is_unpacked_anew_and_takes_the_old_ones_place(netboot, root, tmp_path):
    path = make(tmp_path / "p.tgz")
    build(netboot, root, path)
    archive = root / "os" / NEW / "platform/i86pc/amd64/boot_archive"
    archive.write_bytes(b"x" + ARCHIVE[1:])
    assert build(netboot, root, path).reference == "hash-mismatch"
    assert build(netboot, root, path, "--again").code == 0
    assert archive.read_bytes() == ARCHIVE
    assert [p.name for p in (root / "os").iterdir()] == [NEW]


def test_what_a_killed_build_left_is_taken_away_by_the_next(netboot, root, tmp_path):
    build(netboot, root, make(tmp_path / "o.tgz", OLD))
    # killed between two renames, where the file system exchanges no names
    (root / "os" / OLD).rename(root / "os" / f".{OLD}.old")
    (root / "os" / f".{NEW}.new/platform").mkdir(parents=True)
    (root / "os/.hidden.mine").mkdir()
    assert build(netboot, root, make(tmp_path / "n.tgz", NEW)).code == 0
    assert sorted(p.name for p in (root / "os").iterdir()) == [".hidden.mine", OLD, NEW]


def test_two_directories_change_names_at_once(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    build_steps.exchange(tmp_path / "one", tmp_path / "other")
    assert (tmp_path / "one/other").exists() and (tmp_path / "other/one").exists()


def test_two_builds_of_one_tree_keep_apart(netboot, root, tmp_path):
    build(netboot, root, make(tmp_path / "o.tgz", OLD))
    from smartos_wizard.netboot.tree import read_tree

    with read_tree(root).held():
        done = build(netboot, root, make(tmp_path / "n.tgz", NEW))
    assert (done.code, done.reference) == (4, "tree-busy")


def test_machines_are_told_their_own_until_they_are_forgotten(netboot, root, tmp_path):
    ProfileStore(user_paths()).save(
        Profile("rack", BootChoices(console="ttyb", pools=("tank",), files={"local/x": b"x"}))
    )
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"hostname": "kestrel", "root_password": "tr0ub4dor&3"}))
    done = build(
        netboot,
        root,
        make(tmp_path / "p.tgz"),
        "--mac",
        f"{MAC}=rack",
        "--mac",
        f"{MAC}={answers}",
        "--profile",
        "rack",
    )
    assert done.code == 0
    assert "whoever reaches the server can read it" in done.err and "local/x" in done.err
    own = root / "machines/52-54-00-12-34-56"
    assert "set console ttyb" in (own / "boot.ipxe").read_text()
    assert json.loads((own / "answers.json").read_text())["hostname"] == "kestrel"
    assert "52-54-00-12-34-56" in (root / "boot.ipxe").read_text()
    assert (root / "pxelinux.cfg/01-52-54-00-12-34-56").is_file()
    build(netboot, root, make(tmp_path / "o.tgz", OLD))  # says nothing of machines: they stay
    assert f"item {OLD}" in (own / "boot.ipxe").read_text()
    assert netboot("build", root, "--forget", MAC, "--profile", "none", "--json").code == 0
    assert not own.exists() and not (root / "pxelinux.cfg/01-52-54-00-12-34-56").exists()
    assert "set console text" in (root / "menu.ipxe").read_text()
    assert "zpools" not in (root / "menu.ipxe").read_text()


def test_no_secret_is_in_the_plan_the_journal_or_left_over(netboot, root, tmp_path):
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"hostname": "kestrel", "root_password": "tr0ub4dor&3"}))
    path = make(tmp_path / "p.tgz")
    dry = build(netboot, root, path, "--mac", f"{MAC}={answers}", "--dry-run")
    done = build(netboot, root, path, "--mac", f"{MAC}={answers}")
    assert done.code == 0
    assert "tr0ub4dor" not in dry.out + done.out
    state = user_paths().state
    assert not any(b"tr0ub4dor" in p.read_bytes() for p in state.rglob("*") if p.is_file())
    assert not list((state / "vault").iterdir())


@pytest.mark.parametrize(
    ("words", "reference"),
    [
        (["--mac", "52:54:00=rack"], "bad-mac"),
        (["--mac", "53:54:00:12:34:56=rack"], "bad-mac"),
        (["--mac", MAC], "no-pair"),
        (["--mac", f"{MAC}=nobody"], "no-such-profile"),
        (["--mac", f"{MAC}=./none.json"], "no-such-file"),
        (["--forget", MAC], "no-such-machine"),
        (["--sha256", "0" * 64], "release-has-digest"),
        ([], "no-release"),
        (["--tarball", "/nowhere.tgz", "--sha256", "0" * 64], "no-such-file"),
    ],
)  # fmt: skip
def test_nonsense_is_named_and_nothing_is_made(words, reference, netboot, root):
    done = netboot("build", root, *words, "--json")
    assert done.code in (2, 4)
    assert done.reference == reference, done
    assert not root.exists()


def test_dry_run_shows_every_step_and_does_nothing(netboot, root, tmp_path):
    done = build(netboot, root, make(tmp_path / "p.tgz"), "--dry-run")
    plan = json.loads(done.out)
    assert [s["effect"] for s in plan["steps"]] == ["reads", "creates", "creates", "reads"]
    assert not root.exists()


def test_the_release_comes_from_the_mirror_in_the_same_plan(capsys, root):
    netboot = command(capsys, practice=True)
    dry = json.loads(netboot("build", root, "--release", "latest", "--dry-run", "--json").out)
    assert [s["action"] for s in dry["steps"]][:3] == ["release-fetch", "release-keep", "netboot-room"]
    done = netboot("build", root, "--release", "latest", "--json")
    assert done.code == 0
    again = json.loads(netboot("build", root, "--release", "latest", "--dry-run", "--json").out)
    assert [s["action"] for s in again["steps"]] == ["netboot-scripts", "netboot-prove"]


def iso_with(path: Path, links: dict[str, str], content: dict[str, bytes]) -> Path:
    """A small ISO with Rock Ridge names, as mkisofs makes it."""
    import pycdlib

    disc = pycdlib.PyCdlib()
    disc.new(interchange_level=3, rock_ridge="1.09")
    made: dict[str, str] = {"": ""}
    for number, name in enumerate([*content, *links]):
        *parents, leaf = name.split("/")
        above = ""
        for part in parents:
            here = f"{above}/{part}".lstrip("/")
            if here not in made:
                made[here] = f"{made[above]}/D{len(made):05}"
                disc.add_directory(made[here], rr_name=part)
            above = here
        if name in content:
            disc.add_fp(
                io.BytesIO(content[name]), len(content[name]), f"{made[above]}/F{number:05}.;1", rr_name=leaf
            )
        else:
            disc.add_symlink(f"{made[above]}/F{number:05}.;1", leaf, links[name])
    disc.write(str(path))
    disc.close()
    return path


PLATFORM = {f"platform/{path}": data for path, data in files(NEW).items()}
ARCHIVE_AT = "platform/i86pc/amd64/boot_archive"
ISOS = {
    "good": ({}, PLATFORM, 0, ""),
    "link": ({ARCHIVE_AT: "/etc/passwd"}, {k: v for k, v in PLATFORM.items() if k != ARCHIVE_AT}, 4, "odd-archive"),
    "directory": ({}, {k.replace("boot_archive", "boot_archive/x") if k == ARCHIVE_AT else k: v for k, v in PLATFORM.items()}, 4,
                  "odd-archive"),
    "no platform": ({}, {"readme": b"x"}, 2, "no-stamp"),
    "no kernel": ({}, {k: v for k, v in PLATFORM.items() if "unix" not in k}, 2, "not-a-platform"),
    "wrong hash": ({}, {**PLATFORM, f"{ARCHIVE_AT}.hash": b"0" * 40}, 6, "boot-archive-damaged"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ISOS)
def test_an_iso_is_judged_like_a_tarball(kind, netboot, root, tmp_path):
    links, content, code, reference = ISOS[kind]
    path = iso_with(tmp_path / f"smartos-{NEW}.iso", links, content)
    done = netboot("build", root, "--iso", path, "--sha256", sha256(path), "--json")
    assert (done.code, done.reference) == (code, reference), done
    assert root.exists() == (code == 0)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_an_iso_that_is_cut_off_leaves_nothing(share, netboot, root, tmp_path):
    path = iso_with(tmp_path / f"smartos-{NEW}.iso", {}, PLATFORM)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    done = netboot("build", root, "--iso", path, "--sha256", sha256(path), "--json")
    assert (done.code, done.reference) == (2, "not-a-platform"), done
    assert not root.exists()
