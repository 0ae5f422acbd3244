"""What the opener sees by itself: who a disk is and whether the running system lives on it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smartos_wizard.privileged import opener

SOURCE = Path(opener.__file__)


class Machine:
    """A made-up /sys and /proc: disks are directories under /sys/devices, linked from /sys/dev/block."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in (
            "sys/dev/block",
            "sys/devices/usb1/1-2/host0/block",
            "proc/self",
            "proc/1",
            "sys/devices/virtual",
        ):
            (root / name).mkdir(parents=True)

    def device(self, number: str, place: str, partition: bool = False) -> Path:
        path = self.root / "sys/devices" / place
        path.mkdir(parents=True, exist_ok=True)
        (path / "dev").write_text(number + "\n")
        if partition:
            (path / "partition").write_text("1\n")
        (self.root / "sys/dev/block" / number).symlink_to(path)
        return path

    def holds(self, holder: Path, held: Path) -> None:
        (held / "holders").mkdir(exist_ok=True)
        (held / "holders" / holder.name).symlink_to(holder)

    def mount(self, number: str, point: str, source: str, who: str = "self") -> None:
        with (self.root / "proc" / who / "mountinfo").open("a") as file:
            file.write(f"30 1 {number} / {point} rw,relatime shared:1 - ext4 {source} rw\n")

    def check(self, number: str, unmount=(), write=True) -> list[str]:
        return opener.check_unused("/dev/sdx", number, unmount, write, str(self.root))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.device("8:0", "usb1/1-2/host0/block/sda")
    made.device("8:1", "usb1/1-2/host0/block/sda/sda1", partition=True)
    made.device("8:2", "usb1/1-2/host0/block/sda/sda2", partition=True)
    return made


def refusal(machine: Machine, number: str = "8:0", **how) -> str:
    with pytest.raises(opener.No) as no:
        machine.check(number, **how)
    return no.value.reference


def test_an_unused_disk_passes(machine):
    assert machine.check("8:0") == []


def test_a_partition_is_no_disk(machine):
    assert refusal(machine, "8:1") == "not-a-disk"


def test_a_disk_that_is_gone_is_no_disk(machine):
    assert refusal(machine, "8:64") == "not-a-disk"


@pytest.mark.parametrize(
    "point", ["/", "/boot", "/boot/efi", "/usr", "/var/lib", "/home", "/run/live/medium"]
)
def test_a_disk_with_a_place_of_the_system_is_refused_even_when_told_to_unmount_it(machine, point):
    machine.mount("8:2", point, "/dev/sda2")
    assert refusal(machine, unmount=[point, "/dev/sda2"]) == "system-disk"
    assert refusal(machine, write=False) == "system-disk"


def test_root_on_an_encrypted_logical_volume_is_seen(machine):
    part = machine.root / "sys/devices/usb1/1-2/host0/block/sda/sda2"
    luks = machine.device("253:0", "virtual/block/dm-0")
    volume = machine.device("253:1", "virtual/block/dm-1")
    machine.holds(luks, part)
    machine.holds(volume, luks)
    machine.mount("253:1", "/", "/dev/mapper/vg-root")
    assert refusal(machine) == "system-disk"


def test_root_seen_only_by_process_1_is_seen(machine):
    machine.mount("8:1", "/", "/dev/sda1", who="1")
    assert refusal(machine) == "system-disk"


def test_swap_on_a_partition_is_seen(machine, monkeypatch):
    (machine.root / "proc/swaps").write_text(
        "Filename Type Size Used Priority\n/dev/sda2 partition 100 0 -2\n"
    )
    monkeypatch.setattr(opener, "number_of", lambda path: "8:2" if path == "/dev/sda2" else "")
    assert refusal(machine) == "system-disk"


def test_a_holder_is_named(machine):
    dm = machine.device("253:0", "virtual/block/dm-0")
    (dm / "dm").mkdir()
    (dm / "dm/name").write_text("vg0-data\n")
    machine.holds(dm, machine.root / "sys/devices/usb1/1-2/host0/block/sda/sda1")
    with pytest.raises(opener.No) as no:
        machine.check("8:0")
    assert no.value.reference == "in-use"
    assert "vg0-data" in no.value.text


def test_only_what_it_was_told_to_is_unmounted(machine):
    machine.mount("8:1", "/media/anna/STICK", "/dev/sda1")
    assert refusal(machine) == "mounted"
    assert refusal(machine, unmount=["/media/anna/OTHER"]) == "mounted"
    assert machine.check("8:0", unmount=["/media/anna/STICK"]) == ["/media/anna/STICK"]


