"""The libvirt domain and the UTM bundle's settings: what is in them, and that nothing leaks that was off."""

from __future__ import annotations

import plistlib
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from smartos_wizard.guests.export.libvirt import MARK, domain_of
from smartos_wizard.guests.export.utm import DEFAULT_PORT, config_of
from smartos_wizard.guests.export.words import Format, left_behind
from smartos_wizard.guests.model import Guest, GuestSpec, NicSpec, Sandbox
from tests.unit.guests.export.parts import NAMES, UUID, spec_of

KEYS = {
    "": "Backend ConfigurationVersion Information System QEMU Input Sharing Display Drive Network Serial Sound",
    "Information": "Name Icon IconCustom Notes UUID",
    "System": "Architecture Target CPU CPUFlagsAdd CPUFlagsRemove CPUCount ForceMulticore MemorySize JITCacheSize",
    "QEMU": "DebugLog UEFIBoot RNGDevice BalloonDevice TPMDevice Hypervisor TSO RTCLocalTime PS2Controller "
            "MachinePropertyOverride AdditionalArguments",
    "Input": "UsbBusSupport UsbSharing MaximumUsbShare",
    "Sharing": "DirectoryShareMode DirectoryShareReadOnly ClipboardSharing",
    "Display": "Hardware VgaRamMib DynamicResolution UpscalingFilter DownscalingFilter NativeResolution",
    "Drive": "ImageName ImageType Interface InterfaceVersion Identifier ReadOnly",
    "Network": "Mode Hardware MacAddress IsolateFromHost PortForward BridgeInterface",
    "PortForward": "Protocol HostAddress HostPort GuestAddress GuestPort",
    "Serial": "Mode Target Terminal Hardware TcpHostAddress TcpPort WaitForConnection RemoteConnectionAllowed",
}  # fmt: skip
"""What UTM 4 reads (Configuration/UTMQemuConfiguration*.swift)."""
OPTIONAL = {
    "Icon", "Notes", "MachinePropertyOverride", "VgaRamMib", "ImageName", "BridgeInterface", "HostAddress",
    "GuestAddress", "Terminal", "Hardware", "TcpHostAddress", "TcpPort", "WaitForConnection",
    "RemoteConnectionAllowed",
}  # fmt: skip


def config(spec: GuestSpec) -> dict[str, Any]:
    found: dict[str, Any] = plistlib.loads(config_of(spec, "key.img", ["zones-0.qcow2"], ["a note"]))
    return found


def check_keys(name: str, table: dict[str, Any]) -> None:
    known = set(KEYS[name].split())
    assert set(table) <= known, name
    assert known - set(table) <= OPTIONAL, name
    for key, value in table.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                check_keys(key, each)


@pytest.mark.parametrize("iso", [True, False])
@pytest.mark.parametrize("sandbox", Sandbox)
def test_utm_gets_only_keys_it_knows_and_all_it_needs(iso: bool, sandbox: Sandbox) -> None:
    check_keys("", config(replace(spec_of(iso=iso), sandbox=sandbox)))


@pytest.mark.parametrize("name", NAMES)
def test_utm_settings_round_trip(name: str) -> None:
    found = config(spec_of(name))
    assert found["Information"]["Name"] == name
    assert found["Information"]["UUID"] == UUID.upper()
    assert found["ConfigurationVersion"] == 4
    assert (found["System"]["MemorySize"], found["System"]["CPUCount"]) == (4096, 2)
    assert plistlib.loads(plistlib.dumps(found)) == found


def test_utm_as_smartos_documents_it() -> None:
    found = config(spec_of())
    assert not found["QEMU"]["UEFIBoot"]
    assert not found["QEMU"]["RNGDevice"]
    assert found["Input"]["UsbBusSupport"] == "Disabled"
    assert found["System"]["ForceMulticore"]
    assert [(drive["Interface"], drive["ImageType"]) for drive in found["Drive"]] == [
        ("IDE", "Disk"),
        ("VirtIO", "Disk"),
    ]
    assert config(spec_of(iso=True))["Drive"][0]["ImageType"] == "CD"
    assert "ImageName" not in config(spec_of(iso=True))["Drive"][0]


