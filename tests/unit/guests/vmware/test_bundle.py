"""SmartOS's own bundle: its key and its machine become the guest's, and what it lacks is put right."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import random
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.errors import ChecksumFailed, Refused, WizardError
from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.paths import below
from smartos_wizard.guests import sandbox
from smartos_wizard.guests.model import BootKind, BootMedium
from smartos_wizard.guests.planning import plan_create
from smartos_wizard.guests.vmware import bundle, words
from smartos_wizard.guests.vmware.driver import VmwareDriver
from smartos_wizard.guests.vmware.vmx import Vmx
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.media.verified import expected_image
from tests.unit.guests.parts import Place
from tests.unit.guests.vmware.parts import GIB, Host, guest, workstation

KEY = bytes(1 << 20) + random.Random(7).randbytes(1 << 20) + bytes(512)
THEIRS = """#!/usr/bin/vmware
.encoding = "windows-1252"
config.version = "8"
virtualHW.version = "7"
guestOS = "other-64"
memsize = "1024"
displayName = "SmartOS"
scsi0.present = "TRUE"
scsi0.virtualDev = "lsilogic"
scsi0:0.present = "TRUE"
scsi0:0.fileName = "SmartOS.vmdk"
scsi0:1.present = "TRUE"
scsi0:1.fileName = "Virtual Disk.vmdk"
ide1:0.present = "TRUE"
ide1:0.autodetect = "TRUE"
ide1:0.deviceType = "cdrom-raw"
ethernet0.present = "TRUE"
ethernet0.connectionType = "nat"
ethernet0.virtualDev = "e1000"
ethernet0.addressType = "generated"
ethernet0.generatedAddress = "00:0c:29:aa:bb:cc"
serial0.present = "TRUE"
serial0.fileType = "pipe"
serial0.fileName = "socket.serial0"
sound.present = "TRUE"
sound.virtualDev = "hdaudio"
usb.present = "TRUE"
tools.syncTime = "TRUE"
nvram = "SmartOS.nvram"
powerType.powerOff = "soft"
cleanShutdown = "TRUE"
"""


@pytest.fixture
def host() -> Iterator[Host]:
    with tempfile.TemporaryDirectory(prefix="vmw") as name:
        yield workstation(Path(name) / "root")


def packed(path: Path, members: dict[str, bytes], links: dict[str, str] | None = None) -> VerifiedImage:
    """A bundle of these files, with its digest."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    squeeze: Any = {".gz": gzip.compress, ".bz2": bz2.compress}.get(path.suffix, bytes)
    path.write_bytes(squeeze(out.getvalue()))
    return VerifiedImage(
        path, ImageKind.VMWARE, "sha256", hashlib.sha256(path.read_bytes()).hexdigest(), "the test"
    )


def whole() -> dict[str, bytes]:
    top = "SmartOS.vmwarevm"
    return {
        f"{top}/SmartOS.vmx": THEIRS.encode(), f"{top}/SmartOS.vmdk": b'RW 3906250 FLAT "smartos.img" 0\n',
        f"{top}/smartos.img": KEY, f"{top}/Virtual Disk.vmdk": b"KDMV" + bytes(70000), f"{top}/SmartOS.nvram": b"x",
    }  # fmt: skip


@pytest.mark.parametrize("ending", ["tar.gz", "tar.bz2", "tar"])
def test_a_guest_made_of_the_bundle(host: Host, ending: str) -> None:
    path = host.root / f"smartos-20260903T001557Z.vmwarevm.{ending}"
    image = packed(path, whole())
    place = Place(below(host.root / "home"), drivers=(VmwareDriver(host.machine),))
    medium = BootMedium(BootKind.KEY, str(path), "20260903T001557Z", "sha256", image.digest)
    spec = replace(place.spec(disks=(20 * GIB,)), boot=medium)
    last = place.run(plan_create(spec, image, None, place))[-1]
    assert isinstance(last, PlanFinished) and last.exit_code == 0 and last.result["drift"] == [], last
    found = place.guests.find("lab")
    assert found.key.read_bytes() == KEY
    assert found.key.stat().st_blocks * 512 < len(KEY), "holes stay holes"
    assert f'RW {len(KEY) // 512} FLAT "key.img" 0' in (found.folder / "key.vmdk").read_text()
    assert {each.name for each in found.folder.iterdir()} == {
        "guest.toml", "smartos-wizard.json", "key.img", "key.vmdk", "smartos.vmx", "zones-0.vmdk",
    }  # fmt: skip
    vmx = Vmx((found.folder / "smartos.vmx").read_text())
    assert sandbox.drift(spec, place.drivers[0].inspect(found)) == ()
    assert vmx.get("virtualHW.version") == "19" and vmx.get("powerType.powerOff") == "soft"
    assert vmx.text.startswith('#!/usr/bin/vmware\n.encoding = "UTF-8"\n')