def test_what_is_mounted_elsewhere_is_not_unmounted_even_when_told(machine):
    machine.mount("8:1", "/data", "/dev/sda1")
    assert refusal(machine, unmount=["/data"]) == "mounted"


def test_a_mount_of_another_disk_is_never_unmounted(machine):
    machine.device("8:16", "usb1/1-2/host0/block/sdb")
    machine.mount("8:16", "/media/other", "/dev/sdb")
    assert machine.check("8:0", unmount=["/media/other"]) == []


def test_names_with_blanks_are_understood(machine):
    machine.mount("8:1", r"/media/anna/MY\040KEY", "/dev/sda1")
    assert machine.check("8:0", unmount=["/media/anna/MY KEY"]) == ["/media/anna/MY KEY"]


def test_a_mounted_key_may_be_read(machine):
    machine.mount("8:1", "/media/anna/STICK", "/dev/sda1")
    assert machine.check("8:0", write=False) == []


def test_the_serial_number_is_found_at_the_usb_device_and_not_above_it(machine):
    (machine.root / "sys/devices/usb1/1-2/idVendor").write_text("46f4\n")
    (machine.root / "sys/devices/usb1/1-2/serial").write_text("LAB 0001\n")
    (machine.root / "sys/devices/usb1/serial").write_text("0000:00:14.0\n")
    assert opener.serials("8:0", str(machine.root)) == {"LAB0001"}


def test_the_serial_number_that_udev_knows_is_found(machine):
    data = machine.root / "run/udev/data"
    data.mkdir(parents=True)
    (data / "b8:0").write_text("S:disk/by-id/x\nE:ID_SERIAL=Maker_Key_AB12-0:0\nE:ID_SERIAL_SHORT=AB12\n")
    assert "AB12" in opener.serials("8:0", str(machine.root))


def test_a_regular_file_is_no_disk_for_the_opener(tmp_path):
    file = tmp_path / "key.img"
    file.write_bytes(bytes(4096))
    with pytest.raises(opener.No) as no:
        opener.open_disk(str(file), {"size": 4096, "sector": 512})
    assert no.value.reference == "not-a-disk"


def test_a_missing_node_is_no_device():
    with pytest.raises(opener.No) as no:
        opener.open_disk("/dev/there-is-none", {"size": 4096, "sector": 512})
    assert no.value.reference == "no-such-device"


def test_the_opener_is_small_enough_to_be_read_before_it_is_trusted():
    tree = ast.parse(SOURCE.read_text())
    words: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node):
            words |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = [
        text
        for number, text in enumerate(SOURCE.read_text().splitlines(), 1)
        if text.strip() and number not in words and not text.strip().startswith("#")
    ]
    assert len(lines) < 250


def test_the_opener_imports_the_standard_library_only():
    tree = ast.parse(SOURCE.read_text(), feature_version=(3, 9))
    names = {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {(n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("words", "code"),
    [([], 2), (["a", "b"], 2), (["/nonexistent/socket"], opener.EXITS["wrong-caller"])],
)
def test_the_opener_alone_does_nothing(words, code):
    run = subprocess.run(
        [sys.executable, "-I", str(SOURCE), *words], capture_output=True, check=False, timeout=20
    )
    assert run.returncode == code
    assert b"Traceback" not in run.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a socket to somebody else")
@pytest.mark.parametrize(
    "environ",
    [
        {"SUDO_UID": "4242"},
        {"PKEXEC_UID": "4242"},
        {"SUDO_UID": "0", "PKEXEC_UID": "4242"},
        {"DOAS_USER": "nobody"},
    ],
)
def test_a_socket_of_another_user_is_not_called(tmp_path, environ):
    import socket

    tmp_path.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as bell:
        bell.bind(str(tmp_path / "s"))
        bell.listen(1)
        with pytest.raises(opener.No) as no:
            opener.connect(str(tmp_path / "s"), environ)
        assert no.value.reference == "wrong-caller"
        tmp_path.chmod(0o755)
        with pytest.raises(opener.No):
            opener.connect(str(tmp_path / "s"), {"SUDO_UID": "0"})
        tmp_path.chmod(0o700)
        opener.connect(str(tmp_path / "s"), {"SUDO_UID": "0"}).close()
