"""Many guests in the real VirtualBox, and everything about one that somebody may change behind our back.

Made by vboxapi, which is several times faster than a process for each command (`test_vboxapi_real.py` shows that both ways
make the same), and looked at by VBoxManage.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.errors import Refused
from smartos_wizard.guests import sandbox
from smartos_wizard.guests.export.planning import plan_export
from smartos_wizard.guests.model import BootKind, Sandbox, State
from smartos_wizard.guests.planning import plan_delete, plan_reinstall, plan_snapshot
from smartos_wizard.guests.virtualbox import info
from smartos_wizard.guests.virtualbox.driver import VirtualBoxDriver
from tests.lab.rig import boxes
from tests.lab.rig.boxes import done, made, manage, spec_of
from tests.unit.guests.parts import GIB, Place, plan_of

pytestmark = pytest.mark.lab


@pytest.fixture
def place(home: Path, space: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with boxes.box(home, space, monkeypatch, api=True) as found:
        yield found


@pytest.fixture
def iso(home: Path) -> Path:
    return boxes.iso_in(home)


SPECS: dict[str, dict[str, Any]] = {
    "plain": {},
    "with  two blanks (and brackets)": {"disks": (20 * GIB,) * 8},
    "O'Brien's": {"console": "ttyc", "cpus": 1, "memory": 2048},
    "d'été": {"sandbox": Sandbox.SEALED, "disks": (20 * GIB, 25 * GIB)},
    "Łódź Çà et là": {"inner": ("a", "b", "c", "d", "e", "f", "g")},
    "0.9-rc_1": {"console": "ttyd", "ssh_port": 22100, "nested": True},
    "x" * 63: {"sandbox": Sandbox.LAN, "bridge": "eth0", "disks": (2048 * GIB,)},
    "Ω is not taken": {},
    "key and 3 disks": {"key": True, "disks": (20 * GIB, 20 * GIB + (1 << 20), 21 * GIB)},
    "key sealed": {"key": True, "sandbox": Sandbox.SEALED, "inner": ("admin",)},
}
_REFUSED = ("Ω is not taken",)


@pytest.mark.parametrize("name", SPECS)
def test_made_exported_emptied_and_gone(place: Place, iso: Path, home: Path, name: str) -> None:
    if name in _REFUSED:
        with pytest.raises(Refused, match="cannot be the name"):
            plan_of(place, spec_of(place, iso, name))
        return
    guest, looking = made(place, iso, name, **SPECS[name]), VirtualBoxDriver(place.paths)
    seen = looking.inspect(guest)
    assert sandbox.drift(guest.spec, seen) == ()
    assert (seen.state, len(seen.disks)) == (State.STOPPED, len(guest.spec.disks))
    assert seen.boot == guest.spec.boot.kind.value
    assert info.machines(manage(place, "list", "vms")) == {guest.spec.uuid: name}
    done(place, plan_snapshot(guest, "take", f"{name} {{1}}"))
    assert looking.snapshot(guest, "list", "") == (f"{name} {{1}}",)
    done(place, plan_snapshot(guest, "delete", f"{name} {{1}}"))
    if guest.spec.boot.kind is BootKind.KEY:
        ova = home / "guest.ova"
        done(place, plan_export(guest, "ova", ova, place))
        assert f'Suggested VM name "{name} 1"' in manage(place, "import", str(ova), "--dry-run")
    disks = [guest.disk(disk, "vdi") for disk in guest.spec.disks]
    old = [disk.read_bytes() for disk in disks]
    done(place, plan_reinstall(guest, place, [guest.spec.disks[-1].name] if len(disks) > 1 else []))
    assert [disk.read_bytes() == was for disk, was in zip(disks, old, strict=True)] == [
        len(disks) > 1 and disk == disks[-1] for disk in disks
    ]
    assert looking.inspect(guest) == seen
    done(place, plan_delete(guest, place))
    assert info.machines(manage(place, "list", "vms")) == {}
    assert info.blocks(manage(place, "list", "hdds")) == []
    assert info.blocks(manage(place, "list", "dvds")) == []
    assert not guest.folder.exists()


CHANGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "memory in MiB": (("--memory", "1536"), ("--memory", "2048")),
    "processors": (("--cpus", "3"), ("--cpus", "2")),
    "shared clipboard": (("--clipboard-mode", "hosttoguest"), ("--clipboard-mode", "disabled")),
    "drag and drop": (("--draganddrop", "bidirectional"), ("--draganddrop", "disabled")),
    "USB pass-through": (("--usbxhci", "on"), ("--usbxhci", "off")),
    "sound": (("--audio-enabled", "on"), ("--audio-enabled", "off")),
    "remote display": (("--vrde", "on"), ("--vrde", "off")),
    "ssh from this machine": (("--natpf1", "other,tcp,,2200,,22"), ("--natpf1", "delete", "other")),
    "this machine's own loopback services": ((), ()),
    "network cards": (("--macaddress1", "080027ABCDEF"), ("--macaddress1", "?")),
    "way out": (("--nic1", "bridged", "--bridgeadapter1", "eth0"), ("--nic1", "nat")),
}


def test_whatever_is_changed_behind_our_back_is_told_and_nothing_else(place: Place, iso: Path) -> None:
    guest = made(place, iso, "lab", memory=2048, cpus=2, disks=(20 * GIB, 20 * GIB))
    ours, theirs, uuid = place.drivers[0], VirtualBoxDriver(place.paths), guest.spec.uuid

    def told() -> dict[str, tuple[str, str]]:
        seen = ours.inspect(guest)
        assert seen == theirs.inspect(guest)
        return {each.what: (each.asked, each.actual) for each in sandbox.drift(guest.spec, seen)}

    mac = guest.spec.nics[0].mac.replace(":", "").upper()
    for what, (there, back) in CHANGES.items():
        if not there:
            continue
        manage(place, "modifyvm", uuid, *there)
        found = told()
        along = (
            {"ssh from this machine", "this machine's own loopback services"} if what == "way out" else set()
        )
        assert what in found, what
        assert set(found) <= {what, *along}, what
        manage(place, "modifyvm", uuid, *(mac if word == "?" else word for word in back))
        assert told() == {}, what
    manage(place, "sharedfolder", "add", uuid, "--name", "all", "--hostpath", "/")
    manage(place, "setextradata", uuid, "VBoxInternal/Devices/VMMDev/0/Config/GetHostTimeDisabled")
    manage(place, "storageattach", uuid, "--storagectl", "SATA", "--port", "2", "--device", "0", "--type", "hdd", "--medium", "none")  # fmt: skip
    assert set(told()) == {"shared folders", "time taken from the host", "data disks"}
    manage(place, "setextradata", uuid, "smartos-wizard/owner", "somebody else")
    assert any("mark" in note for note in ours.inspect(guest).notes)
    with pytest.raises(Refused, match="mark"):
        plan_delete(guest, place)
    manage(place, "setextradata", uuid, "smartos-wizard/owner", uuid)
    done(place, plan_delete(guest, place))


def test_a_disk_of_somebody_else_in_the_place_of_ours_survives(place: Place, iso: Path, home: Path) -> None:
    guest, mine = made(place, iso, "lab"), home / "mine.vdi"
    where = (
        "storageattach",
        guest.spec.uuid,
        "--storagectl",
        "SATA",
        "--port",
        "1",
        "--device",
        "0",
        "--type",
        "hdd",
    )
    manage(place, "createmedium", "disk", "--filename", str(mine), "--size", "64")
    manage(place, *where, "--medium", "none")
    manage(place, *where, "--medium", str(mine))
    kept = mine.read_bytes()
    done(place, plan_reinstall(guest, place))
    assert mine.read_bytes() == kept
    assert place.drivers[0].inspect(guest).disks == (str(guest.disk(guest.spec.disks[0], "vdi")),)
    manage(place, *where, "--medium", "none")
    manage(place, *where, "--medium", str(mine))
    done(place, plan_delete(guest, place))
    assert mine.read_bytes() == kept
