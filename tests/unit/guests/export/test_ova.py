"""The archive and its description: order, digests, what stands in it, and what damage is noticed."""

from __future__ import annotations

import hashlib
import tarfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from smartos_wizard.core.errors import ProofFailed
from smartos_wizard.guests.export.ova import OvaWriter, _head, check_ova
from smartos_wizard.guests.export.ovf import OvfDisk, ovf_of
from smartos_wizard.guests.export.words import file_stem
from smartos_wizard.guests.model import GuestSpec, NicSpec, Sandbox
from tests.unit.guests.export.parts import GIB, NAMES, read_vmdk, spec_of

OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"
RASD = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}"
VMDKS = ("lab-key.vmdk", "lab-zones-0-1.vmdk", "lab-zones-1-2.vmdk")


def written(path: Path, spec: GuestSpec | None = None, digest: str = "sha256") -> Path:
    with path.open("w+b") as file:
        writer = OvaWriter(file, "lab", spec or spec_of(), VMDKS, ["What “to” know: ä"], digest)
        writer.disk(3_789_063 * 512, [(0, b"boot" * 50_000), (1 << 30, b"x")])
        writer.disk(40 * GIB, [])
        writer.disk(2 << 40, [])
        writer.close()
    return path


def items(spec: GuestSpec) -> list[dict[str, str]]:
    root = ET.fromstring(ovf_of(spec, [OvfDisk("a.vmdk", 1 << 30, 9)]))
    return [
        {part.tag.removeprefix(RASD): part.text or "" for part in item} for item in root.iter(f"{OVF}Item")
    ]


def test_description_manifest_disks_in_this_order(tmp_path: Path) -> None:
    path = written(tmp_path / "lab.ova")
    with tarfile.open(path, "r:") as archive:
        assert archive.getnames() == ["lab.ovf", "lab.mf", *VMDKS]
        assert all(member.isreg() and member.mode == 0o644 for member in archive.getmembers())
    assert path.read_bytes()[257:265] == b"ustar\x0000"
    assert path.stat().st_size % 512 == 0


@pytest.mark.parametrize("digest", ["sha256", "sha1"])
def test_the_manifest_has_every_digest(digest: str, tmp_path: Path) -> None:
    with tarfile.open(written(tmp_path / "lab.ova", digest=digest)) as archive:
        contents = {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]
    lines = contents.pop("lab.mf").decode().splitlines()
    assert lines == [
        f"{digest.upper()}({name})= {hashlib.new(digest, data).hexdigest()}"
        for name, data in contents.items()
    ]
    assert set(check_ova(tmp_path / "lab.ova")) == set(contents)


def test_sizes_in_the_description_are_those_of_the_files(tmp_path: Path) -> None:
    with tarfile.open(written(tmp_path / "lab.ova")) as archive:
        root = ET.fromstring(archive.extractfile("lab.ovf").read())  # type: ignore[union-attr]
        sizes = {file.get(f"{OVF}href"): int(file.get(f"{OVF}size", "0")) for file in root.iter(f"{OVF}File")}
        assert sizes == {name: archive.getmember(name).size for name in VMDKS}
        for disk, name in zip(root.iter(f"{OVF}Disk"), VMDKS, strict=True):
            assert int(disk.get(f"{OVF}capacity", "0")) == read_vmdk(archive.extractfile(name).read())[0]  # type: ignore[union-attr]


@pytest.mark.parametrize("where", ["lab.ovf", "lab.mf", *VMDKS])
def test_one_changed_byte_is_noticed(where: str, tmp_path: Path) -> None:
    path = written(tmp_path / "lab.ova")
    with tarfile.open(path) as archive:
        member = archive.getmember(where)
    with path.open("r+b") as file:
        file.seek(member.offset_data + member.size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(ProofFailed, match="damaged"):
        check_ova(path)


def test_a_cut_off_archive_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "lab.ova")
    for size in (path.stat().st_size // 2, 1000, 0):
        with path.open("r+b") as file:
            file.truncate(size)
        with pytest.raises(ProofFailed, match="damaged"):
            check_ova(path)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_survives(name: str) -> None:
    root = ET.fromstring(ovf_of(spec_of(name), []))
    system = root.find(f"{OVF}VirtualSystem")
    assert system is not None
    assert system.get(f"{OVF}id") == system.findtext(f"{OVF}Name") == name
    assert file_stem(name).isascii()
    assert len(file_stem(name)) <= 40


def test_characters_xml_cannot_hold_are_left_out() -> None:
    assert "ab" in ovf_of(spec_of("a\x00\x1bb\ufffe"), []).decode()


def test_it_is_ovf_1_with_what_both_readers_know() -> None:
    spec = spec_of(nics=(NicSpec("52:54:00:aa:bb:cc"), NicSpec("52:54:00:aa:bb:cd", "inner")))
    found = items(spec)
    assert ET.fromstring(ovf_of(spec, [])).get(f"{OVF}version") == "1.0"
    assert {item["ResourceType"] for item in found} == {"3", "4", "10", "17", "20"}
    assert [item["VirtualQuantity"] for item in found if "VirtualQuantity" in item] == ["2", "4096"]
    assert [(item["Address"], item["Connection"]) for item in found if item["ResourceType"] == "10"] == [
        ("52:54:00:AA:BB:CC", "NAT"), ("52:54:00:AA:BB:CD", "Internal"),
    ]  # fmt: skip
    assert len({item["InstanceID"] for item in found}) == len(found)
    for item in found:
        assert list(item) == sorted(item)  # as the schema orders them


@pytest.mark.parametrize(("sandbox", "name"), [("sealed", "HostOnly"), ("lab", "NAT"), ("lan", "Bridged")])
def test_no_sandbox_becomes_a_bridge_unasked(sandbox: str, name: str) -> None:
    found = items(replace(spec_of(), sandbox=Sandbox(sandbox)))
    assert [item["Connection"] for item in found if "Connection" in item] == [name]


def test_a_guest_with_an_iso_gets_an_empty_cd_drive() -> None:
    drives = [item for item in items(spec_of(iso=True)) if item["ResourceType"] == "15"]
    assert len(drives) == 1
    assert "HostResource" not in drives[0]


def test_sizes_beyond_ustar_are_written_as_everybody_does(tmp_path: Path) -> None:
    size = 9 << 30
    path = tmp_path / "large.tar"
    with path.open("wb") as file:
        file.write(_head("large.vmdk", size))
        file.truncate(512 + size + 1024)
    with tarfile.open(path, "r:") as archive:
        assert archive.getmember("large.vmdk").size == size
