"""The description in an OVA, judged by a grammar of the format, and read by a tool that is not ours."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from itertools import product
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.paths import below
from smartos_wizard.guests.export.ovf import OvfDisk, ovf_of
from smartos_wizard.guests.export.planning import plan_export
from smartos_wizard.guests.model import BootKind, Guest, NicSpec, Sandbox
from tests.lab.rig import ovfreaders, parts
from tests.unit.guests.export.parts import NAMES, guest_of, spec_of
from tests.unit.guests.parts import Place

pytestmark = pytest.mark.lab
GRAMMAR = Path(__file__).parent / "rig/ovf.rng"
OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"
RASD = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}"
NICS = (NicSpec("52:54:00:aa:bb:cc", bridge="br0"), NicSpec("52:54:00:aa:bb:cd", "between"))

WRONG = (
    ("another namespace", "ovf/envelope/1", "ovf/envelope/2"), ("another version", 'ovf:version="1.0"', 'ovf:version="2.0"'),
    ("no namespace on an attribute", "ovf:href=", "href="), ("a file without a name", ' ovf:href="disk-0.vmdk"', ""),
    ("a disk without a size", ' ovf:capacity="[0-9]+"', ""), ("a size that is none", 'ovf:capacity="[0-9]+"', 'ovf:capacity="40 GB"'),
    ("a section without words", "<Info>The networks</Info>", ""), ("a machine without a name", ' ovf:id="lab"', ""),
    ("no kind of system", ' ovf:id="81"', ""), ("an extension that must be understood", ' ovf:required="false">Solaris11', ">Solaris11"),
    ("hardware out of order", r"(<rasd:ElementName>[^<]*</rasd:ElementName>)\s*(<rasd:InstanceID>1</rasd:InstanceID>)", r"\2\1"),
    ("hardware without a number", "<rasd:InstanceID>1</rasd:InstanceID>", ""), ("hardware without a kind", "<rasd:ResourceType>3</rasd:ResourceType>", ""),
    ("a serial port, which ends an import", "<rasd:ResourceType>15<", "<rasd:ResourceType>21<"),
    ("an element of OVF 2.0", r"<Item>(?=[^~]*?ResourceType>17<)([^~]*?)</Item>", r"<StorageItem>\1</StorageItem>"),
    ("disks after the machine", r"(<DiskSection>[^~]*</DiskSection>)([^~]*)(</Envelope>)", r"\2\1\3"),
    ("another format of disks", "#streamOptimized", "#sparse"),
)  # fmt: skip
"""A fault, and how a good description gets it."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(below(tmp_path_factory.mktemp("ovf") / "home"))


@pytest.fixture(params=[False, True], ids=["key", "iso"])
def guest(place: Place, request: pytest.FixtureRequest) -> Guest:
    spec = spec_of(f"lab {request.param}", iso=request.param, nics=NICS, sandbox=Sandbox.SEALED)
    return guest_of(place, replace(spec, uuid=f"2b7f9a3e-1111-4000-8000-00000000000{int(request.param)}"))


def ova(place: Place, guest: Guest, target: Path, manifest: str) -> Path:
    target.unlink(missing_ok=True)
    end = place.run(plan_export(guest, "ova", target, place, manifest))[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is None, end.error
    place.guests.remove(guest)
    return target


def cot(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ovfreaders.cot(), *map(str, words)], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )  # fmt: skip


def test_cot_reads_the_guest(place: Place, guest: Guest, tmp_path: Path) -> None:
    """With the manifest that it knows; of the other it says that the file was tampered with."""
    done = cot("info", "--verbose", ova(place, guest, tmp_path / "guest.ova", "sha1"))
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    count = len(guest.spec.disks) + (guest.spec.boot.kind is BootKind.KEY)
    assert re.search(rf"\(default\) +2 +4 GiB +2 +0 +{count} / ", said), (
        "processors, memory, cards, serial ports, disks"
    )
    assert re.findall(r"harddisk @ SATA (0:\d)", said) == [f"0:{n}" for n in range(count)]
    assert "Network card 0 : HostOnly" in said
    assert "Network card 1 : Internal" in said
    assert "vmx-10 virtualbox-2.2" in said
    assert "error" not in said.lower()
    assert "tamper" not in said.lower()