def test_everything_of_ours_and_nothing_of_their_devices(host: Host) -> None:
    found = guest(host.root, kind=BootKind.KEY, disks=1)
    vmx = Vmx(words.corrected(THEIRS, found))
    wanted = words.values_of(found)
    assert {key: vmx.get(key) for key in wanted} == wanted
    kept = set(vmx.names()) - set(wanted)
    assert kept == {"powerType.powerOff", "cleanShutdown"}
    assert len({name.lower() for name in vmx.names()}) == len(vmx.names())
    assert (
        words.corrected(vmx.text, found) != ""
        and Vmx(words.corrected(vmx.text, found)).get("memsize") == "4096"
    )


def without(name: str) -> dict[str, bytes]:
    return {key: data for key, data in whole().items() if not key.endswith(name)}


@pytest.mark.parametrize(
    ("members", "words_"),
    [
        (without(".img"), "no image"),
        (without(".vmx"), "no .vmx"),
        ({**whole(), "SmartOS.vmwarevm/second.img": KEY}, "two images"),
        ({**whole(), "SmartOS.vmwarevm/smartos.img": KEY + b"x"}, "whole sectors"),
        ({**whole(), "SmartOS.vmwarevm/SmartOS.vmx": bytes(300 << 10)}, "too large"),
        (
            {"SmartOS.vmwarevm/deep/smartos.img": KEY, "../smartos.img": KEY, "/etc/SmartOS.vmx": b"x"},
            "no image",
        ),
        ({}, "no image"),
    ],
)
def test_bundles_that_are_none(tmp_path: Path, members: dict[str, bytes], words_: str) -> None:
    image = packed(tmp_path / "x.vmwarevm.tar.gz", members)
    with pytest.raises(Refused, match=words_) as caught:
        bundle.unpack(image, tmp_path / "key.img")
    assert caught.value.reference == "bundle-damaged"
    assert [each.name for each in tmp_path.iterdir()] == ["x.vmwarevm.tar.gz"], "nothing is left"


def test_links_lead_nowhere(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(KEY)
    image = packed(
        tmp_path / "x.vmwarevm.tar", without(".img"), {"SmartOS.vmwarevm/smartos.img": str(secret)}
    )
    with pytest.raises(Refused, match="no image"):
        bundle.unpack(image, tmp_path / "key.img")


@pytest.mark.parametrize("ending", ["tar.gz", "tar.bz2", "tar"])
def test_cut_off_and_changed(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"x.vmwarevm.{ending}"
    image = packed(path, whole())
    data = path.read_bytes()
    for harm in (data[: len(data) // 2], data[:-700], data[:2000] + bytes([data[2000] ^ 1]) + data[2001:]):
        path.write_bytes(harm)
        with pytest.raises(WizardError):
            bundle.unpack(image, tmp_path / "key.img")
        assert not (tmp_path / "key.img").exists()
    path.write_bytes(data)
    with pytest.raises(ChecksumFailed):
        bundle.unpack(replace(image, digest="0" * 64), tmp_path / "key.img")
    assert bundle.unpack(replace(image, algorithm="none", digest=""), tmp_path / "key.img").size == len(KEY)


def test_a_bundle_is_vouched_for_like_an_image_but_is_none_for_a_key(tmp_path: Path) -> None:
    image = packed(tmp_path / "smartos-20260903T001557Z.vmwarevm.tar.gz", whole())
    with pytest.raises(Refused) as caught:
        expected_image(image.path, sha256=image.digest)
    assert caught.value.reference == "bundle-is-no-key"
    found = expected_image(image.path, sha256=image.digest, bundle=True)
    assert (found.kind, found.digest) == (ImageKind.VMWARE, image.digest)
    assert expected_image(image.path, unverified=True, bundle=True).algorithm == "none"
    with pytest.raises(ChecksumFailed):
        expected_image(image.path, bundle=True)


def test_other_hypervisors_are_shown_the_usb_image(host: Host) -> None:
    path = host.root / "smartos-20260903T001557Z.vmwarevm.tar.gz"
    image = packed(path, whole())
    place = Place(below(host.root / "home"))
    spec = replace(place.spec(), boot=BootMedium(BootKind.KEY, str(path)))
    with pytest.raises(Refused) as caught:
        plan_create(spec, image, None, place)
    assert caught.value.reference == "bundle-needs-vmware" and "USB image" in caught.value.hint
