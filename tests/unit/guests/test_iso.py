"""Guests that start from the ISO: what the file must be, what cannot be asked of it, and that it stays as it is."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pycdlib
import pytest

from smartos_wizard.boot.model import BootChoices, Kmdb, Module
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.paths import Paths
from smartos_wizard.guests import spec_toml
from smartos_wizard.guests.export.planning import plan_export
from smartos_wizard.guests.iso import medium_of, refuse_choices, require_iso, require_there, told
from smartos_wizard.guests.model import Finding, Guest
from smartos_wizard.guests.planning import judge, plan_create, plan_delete
from smartos_wizard.guests.qemu import words
from smartos_wizard.guests.qemu.probe import Engine
from smartos_wizard.guests.script import script_of
from smartos_wizard.guests.virtualbox import argv
from smartos_wizard.guests.vmware import words as vmware
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.practice.image import build_iso, build_usb_image
from tests.unit.guests.parts import Place

STAMP = "20260903T001557Z"


@pytest.fixture(scope="module")
def iso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_iso(tmp_path_factory.mktemp("iso") / "smart os, 1.iso", STAMP, boot_archive_size=64 << 10)


@pytest.fixture
def place(paths: Paths) -> Place:
    return Place(paths)


def image_of(path: Path, digest: str = "") -> VerifiedImage:
    digest = digest or hashlib.sha256(path.read_bytes()).hexdigest()
    return VerifiedImage(path, ImageKind.ISO, "sha256", digest, "the test", STAMP)


def refused(path: Path) -> str:
    with pytest.raises(Refused) as caught:
        require_iso(path)
    assert path.name in caught.value.message
    assert caught.value.hint
    return caught.value.reference


def test_an_iso_of_smartos_is_known_with_its_release_and_its_console(iso: Path) -> None:
    found = require_iso(iso)
    assert (found.stamp, found.console) == (STAMP, "text")


def test_everything_else_is_refused_by_name(iso: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed.iso"
    packed.write_bytes(gzip.compress(iso.read_bytes(), 1))
    assert refused(packed) == "iso-compressed"
    cut = tmp_path / "cut.iso"
    cut.write_bytes(iso.read_bytes()[:-4096])
    assert refused(cut) == "iso-cut-off"
    text = tmp_path / "notes.iso"
    text.write_text("not an ISO\n")
    assert refused(text) == "not-an-iso"
    key = build_usb_image(tmp_path / "key.iso", STAMP, boot_archive_size=64 << 10)
    with pytest.raises(Refused, match="USB image") as caught:
        require_iso(key)
    assert "--image" in caught.value.hint
    hollow = tmp_path / "hollow.iso"
    hollow.write_bytes((bytes(32 << 10) + b"\1CD001\1").ljust(128 << 10, b"\0"))
    assert refused(hollow) == "iso-damaged"


@pytest.mark.parametrize(
    ("drop", "reference"), [("platform", "iso-not-smartos"), ("boot", "iso-does-not-boot")]
)
def test_an_iso_of_others_and_one_that_no_bios_starts(
    iso: Path, tmp_path: Path, drop: str, reference: str
) -> None:
    disc = pycdlib.PyCdlib()
    disc.open(str(iso))
    if drop == "boot":
        disc.rm_eltorito()
    else:
        record = disc.get_record(rr_path="/platform/i86pc/amd64/boot_archive")
        disc.rm_file(disc.full_path_from_dirrecord(record))
    other = tmp_path / "other.iso"
    disc.write(str(other))
    disc.close()
    assert refused(other) == reference


@pytest.mark.parametrize(
    ("choices", "word"),
    [
        (BootChoices(answers={"hostname": "x"}), "answers"),
        (BootChoices(root_shadow="$5$x$y"), "root's password"),
        (BootChoices(modules=(Module("etc/system", "boot/bootfs/etc/system"),)), "boot modules"),
        (BootChoices(files={"local/x": b""}), "files"),
        (BootChoices(kmdb=Kmdb.BOOT), "settings of the loader"),
        (BootChoices(hostname="x", console="text"), "settings of the loader"),
    ],
)
def test_what_an_iso_cannot_be_told_is_refused_with_the_way_out(choices: BootChoices, word: str) -> None:
    with pytest.raises(Refused, match=word) as caught:
        refuse_choices(choices)
    assert caught.value.reference == "iso-takes-no-choices"
    assert "--boot key" in caught.value.hint


def test_the_console_is_the_one_the_iso_has() -> None:
    refuse_choices(None)
    refuse_choices(BootChoices())
    refuse_choices(BootChoices(console="text"))
    refuse_choices(BootChoices(console="ttya"), "ttya")
    for choices in (BootChoices(console="ttyb"), BootChoices(console="ttya", speed=9600)):
        with pytest.raises(Refused) as caught:
            refuse_choices(choices)
        assert caught.value.reference == "iso-console-fixed"
        assert f"says {choices.console}" in caught.value.hint
    assert "ttya" in told("text")
    assert told("ttyb") == "SmartOS on the ISO talks on the serial port ttyb."


def test_it_is_compared_first_and_stays_when_the_guest_goes(place: Place, iso: Path) -> None:
    before = iso.stat()
    image = image_of(iso)
    spec = replace(place.spec(), boot=medium_of(image), console="text")
    assert spec_toml.load(spec_toml.dump(spec)) == spec
    plan = plan_create(spec, image, BootChoices(), place)
    assert plan.steps[0].id == "iso"
    assert "not removed with the guest" in " ".join(plan.steps[0].details)
    assert f"the ISO {iso}" in plan.untouched
    assert not any(step.action in ("key", "configure") for step in plan.steps)
    end = place.run(plan)[-1]
    assert isinstance(end, PlanFinished)
    assert end.exit_code == 0, end
    guest = place.guests.find("lab")
    assert not guest.key.exists()
    removal = plan_delete(guest, place)
    assert f"the ISO {iso}" in removal.untouched
    assert str(iso) not in " ".join(removal.steps[-1].details)
    place.run(removal)
    after = iso.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (
        before.st_size,
        before.st_mtime_ns,
        before.st_ino,
    )


def test_one_that_is_not_what_was_published_makes_nothing(place: Place, iso: Path) -> None:
    image = image_of(iso, "0" * 64)
    plan = plan_create(replace(place.spec(), boot=medium_of(image)), image, None, place)
    end = place.run(plan)[-1]
    assert isinstance(end, PlanFinished)
    assert end.exit_code == 6
    assert end.error is not None
    assert end.error.reference == "checksum-mismatch"
    assert place.guests.list() == ()
    assert not list(place.guests.root.glob("*"))


def test_choices_are_refused_where_the_plan_is_made_too(place: Place, iso: Path) -> None:
    image = image_of(iso)
    with pytest.raises(Refused, match="answers"):
        plan_create(
            replace(place.spec(), boot=medium_of(image)), image, BootChoices(answers={"hostname": "x"}), place
        )


def test_one_that_will_be_downloaded_is_not_missed(place: Place) -> None:
    class Strict(type(place.drivers[0])):  # type: ignore[misc]
        def validate(self, spec, detection):  # type: ignore[no-untyped-def]
            del spec, detection
            return (Finding("image-missing", "There is no file."),)

    place.drivers = (Strict(),)
    spec = place.spec()
    assert [found.reference for found in judge(spec, place)] == ["image-missing"]
    later = replace(spec, boot=replace(spec.boot, source=str(place.paths.store / STAMP / "smartos.iso")))
    assert judge(later, place) == ()


def made(place: Place, iso: Path, hypervisor: str, console: str = "text") -> Guest:
    spec = replace(place.spec(), boot=medium_of(image_of(iso)), hypervisor=hypervisor, console=console)
    return Guest(spec, place.guests.root / "lab", place.guests.sockets_of(spec.uuid))


def test_every_hypervisor_has_it_read_only_in_the_cd_drive_and_starts_from_it_first(
    place: Place, iso: Path
) -> None:
    line = words.words_of(made(place, iso, "qemu"), "qemu-system-x86_64", Engine("tcg", "qemu64"))
    drive = next(word for word in line if word.startswith("if=none,id=cd"))
    assert drive == f"if=none,id=cd,media=cdrom,readonly=on,file={str(iso).replace(',', ',,')}"
    assert "ide-cd,bus=ide.0,drive=cd,bootindex=0" in line
    assert words.boot_of(line) == "iso"
    assert not any("key.img" in word for word in line)
    vbox = argv.Manage("VBoxManage", (7, 2))
    guest = made(place, iso, "virtualbox")
    hardware = [word for command in argv.hardware(vbox, guest) for word in command]
    assert hardware[hardware.index("--boot1") + 1] == "dvd"
    assert any(command[-3:] == ["dvddrive", "--medium", str(iso)] for command in argv.storage(vbox, guest))
    assert not any("key.vmdk" in word for command in argv.forget(vbox, guest) for word in command)
    values = vmware.values_of(made(place, iso, "vmware"))
    assert values["bios.bootOrder"] == "cdrom,hdd"
    assert (values["ide1:0.deviceType"], values["ide1:0.fileName"]) == ("cdrom-image", str(iso))


@pytest.mark.parametrize(("console", "port"), [("text", 0), ("ttya", 0), ("ttyb", 1), ("ttyd", 3)])
def test_the_console_is_at_the_port_it_is_called_by(place: Place, iso: Path, console: str, port: int) -> None:
    line = words.words_of(made(place, iso, "qemu", console), "qemu-system-x86_64", Engine("tcg", "qemu64"))
    assert ("-serial" in line) == (port == 0)
    assert (f"isa-serial,index={port},chardev=com1" in line) == (port > 0)


def test_start_says_that_it_is_gone(place: Place, iso: Path) -> None:
    guest = made(place, iso, "qemu")
    require_there(guest)
    gone = replace(guest, spec=replace(guest.spec, boot=replace(guest.spec.boot, source="/nowhere/x.iso")))
    with pytest.raises(Refused) as caught:
        require_there(gone)
    assert caught.value.reference == "iso-gone"


def test_the_script_compares_it_as_well(place: Place, iso: Path) -> None:
    image = image_of(iso)
    text = script_of(plan_create(replace(place.spec(), boot=medium_of(image)), image, None, place), "sh")
    line = next(line for line in text.splitlines() if "sha256sum" in line)
    assert subprocess.run(["sh", "-c", line], check=False, capture_output=True).returncode == 0
    assert (
        subprocess.run(["sh", "-c", line.replace(image.digest[:6], "000000")], check=False, capture_output=True).returncode
    )  # fmt: skip


def test_exports_leave_it_where_it_is_and_say_so(place: Place, iso: Path, tmp_path: Path) -> None:
    image = image_of(iso)
    place.run(plan_create(replace(place.spec(), boot=medium_of(image)), image, None, place))
    guest = place.guests.find("lab")
    for form, name in (("ova", "x.ova"), ("libvirt", "x.xml"), ("utm", "x.utm")):
        plan = plan_export(guest, form, tmp_path / name, place)
        end = place.run(plan)[-1]
        assert isinstance(end, PlanFinished)
        assert end.exit_code == 0, end
    assert str(iso) in (tmp_path / "x.xml").read_text()


# ---------------------------------------------------------------------- the command


def command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {"SMARTOS_WIZARD_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "smartos_wizard", "--practice", "guest", *words],
        check=False, capture_output=True, text=True, env=env,
    )  # fmt: skip


def test_by_command(iso: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256(iso.read_bytes()).hexdigest()
    done = command(tmp_path, "create", "lab", "--iso", str(iso), "--sha256", digest)
    assert done.returncode == 0, done.stderr
    assert "The loader's menu" in done.stderr
    assert "(iso), console text" in command(tmp_path, "show", "lab").stdout
    for words_, code, reference in (
        (("--iso", str(iso)), 6, "no-digest"),
        (("--iso", str(iso), "--sha256", "0" * 64), 6, "checksum-mismatch"),
        (("--image", str(iso), "--sha256", digest), 4, "iso-is-no-key"),
        (("--boot", "key", "--iso", str(iso)), 2, "iso-is-no-key"),
        (("--boot", "iso", "--image", str(iso)), 2, "image-is-no-iso"),
        (("--iso", str(iso), "--image", str(iso)), 2, "which-image"),
        (("--iso", str(iso), "--sha256", digest, "--console", "ttya"), 4, "iso-console-fixed"),
        (("--iso", str(iso), "--sha256", digest, "--hostname", "x"), 4, "iso-takes-no-choices"),
    ):
        done = command(tmp_path, "create", "other", *words_)
        assert (done.returncode, reference in done.stderr) == (code, True), done.stderr
    assert "other" not in command(tmp_path, "list").stdout
