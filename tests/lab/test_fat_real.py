"""A configured key as other systems see it: Linux's own vfat and mtools, and the program on what those wrote."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from smartos_wizard.practice import gpt
from smartos_wizard.practice.image import build_usb_image
from tests.lab.rig import command, fatkey, fatreaders, parts
from tests.lab.rig.command import Outcome
from tests.lab.rig.fatkey import SmallKey
from tests.lab.rig.fatreaders import Tree
from tests.lab.rig.guest import Guest, Key

pytestmark = pytest.mark.lab

WRITER = Path(__file__).with_name("rig") / "written_by_linux.py"
NAMES = (
    "local/notes.txt", "local/NOTES2.TXT", "local/a long name, with spaces & signs (1).json", "local/Größe ✓ 猫.md",
    "local/no-dot", "local/.hidden", "local/many.dots.in.it", f"local/{'x' * 240}.txt", "deep/er/and/deep er/x.y",
)  # fmt: skip
BY_LINUX = {
    "lower.txt": "all lower case\n", "UPPER.TXT": "ALL UPPER CASE\n", "Mixed.Txt": "both\n", "empty": "",
    "mine/Größe ✓ 猫.md": "of the owner\n" * 4000, "local/theirs, in our directory.txt": "t" * 777,
}  # fmt: skip


@pytest.fixture(autouse=True)
def needed() -> None:
    parts.need_programs(fatkey.PROGRAMS)


def small(path: Path, *, legacy: bool) -> tuple[SmallKey, int]:
    """A key by mkfs.fat, and the size of its volume."""
    return fatkey.small_key(path, legacy=legacy), fatkey.VOLUME


def large(path: Path, *, legacy: bool) -> tuple[SmallKey, int]:
    """A key of the size and layout that releases have, and the size of its volume."""
    stamp = fatkey.LEGACY_STAMP if legacy else fatkey.STAMP
    build_usb_image(path, stamp, boot_archive_size=1 << 20, legacy=legacy)
    first, sectors = (gpt.LEGACY_START, gpt.LEGACY_SECTORS) if legacy else (gpt.ROOT.first, gpt.ROOT.sectors)
    return SmallKey(path, first * 512, legacy), sectors * 512


def options(space: Path, *, legacy: bool) -> tuple[list[str], dict[str, bytes]]:
    """Words that put files on a key, and these files."""
    files = {name: name.encode() * (n * n * 40 + 1) for n, name in enumerate(NAMES)}
    found = ["--console", "ttyb", "--hostname", "fred"]
    for number, (name, content) in enumerate(files.items()):
        (space / f"own{number}").write_bytes(content)
        found += ["--add-file", f"{name}={space / f'own{number}'}"]
    if not legacy:
        (space / "system").write_bytes(b"set x=1\n")
        found += ["--etc-system", str(space / "system")]
        files["boot/bootfs/etc/system"] = b"set x=1\n"
    return found, files


def configured(home: Path, path: Path, *words: str) -> Outcome:
    outcome = command.run(home, "key", "configure", path, "--file", *words, "--confirm", path, "--json")
    assert outcome.code == 0, outcome.told()
    assert [key["state"] for key in outcome.keys] == ["configured"], outcome.told()
    return outcome


def by_all(guest: Guest, key: SmallKey, size: int) -> Tree:
    """What mtools, Linux and the program read, which is the same, down to names and directories."""
    stick = guest.plug(key.path, "LABFAT")
    (linux,) = fatreaders.by_linux(guest, stick.device, [key.first], size)
    stick.unplug()
    assert fatreaders.by_mtools(key.path, key.first) == linux
    assert fatreaders.by_the_program(key.path, key.first, size) == linux
    fatreaders.fsck_at(key.path, key.first, size)
    return linux


def expected(before: Tree, files: dict[str, bytes], after: Tree, settings: str) -> None:
    """Fail unless `after` is `before` with these files, their directories, and other settings."""
    wanted = before | {path: fatreaders.entry(data) for path, data in files.items()}
    for path in files:
        above = path.split("/")[:-1]
        wanted |= {"/".join(above[: n + 1]): None for n in range(len(above))}
    assert after.keys() - {settings} == wanted.keys() - {settings}
    assert [path for path in after if after[path] != wanted.get(path)] == [settings]


@pytest.mark.parametrize("legacy", [False, True], ids=["loader key", "GRUB key"])
def test_a_configured_key_is_the_same_to_linux_mtools_and_the_program(
    guest: Guest, space: Path, home: Path, legacy: bool
) -> None:
    key, size = large(space / f"large{legacy}.img", legacy=legacy)
    before = fatreaders.by_mtools(key.path, key.first)
    words, files = options(space, legacy=legacy)
    configured(home, key.path, *words)
    after = by_all(guest, key, size)
    expected(before, files, after, "boot/grub/menu.lst" if legacy else "boot/loader.conf.local")
    configured(home, key.path, "--reset")
    assert fatreaders.by_mtools(key.path, key.first) == before
    fatreaders.fsck_at(key.path, key.first, size)
    key.path.unlink()


def test_a_key_written_with_options_is_the_same_to_all_three(guest: Guest, space: Path, home: Path) -> None:
    released, size = small(space / f"smartos-{fatkey.STAMP}-USB.img", legacy=False)
    packed = released.path.with_suffix(".img.gz")
    packed.write_bytes(gzip.compress(released.path.read_bytes(), 1))
    words, files = options(space, legacy=False)
    path = space / "written.img"
    outcome = command.run(
        home, "key", "write", path, "--file", "--image", packed, "--sha256",
        hashlib.sha256(packed.read_bytes()).hexdigest(), *words, "--confirm", path, "--json",
    )  # fmt: skip
    assert outcome.code == 0, outcome.told()
    key = SmallKey(path, released.first)
    before = fatreaders.by_mtools(released.path, released.first)
    expected(before, files, by_all(guest, key, size), "boot/loader.conf.local")
    assert key.bytes_around() == released.bytes_around()


def linux_writes(guest: Guest, stick: Key, end: str, legacy: bool = False, **more: object) -> None:
    """Linux writes `BY_LINUX` to the SmartOS partition of a stick."""
    asked = {"device": f"{stick.device}{1 if legacy else 3}", "files": BY_LINUX, "end": end, **more}
    done = guest.run("/usr/bin/python3", "-I", str(WRITER), json.dumps(asked))
    assert done.code == 0, done.told()


def theirs(before: Tree) -> Tree:
    """The tree with what Linux wrote."""
    found = before | {path: fatreaders.entry(text.encode()) for path, text in BY_LINUX.items()}
    return found | {"mine": None, "local": None}


@pytest.mark.parametrize(
    ("end", "legacy"),
    [("unmount", False), ("sync", False), ("sync", True)],
    ids=["unmounted", "pulled", "GRUB key"],
)
def test_what_linux_wrote_is_kept_also_when_the_key_was_pulled_without_unmounting(
    guest: Guest, space: Path, home: Path, end: str, legacy: bool
) -> None:
    key, size = small(space / f"linux-{end}{legacy}.img", legacy=legacy)
    before = fatreaders.by_mtools(key.path, key.first)
    stick = guest.plug(key.path, "LABOWN")
    linux_writes(guest, stick, end, legacy)
    stick.unplug()
    guest.run("umount", "-l", "/run/lab-written")
    with key.path.open("rb") as file:
        file.seek(key.first + 0x41)
        assert file.read(1)[0] & 1 == (end == "sync"), "Linux marks what it did not unmount"
    assert fatreaders.by_the_program(key.path, key.first) == theirs(before)
    words, files = options(space, legacy=legacy)
    configured(home, key.path, *words)
    after = by_all(guest, key, size)
    expected(theirs(before), files, after, "boot/grub/menu.lst" if legacy else "boot/loader.conf.local")


def test_pulled_while_linux_had_not_written_everything_it_is_mended_or_refused_unchanged(
    guest: Guest, space: Path, home: Path
) -> None:
    key, size = small(space / "linux-nothing.img", legacy=False)
    before = fatreaders.by_mtools(key.path, key.first)
    stick = guest.plug(key.path, "LABPULL")
    linux_writes(guest, stick, "sync")
    linux_writes_more = {f"more/{n}.txt": f"{n}" * 9000 for n in range(60)}
    asked = {
        "device": f"{stick.device}3",
        "files": linux_writes_more,
        "gone": ["UPPER.TXT"],
        "end": "nothing",
    }
    guest.run("/usr/bin/python3", "-I", str(WRITER), json.dumps(asked))
    stick.unplug()
    for _ in range(2):
        guest.run("umount", "-l", "/run/lab-written")
    digest = hashlib.sha256(key.path.read_bytes()).hexdigest()
    outcome = command.run(home, "key", "configure", key.path, "--file", "--console", "ttyb",
                          "--confirm", key.path, "--json")  # fmt: skip
    if outcome.code == 0:
        after = by_all(guest, key, size)
        assert [path for path in before if after.get(path) != before[path]] == []
    else:
        assert (outcome.code, outcome.reference) == (4, "file-system-damaged"), outcome.told()
        assert hashlib.sha256(key.path.read_bytes()).hexdigest() == digest


def test_a_mounted_key_is_unmounted_configured_and_shows_it_when_mounted_again(
    guest: Guest, space: Path
) -> None:
    key, _size = small(space / "mounted.img", legacy=False)
    before = fatreaders.by_mtools(key.path, key.first)
    stick = guest.plug(key.path, "LABMOUNT")
    point = "/mnt/key"
    mounted = guest.run(
        "sh",
        "-c",
        f"mkdir -p {point} && mount -o utf8=1 {stick.device}3 {point} && echo mine >{point}/mine.txt",
    )
    assert mounted.code == 0, mounted.told()
    outcome = guest.wizard(
        "key", "configure", stick.device, "--console", "ttyb", "--confirm", stick.serial, "--json"
    )
    assert outcome.code == 0, outcome.told()
    assert guest.run("grep", point, "/proc/mounts").code == 1
    (linux,) = fatreaders.by_linux(guest, stick.device, [key.first])
    expected(before, {"mine.txt": b"mine\n"}, linux, "boot/loader.conf.local")
    stick.unplug()
    assert fatreaders.by_mtools(key.path, key.first) == linux
    fatreaders.fsck_at(key.path, key.first)