@pytest.mark.parametrize("sandbox", Sandbox)
def test_utm_shares_nothing(sandbox: Sandbox) -> None:
    found = config(replace(spec_of(), sandbox=sandbox))
    assert found["Sharing"] == {
        "DirectoryShareMode": "None",
        "DirectoryShareReadOnly": True,
        "ClipboardSharing": False,
    }
    assert found["Input"]["UsbSharing"] is False
    assert found["Sound"] == []
    card = found["Network"][0]
    assert card["MacAddress"] == "52:54:00:AA:BB:CC"
    assert card["IsolateFromHost"] is (sandbox is Sandbox.SEALED)
    assert card["Mode"] == ("Bridged" if sandbox is Sandbox.LAN else "Emulated")
    forwards = [] if sandbox is Sandbox.LAN else [("127.0.0.1", DEFAULT_PORT, 22)]
    assert [
        (each["HostAddress"], each["HostPort"], each["GuestPort"]) for each in card["PortForward"]
    ] == forwards


def test_utm_drives_keep_their_identity() -> None:
    drives = [[each["Identifier"] for each in config(spec_of())["Drive"]] for _ in range(2)]
    assert drives[0] == drives[1]
    assert len(set(drives[0])) == 2


def domain(spec: GuestSpec, folder: str = "/guests/a b & <c>") -> ET.Element:
    guest = Guest(spec, Path(folder), Path("/run/x"))
    disks = [(guest.disk(disk, "qcow2"), "qcow2") for disk in spec.disks]
    return ET.fromstring(domain_of(guest, disks))


@pytest.mark.parametrize("name", NAMES)
def test_a_domain_says_what_the_spec_says(name: str) -> None:
    root = domain(spec_of(name))
    assert root.findtext("name") == name.replace("/", "-")  # libvirt takes no slash
    assert root.findtext("uuid") == UUID
    assert (root.findtext("memory"), root.findtext("vcpu")) == ("4096", "2")
    assert [disk.findtext("serial") for disk in root.iter("disk")] == [None, "zones-0", "zones-1"]
    assert [boot.get("order") for boot in root.iter("boot")] == ["1", "2", "3"]
    assert root.find(f"metadata/{{{MARK}}}guest").attrib["uuid"] == UUID  # type: ignore[union-attr]
    assert root.find("clock").attrib == {"offset": "utc"}  # type: ignore[union-attr]


def test_paths_arrive_in_a_domain_as_they_are() -> None:
    sources = [source.get("file") for source in domain(spec_of()).iter("source")]
    assert sources[0] == "/guests/a b & <c>/key.img"


@pytest.mark.parametrize("sandbox", Sandbox)
def test_a_domain_opens_no_door(sandbox: Sandbox) -> None:
    nics = (NicSpec("52:54:00:aa:bb:cc", bridge="br0"), NicSpec("52:54:00:aa:bb:cd", "inner"))
    root = domain(replace(spec_of(nics=nics), sandbox=sandbox))
    devices = root.find("devices")
    assert devices is not None
    closed = {"sound", "channel", "redirdev", "filesystem", "graphics", "hostdev", "input", "shmem"}
    assert not closed & {device.tag for device in devices}
    first, second = devices.findall("interface")
    assert first.get("type") == {"sealed": "user", "lab": "user", "lan": "bridge"}[sandbox.value]
    assert (first.find("link") is not None) is (sandbox is Sandbox.SEALED)
    assert second.get("type") == "network"


def test_the_key_in_a_domain_stays_as_it_is() -> None:
    key = domain(spec_of()).find("devices/disk")
    assert key is not None
    assert key.find("transient") is not None
    assert domain(spec_of(iso=True)).find("devices/disk/readonly") is not None


def test_nesting_is_on_only_where_asked() -> None:
    assert [each.get("name") for each in domain(spec_of()).iter("feature")] == ["vmx", "svm"]
    assert not list(domain(spec_of(nested=True)).iter("feature"))


@pytest.mark.parametrize("form", Format)
def test_what_is_left_behind_is_said(form: Format) -> None:
    plain = " ".join(left_behind(spec_of(), form))
    full = left_behind(
        spec_of(
            iso=True, nested=True, nics=(NicSpec("52:54:00:aa:bb:cc"), NicSpec("52:54:00:aa:bb:cd", "x"))
        ),
        form,
        2,
    )
    assert len(full) > len(left_behind(spec_of(), form))
    words = {Format.OVA: "serial", Format.LIBVIRT: "Nothing is copied", Format.UTM: "Apple silicon"}
    assert words[form] in plain
    assert any("napshots" in note or "2 snapshots" in note for note in full)


def test_a_configured_key_is_no_secret_surprise() -> None:
    notes = " ".join(left_behind(spec_of(configured=("answers",)), Format.OVA))
    assert "password" in notes
