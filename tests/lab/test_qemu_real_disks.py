"""Snapshots, re-installing and removing guests in the real QEMU: which bytes stay, and which go; and keys as flat VMDKs."""

from __future__ import annotations

import gzip
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.core.errors import WriteFailed
from smartos_wizard.guests.model import Guest
from smartos_wizard.guests.qemu import snapshots
from smartos_wizard.guests.virtualbox import argv
from smartos_wizard.guests.vmware import vmdk
from tests.lab.rig import fatkey, parts, qemuguests, tinyboot
from tests.lab.rig.qemuguests import Desk
from tests.lab.rig.tinyboot import WORD, Media

pytestmark = pytest.mark.lab
FIRST, SECOND = b"\xa1" * 4096, b"\xb2" * 4096


@pytest.fixture(scope="module")
def media(space: Path) -> Media:
    parts.need_programs([*fatkey.PROGRAMS, "qemu-io"])
    place = space / "media-disks"
    place.mkdir(exist_ok=True)
    return tinyboot.build(place, "disks")


@pytest.fixture
def desk(home: Path, media: Media) -> Iterator[Desk]:
    with qemuguests.desk(home, media) as made:
        yield made


def disk(guest: Guest, number: int) -> Path:
    return guest.disk(guest.spec.disks[number], "qcow2")


def write(path: Path, data: bytes, at: int = 1 << 30) -> None:
    """As a guest would, by qemu-io."""
    done = subprocess.run(
        ["qemu-io", "-f", "qcow2", "-c", f"write -P {data[0]} {at} {len(data)}", str(path)], check=False, capture_output=True, text=True
    )  # fmt: skip
    assert done.returncode == 0 and "wrote" in done.stdout, done.stdout + done.stderr


def holds(path: Path, data: bytes, at: int = 1 << 30) -> bool:
    line = ["qemu-io", "-f", "qcow2", "-c", f"read -P {data[0]} {at} {len(data)}", str(path)]
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    assert done.returncode == 0 or "verification failed" in done.stdout, done.stdout + done.stderr
    return done.returncode == 0


def whole(path: Path) -> bool:
    return subprocess.run(["qemu-img", "check", "-q", str(path)], check=False).returncode == 0


def test_snapshots_are_of_all_disks_and_go_back(desk: Desk) -> None:
    guest = desk.create("lab", "--disk", "2x20GiB", iso=True)
    for number in (0, 1):
        write(disk(guest, number), FIRST)
    desk.run("snapshot", "lab", "take", "clean")
    for number in (0, 1):
        write(disk(guest, number), SECOND)
    assert desk.run("snapshot", "lab", "take", "clean", "--json", code=4).reference == "snapshot-name"
    assert desk.run("snapshot", "lab", "list", "--json").document == ["clean"]
    assert (
        desk.run("snapshot", "lab", "restore", "clean", "--json", code=4).document["reference"]
        == "not-confirmed"
    )
    desk.run("snapshot", "lab", "restore", "clean", "--confirm", "lab")
    assert all(holds(disk(guest, number), FIRST) for number in (0, 1))
    desk.run("start", "lab")
    assert (
        desk.run("snapshot", "lab", "delete", "clean", "--confirm", "lab", "--json", code=4).reference
        == "guest-runs"
    )
    desk.run("stop", "lab", "--force")
    # what an interrupted taking left on one disk is no snapshot, is taken anew, and can be deleted
    subprocess.run(["qemu-img", "snapshot", "-c", "half", str(disk(guest, 0))], check=True)
    assert desk.run("snapshot", "lab", "list", "--json").document == ["clean"]
    desk.run("snapshot", "lab", "take", "half")
    assert desk.run("snapshot", "lab", "list", "--json").document == ["clean", "half"]
    for name in ("half", "clean"):
        desk.run("snapshot", "lab", "delete", name, "--confirm", "lab")
    for number in (0, 1):
        info = json.loads(subprocess.run(["qemu-img", "info", "--output=json", str(disk(guest, number))], check=True, capture_output=True).stdout)  # fmt: skip
        assert "snapshots" not in info
        assert whole(disk(guest, number))