def test_cot_sees_a_changed_byte(place: Place, guest: Guest, tmp_path: Path) -> None:
    path = ova(place, guest, tmp_path / "guest.ova", "sha1")
    data = bytearray(path.read_bytes())
    data[-5000] ^= 1
    path.write_bytes(data)
    done = cot("info", path)
    assert "checksum" in (done.stdout + done.stderr).lower()


def described(folder: Path) -> list[Path]:
    """Every sandbox, from a key and from an ISO, with one card and with two, with names that need care."""
    disks = [OvfDisk(f"disk-{n}.vmdk", 40 << 30, 1 << 20) for n in range(3)]
    for number, (name, iso, box, notes, cards) in enumerate(
        product(NAMES, (True, False), Sandbox, ([], ["A “note”."]), (1, 2))
    ):
        text = ovf_of(spec_of(name, iso=iso, nics=NICS[:cards], sandbox=box), disks, notes)
        (folder / f"{number:03}.ovf").write_bytes(text)
    return sorted(folder.glob("*.ovf"))


def judged(*paths: Path) -> subprocess.CompletedProcess[str]:
    parts.need_programs(["xmllint"])
    return subprocess.run(
        ["xmllint", "--noout", "--nonet", "--relaxng", str(GRAMMAR), *map(str, paths)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_description_keeps_to_the_grammar_of_ovf_1(tmp_path: Path) -> None:
    """Judged by libxml2 with a grammar written down apart from the writer."""
    paths = described(tmp_path)
    done = judged(*paths)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(" validates") == len(paths) == 120


@pytest.mark.parametrize(
    ("what", "pattern", "instead"), WRONG, ids=[each[0].replace(" ", "-") for each in WRONG]
)
def test_the_grammar_refuses(what: str, pattern: str, instead: str, tmp_path: Path) -> None:
    """So that it is known to judge: the same description, with one thing wrong."""
    text = ovf_of(
        spec_of("lab", iso=True, nics=NICS), [OvfDisk("disk-0.vmdk", 40 << 30, 1 << 20)], ["A note."]
    ).decode()
    wrong = re.sub(pattern, instead, text, count=1)
    assert wrong != text, what
    path = tmp_path / "wrong.ovf"
    path.write_text(wrong, encoding="utf-8")
    done = judged(path)
    assert done.returncode == 3, (what, done.stderr)
    assert "fails to validate" in done.stderr


def test_what_a_description_points_to_is_there_once(tmp_path: Path) -> None:
    """A grammar does not see it: files, disks, controllers, networks, each named by whoever uses it."""
    for path in described(tmp_path):
        root = ET.parse(path).getroot()

        def named(element: str, attribute: str, root: ET.Element = root) -> list[str]:
            return [each.attrib[f"{OVF}{attribute}"] for each in root.iter(f"{OVF}{element}")]

        def of(part: str, root: ET.Element = root) -> list[str]:
            return [each.text or "" for each in root.iter(f"{RASD}{part}")]

        files, disks, numbers = named("File", "id"), named("Disk", "diskId"), of("InstanceID")
        for each in (files, named("File", "href"), disks, numbers, named("Network", "name")):
            assert len(set(each)) == len(each)
        assert sorted(named("Disk", "fileRef")) == sorted(files)
        assert sorted(of("HostResource")) == sorted(f"ovf:/disk/{disk}" for disk in disks)
        assert set(of("Parent")) <= set(numbers)
        assert (
            set(of("Connection"))
            == set(named("Network", "name"))
            <= {"NAT", "Bridged", "Internal", "HostOnly"}
        )
