"""The real VirtualBox imports what is exported here, and what it made itself is exported."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.paths import below
from smartos_wizard.guests.export.planning import plan_export
from smartos_wizard.guests.model import Guest, Sandbox
from smartos_wizard.guests.planning import plan_snapshot
from smartos_wizard.guests.virtualbox.driver import VirtualBoxDriver
from tests.lab.rig import parts, virtualbox
from tests.unit.guests.parts import GIB, Place, plan_of

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def programs(space: Path) -> Path:
    return virtualbox.install(space / "virtualbox-exports")


@pytest.fixture
def place(home: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    for name, value in virtualbox.environment(home / "vbox").items():
        monkeypatch.setenv(name, value)
    paths = below(home)
    return Place(paths, drivers=(VirtualBoxDriver(paths),))


def manage(place: Place, *words: object) -> str:
    """VBoxManage as a person would call it."""
    return str(place.drivers[0].call((place.drivers[0].detect().path, "-q", *map(str, words))))


def made(place: Place, name: str, **wish: Any) -> Guest:
    end = place.run(plan_of(place, place.spec(name, key=True, **wish)))[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is None, end.error
    return place.guests.find(name)


def export(place: Place, guest: Guest, form: str, target: Path, manifest: str = "sha256") -> Path:
    end = place.run(plan_export(guest, form, target, place, manifest))[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is None, end.error
    return target


def same(one: Path, other: Path) -> bool:
    """Whether two disks hold the same; VMDKs made here end with the last grain, so the larger may end in zeros."""
    parts.need_programs(["qemu-img"])
    done = subprocess.run(
        ["qemu-img", "compare", str(one), str(other)], capture_output=True, text=True, check=False
    )
    return done.returncode == 0


def told(place: Place, name: str) -> dict[str, str]:
    lines = manage(place, "showvminfo", name, "--machinereadable").splitlines()
    return {key.strip('"'): value.strip('"') for key, _, value in (line.partition("=") for line in lines)}


@pytest.mark.parametrize("manifest", ["sha256", "sha1"])
@pytest.mark.parametrize(
    ("name", "sandbox", "nic"), [("lab one", "lab", "nat"), ("Zoë's", "sealed", "hostonly")]
)
def test_virtualbox_imports_an_ova(
    name: str, sandbox: str, nic: str, manifest: str, place: Place, home: Path
) -> None:
    guest = made(place, name, memory=1024, disks=(20 * GIB, 2048 * GIB), sandbox=Sandbox(sandbox))
    ova = export(place, guest, "ova", home / "guest.ova", manifest)
    said = manage(place, "import", ova, "--dry-run")
    assert f'Suggested VM name "{name} 1"' in said  # there is one of that name: the guest itself
    assert 'Suggested OS type: "Solaris11_64"' in said
    words = re.search(r"`VBoxManage modifyvm NAME (--macaddress1 [^`]*)`", said)
    assert words is not None  # our words, where VirtualBox shows the description
    new = home / "imported"
    manage(place, "import", ova, "--vsys", "0", "--vmname", "imported", "--basefolder", new)
    manage(place, "modifyvm", "imported", *words[1].split())
    found = told(place, "imported")
    assert (found["memory"], found["cpus"], found["ostype"]) == (
        "1024",
        str(guest.spec.cpus),
        "Oracle Solaris 11 (64-bit)",
    )
    assert found["macaddress1"] == guest.spec.nics[0].mac.replace(":", "").upper()
    assert found["nic1"] == nic
    assert found["nictype1"] == "82540EM"
    disks = [
        Path(value)
        for key, value in sorted(found.items())
        if re.match(r"[^-]*SATA[^-]*-\d+-0$", key) and value != "none"
    ]
    assert len(disks) == 3
    for copy, original in zip(
        disks, (guest.key, *(guest.disk(d, "vdi") for d in guest.spec.disks)), strict=True
    ):
        assert same(copy, original), copy


def test_virtualbox_notices_a_changed_byte(place: Place, home: Path) -> None:
    ova = export(place, made(place, "lab", memory=1024, disks=(20 * GIB,)), "ova", home / "guest.ova")
    with ova.open("r+b") as file:
        file.seek(-5000, os.SEEK_END)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(WizardError):
        manage(place, "import", ova, "--vsys", "0", "--basefolder", home / "imported")


def test_a_guest_behind_a_snapshot_is_not_exported_as_it_was_before_it(place: Place, home: Path) -> None:
    guest = made(place, "lab", memory=1024, disks=(20 * GIB,))
    end = place.run(plan_snapshot(guest, "take", "before"))[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is None, end.error
    with pytest.raises(Refused) as caught:
        plan_export(guest, "ova", home / "guest.ova", place)
    assert caught.value.reference == "disk-elsewhere"


def test_data_on_a_disk_of_virtualbox_arrives_everywhere(place: Place, home: Path) -> None:
    """VBoxManage makes a VDI of a file with data, which takes the place of the guest's own; it is smaller, for speed."""
    guest = made(place, "lab", memory=1024, disks=(20 * GIB,))
    disk, raw = guest.disk(guest.spec.disks[0], "vdi"), home / "data.img"
    with raw.open("wb") as file:
        for offset in (0, 1 << 30, (2 << 30) - 71_680):
            file.seek(offset)
            file.write(os.urandom(71_680))
    disk.rename(home / "empty.vdi")
    manage(place, "convertfromraw", raw, disk, "--format", "VDI")
    bundle = export(place, guest, "utm", home / "guest.utm")
    assert same(bundle / "Data" / "zones-0-1.qcow2", raw)
    ova = export(place, guest, "ova", home / "guest.ova")
    subprocess.run(["tar", "-xf", str(ova), "-C", str(home)], check=True)
    assert same(home / "lab-zones-0-1.vmdk", raw)
