"""The description in an OVA, judged by the schema of those who made the format, and read by a tool that is not ours."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from itertools import product
from pathlib import Path

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
NICS = (NicSpec("52:54:00:aa:bb:cc", bridge="br0"), NicSpec("52:54:00:aa:bb:cd", "between"))


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


def test_the_schema_of_the_dmtf_takes_it(tmp_path: Path) -> None:
    """Every sandbox, from a key and from an ISO, with names that need care; skipped where its site is out of reach."""
    parts.need_programs(["xmllint"])
    schema = ovfreaders.schema()
    disks = [OvfDisk(f"disk-{n}.vmdk", 40 << 30, 1 << 20) for n in range(3)]
    for number, (name, iso, box) in enumerate(product(NAMES, (True, False), Sandbox)):
        text = ovf_of(spec_of(name, iso=iso, nics=NICS, sandbox=box), disks, ["What is left behind."])
        (tmp_path / f"{number}.ovf").write_bytes(text)
    done = subprocess.run(
        ["xmllint", "--noout", "--nonet", "--schema", str(schema), *map(str, sorted(tmp_path.glob("*.ovf")))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(" validates") == number + 1


def test_schemas_are_fetched_with_what_they_import(tmp_path: Path) -> None:
    """Their own addresses are replaced by the files kept, so that no test needs the network twice."""
    parts.need_programs(["xmllint"])
    site, kept = tmp_path / "site", tmp_path / "kept"
    head = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:{0}" xmlns:b="urn:b">'
    (site / "deep").mkdir(parents=True)
    (site / "a.xsd").write_text(
        head.format("a") + '<xs:import namespace="urn:b" schemaLocation="deep/b.xsd"/>'
        '<xs:element name="one" type="b:size"/></xs:schema>'
    )
    (site / "deep/b.xsd").write_text(
        head.format("b")
        + '<xs:simpleType name="size"><xs:restriction base="xs:int"/></xs:simpleType></xs:schema>'
    )
    first = ovfreaders.schema((site / "a.xsd").as_uri(), kept)
    for path in (site / "a.xsd", site / "deep/b.xsd"):
        path.unlink()
    assert ovfreaders.schema((site / "a.xsd").as_uri(), kept) == first
    for value, code in (("7", 0), ("seven", 3)):
        (tmp_path / "x.xml").write_text(f'<one xmlns="urn:a">{value}</one>')
        words = ["xmllint", "--noout", "--nonet", "--schema", str(first), str(tmp_path / "x.xml")]
        assert subprocess.run(words, capture_output=True, check=False).returncode == code