def test_a_snapshot_that_fails_on_one_disk_is_on_none(desk: Desk) -> None:
    guest = desk.create("lab", "--disk", "2x20GiB", iso=True)
    disk(guest, 1).write_bytes(b"no disk any more")
    with pytest.raises(WriteFailed):
        snapshots.act(desk.driver.call, guest, "take", "clean")
    assert snapshots.names_in(desk.driver.call, disk(guest, 0)) == set()


def test_as_new_keeps_what_it_is_and_the_bytes_of_a_kept_disk(desk: Desk) -> None:
    port = "22" + str(int(time.time()) % 900 + 100)
    guest = desk.create("lab", "--disk", "2x20GiB", "--ssh-port", port)
    for number in (0, 1):
        write(disk(guest, number), FIRST)
    kept = disk(guest, 1).read_bytes()
    key = guest.key.read_bytes()
    desk.run("snapshot", "lab", "take", "clean")
    subprocess.run(["qemu-img", "snapshot", "-d", "clean", str(disk(guest, 1))], check=True)
    kept = disk(guest, 1).read_bytes()
    desk.run("start", "lab")
    assert desk.shown()["actual"]["ssh_port"] == int(port)
    dry = desk.run("reinstall", "lab", "--keep", "zones-1", "--dry-run").stdout
    assert str(disk(guest, 0)) in dry and str(disk(guest, 1)) not in dry
    assert "its snapshot clean" in dry
    assert desk.run("reinstall", "lab", "--keep", "zones-1", "--json", code=4).reference == "not-confirmed"
    assert holds_later(desk, guest), "nothing was done without a confirmation"
    desk.run("reinstall", "lab", "--keep", "zones-1", "--confirm", "lab")
    after = desk.store.find("lab")
    assert after.spec == guest.spec, "name, UUID, addresses and port"
    assert not holds(disk(guest, 0), FIRST) and holds(disk(guest, 0), bytes(4096))
    assert disk(guest, 1).read_bytes() == kept
    assert guest.key.read_bytes() == key
    desk.run("start", "lab")
    shown = desk.shown()
    assert (shown["actual"]["ssh_port"], shown["actual"]["state"]) == (int(port), "running")
    assert [nic["mac"] for nic in shown["spec"]["nics"]] == shown["actual"]["macs"]
    desk.run("delete", "lab", "--confirm", "lab")
    assert desk.left() == [], "of a running guest too"


def holds_later(desk: Desk, guest: Guest) -> bool:
    desk.run("stop", "lab", "--force")
    return holds(disk(guest, 0), FIRST)


@pytest.mark.parametrize("product", ["virtualbox", "vmware"])
def test_the_key_starts_from_the_description_that_a_driver_writes(
    home: Path, media: Media, product: str
) -> None:
    """The same bytes as a flat VMDK: nothing is copied, and nothing that is written there reaches the key."""
    home.mkdir(exist_ok=True)
    key = home / "key.img"
    key.write_bytes(gzip.decompress(media.image.read_bytes()))
    before = key.read_bytes()
    description = home / "key.vmdk"
    if product == "virtualbox":
        description.write_text(argv.descriptor(key.stat().st_size))
    else:
        vmdk.write_around(description, key)
    log = home / "serial"
    with subprocess.Popen(
        ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-machine", "q35,accel=tcg", "-m", "64", "-net", "none",
         "-serial", f"file:{log}", "-drive", f"if=ide,format=vmdk,snapshot=on,file={description}"],
        stdin=subprocess.DEVNULL,
    ) as machine:  # fmt: skip
        try:
            qemuguests.until(lambda: log.exists() and WORD in log.read_text())
        finally:
            machine.kill()
    assert key.read_bytes() == before
    info = json.loads(subprocess.run(["qemu-img", "info", "--output=json", str(description)], check=True, capture_output=True).stdout)  # fmt: skip
    assert info["virtual-size"] == len(before)
    assert (
        subprocess.run(["qemu-img", "compare", "-f", "vmdk", "-F", "raw", str(description), str(key)], check=False, capture_output=True).returncode
        == 0
    )  # fmt: skip
