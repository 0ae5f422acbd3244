"""Media on which no file can be changed: each is refused by name, and stays as it is, bit by bit."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from smartos_wizard.practice.image import build_iso
from tests.lab.rig import command, disks, fatkey, keychange
from tests.lab.rig.command import Outcome, Running
from tests.lab.rig.fatkey import MIB, SmallKey
from tests.lab.rig.keychange import Job

pytestmark = pytest.mark.lab

ARCHIVE = "platform/i86pc/amd64/boot_archive"
COMMANDS = ("configure", "upgrade", "rollback")
Make = Callable[[Path, SmallKey], object]


def poked(path: Path, key: SmallKey, offset: int, data: bytes) -> None:
    """The key with other bytes at one place."""
    keychange.copied(key, path)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def without(path: Path, key: SmallKey, name: str) -> None:
    """The key without one of its files."""
    keychange.copied(key, path)
    fatkey.run("mdel", "-i", f"{path}@@{key.first}", f"::/{name}")


def cut_off(path: Path, key: SmallKey) -> None:
    """Half of the key's volume."""
    keychange.copied(key, path)
    os.truncate(path, key.first + fatkey.VOLUME // 2)


# What each medium is, how it is made, and by which name it is refused.
MEDIA: dict[str, tuple[Make, str]] = {
    "ISO": (lambda path, _key: build_iso(path, fatkey.STAMP), "iso-not-a-key"),
    "img.gz": (lambda path, key: path.write_bytes(gzip.compress(key.path.read_bytes(), 1)), "compressed-image"),
    "half-written key": (lambda path, key: poked(path, key, 0, bytes(MIB)), "no-smartos"),
    "half-written image": (cut_off, "not-fat32"),
    "text file": (lambda path, _key: path.write_text("Dear diary,\n"), "no-smartos"),
    "long text file": (lambda path, _key: path.write_text("Dear diary,\n" * 99_999), "no-smartos"),
    "empty file": (lambda path, _key: path.touch(), "no-smartos"),
    "directory": (lambda path, _key: path.mkdir(), "not-a-file"),
    "missing": (lambda _path, _key: None, "no-such-file"),
    "stick with plain FAT": (lambda path, _key: fatkey.plain_stick(path, {"photo.jpg": b"x" * 999}), "no-smartos"),
    "FAT without a table": (lambda path, _key: fatkey.volume(path, {"photo.jpg": b"x" * 999}), "no-smartos"),
    "boot sector overwritten": (lambda path, key: poked(path, key, key.first, bytes(512)), "not-fat32"),
    "table overwritten": (
        lambda path, key: poked(path, key, key.first + 32 * 512 + 400, b"\1\0\0\0"), "file-system-damaged",
    ),
    "no boot archive": (lambda path, key: without(path, key, ARCHIVE), "not-whole"),
}  # fmt: skip


def refused(outcome: Outcome, reference: str) -> None:
    """Fail unless the command says no by this name, and kindly."""
    assert outcome.code == 4, outcome.told()
    assert (outcome.reference, outcome.last["exit_code"]) == (reference, 4), outcome.told()
    assert outcome.last["message"].endswith("."), outcome.told()
    assert outcome.last["hint"], outcome.told()
    assert "Traceback" not in outcome.stderr, outcome.told()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else str(path.exists())


@pytest.mark.parametrize("medium", MEDIA)
def test_an_unsuitable_medium_is_refused_by_name_and_stays_as_it_is(
    jobs: dict[str, Job], space: Path, home: Path, medium: str
) -> None:
    make, reference = MEDIA[medium]
    path = space / f"{medium.replace(' ', '-')}.medium"
    make(path, jobs["rollback"].before)
    before = digest(path)
    for name in COMMANDS:
        refused(command.run(home, *words(jobs[name], str(path))), reference)
        assert digest(path) == before


def words(job: Job, place: str, *, as_file: bool = True) -> list[str]:
    """The words of the command, for `command.run`."""
    return job.line(place, as_file=as_file)[3:]


@pytest.mark.parametrize("name", ["configure", "upgrade"])
def test_a_full_key_is_refused_before_anything_changes(
    jobs: dict[str, Job], space: Path, home: Path, name: str
) -> None:
    key = keychange.copied(jobs[name].before, space / f"full-{name}.img")
    told = fatkey.run("mdir", "-i", f"{key.path}@@{key.first}", "::/").decode().strip().splitlines()[-1]
    fatkey.put(key.path, {"fill": b"f" * int("".join(c for c in told if c.isdigit()))}, key.first)
    before = digest(key.path)
    refused(command.run(home, *words(jobs[name], str(key.path))), "no-space")
    assert digest(key.path) == before


@pytest.fixture(params=["chmod", "read-only mount", "read-only loop device"])
def protected(
    request: pytest.FixtureRequest, jobs: dict[str, Job], space: Path
) -> Iterator[tuple[Path, str]]:
    """A good key that may not be written: its file, and what the command is given."""
    place = space / str(request.param).replace(" ", "-")
    place.mkdir(exist_ok=True)
    key = keychange.copied(jobs["rollback"].before, place / "key.img")
    with ExitStack() as stack:
        if request.param == "chmod":
            key.path.chmod(0o444)
        elif request.param == "read-only mount":
            subprocess.run(["mount", "--bind", place, place], check=True)
            stack.callback(subprocess.run, ["umount", place], check=True)
            subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        else:
            disk = stack.enter_context(disks.loop(key.path, read_only=True))
            yield key.path, disk.path
            return
        yield key.path, str(key.path)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_key_that_may_not_be_written_is_refused(
    jobs: dict[str, Job], protected: tuple[Path, str], home: Path, name: str
) -> None:
    path, place = protected
    before = digest(path)
    # root may write to any file, so here it is root without that right
    drop = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"]
    line = command.argv(*words(jobs[name], place, as_file=place == str(path)))
    outcome = Running([*drop, *line] if not place.startswith("/dev/") else line, home).end()
    refused(outcome, "withheld")
    assert [reason["reference"] for reason in outcome.last["reasons"]] == ["read-only"], outcome.told()
    assert digest(path) == before


def test_what_a_grub_key_cannot_do_is_refused_by_name(jobs: dict[str, Job], space: Path, home: Path) -> None:
    key = fatkey.small_key(space / "grub.img", legacy=True)
    before = digest(key.path)
    for name in ("upgrade", "rollback"):
        refused(command.run(home, *words(jobs[name], str(key.path))), "legacy-key")
    module = command.run(home, *words(jobs["configure"], str(key.path)))
    assert (module.code, module.reference) == (2, "no-modules-on-legacy-keys"), module.told()
    assert digest(key.path) == before


def test_a_key_never_upgraded_has_nothing_to_go_back_to(
    jobs: dict[str, Job], space: Path, home: Path
) -> None:
    key = keychange.copied(jobs["configure"].before, space / "never.img")
    before = digest(key.path)
    refused(
        command.run(home, "key", "rollback", key.path, "--file", "--confirm", key.path, "--json"),
        "nothing-kept",
    )
    refused(command.run(home, *words(jobs["configure"], str(key.path))[:-3], "--json"), "not-confirmed")
    assert digest(key.path) == before
