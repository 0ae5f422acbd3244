"""`pool preview` from the outside: exit codes, stdout and stderr, and what it says to nonsense."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from smartos_wizard.boot.hardware_facts import DiskFact, HardwareFacts
from smartos_wizard.cli.main import cli
from smartos_wizard.cli.pool_disks import from_host
from smartos_wizard.core.errors import WizardError
from smartos_wizard.media.model import Disk, Partition
from smartos_wizard.world import World

LISTING = (
    "SCSI\tdisk0\tMFG\tDISK\t600127266816\tno\tno\n"
    "SCSI\tdisk1\tMFG\tDISK\t600127266816\tno\tno\n"
    "USB\tkey0\tUSBMFG\tUSB Key\t15737028608\tyes\tno\n"
)


def run(*words: str, stdin: str | bytes = "", top: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(cli, [*top, "pool", "preview", *words], input=stdin, standalone_mode=False)


def failed(result: Result) -> WizardError:
    assert isinstance(result.exception, WizardError), result.output
    return result.exception


def code(result: Result) -> int:
    assert result.exception is None, result.exception
    return int(result.return_value or 0)


@pytest.fixture
def listing(tmp_path: Path) -> str:
    file = tmp_path / "disks.txt"
    file.write_text(LISTING)
    return str(file)


def test_json_is_what_disklayout_prints_and_nothing_else(listing: str) -> None:
    result = run("--file", listing, "--json")
    assert (code(result), result.stderr) == (0, "")
    assert result.stdout.startswith('{\n\t"vdevs": [\n\t\t{\n\t\t\t"type": "mirror",\n')
    assert result.stdout.endswith('\n\t],\n\t"capacity": 600127266816\n}\n')
    assert json.loads(result.stdout)["vdevs"][0]["devices"][1]["name"] == "disk1"


def test_an_error_of_disklayout_is_its_line_on_stdout_and_exit_code_1(listing: str) -> None:
    result = run("--file", listing, "--json", "-s", "1")
    said = "fatal error: too many spares (1) for this disk configuration\n"
    assert (code(result), result.stdout, result.stderr) == (1, said, "")
    for_people = run("--file", listing, "-s", "1")
    assert (code(for_people), for_people.stdout) == (1, said)
    assert "cannot make this pool of 3 disks" in for_people.stderr


def test_disks_can_be_described(listing: str) -> None:
    result = run("--disk", "7x600GB", "--disk", "100GB:ssd", "--ram", "16GiB")
    assert code(result) == 0
    assert "├─ 1 spare  in place of a disk that failed" in result.stdout
    assert "[disk7 100 GB ssd]" in result.stdout
    assert "Swap      16.0 GiB" in result.stdout


def test_options_are_those_of_disklayout(listing: str) -> None:
    made = json.loads(run("--disk", "10x3TB", "--layout", "raidz1", "-s", "1", "-w", "4", "--json").stdout)
    assert [len(vdev["devices"]) for vdev in made["vdevs"]] == [4, 4]
    assert len(made["spares"]) == 1
    few = json.loads(run("--disk", "4x3TB", "-e", "DISK0,disk3", "--json").stdout)
    assert [disk["name"] for disk in few["vdevs"][0]["devices"]] == ["disk1", "disk2"]
    mixed = ("--disk", "5x100GB:ssd", "--disk", "2x1TB", "--json")
    assert "cache" in json.loads(run(*mixed).stdout)
    assert "cache" not in json.loads(run(*mixed, "-c").stdout)
    assert json.loads(run("--disk", "2x1TB", "--layout", "", "--json").stdout)["vdevs"][0]["type"] == "mirror"


def test_a_name_that_no_disk_has_is_told() -> None:
    result = run("--disk", "3x1TB", "-e", "disk7")
    assert (code(result), result.stderr) == (0, "No disk is named disk7.\n")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--disk", "1TB", "--this-host"),
        ("--disk", ""),
        ("--disk", "4TB:tape"),
        ("--disk", "0x4TB"),
        ("--disk", "3x0"),
        ("--disk", "-1x4TB"),
        ("--disk", "1TB", "-s", "some"),
        ("--disk", "1TB", "-s", "-1"),
        ("--disk", "1TB", "-w", "1"),
        ("--disk", "1TB", "--ram", "much"),
        ("--disk", "99999x1TB"),
        ("--file", "/nonexistent/disks.txt"),
        ("--file", "/"),
    ],
)
def test_nonsense_is_exit_code_2(words: tuple[str, ...]) -> None:
    error = run(*words).exception
    assert getattr(error, "exit_code", None) == 2, error


def test_a_file_that_lists_no_disk_is_told_how_to_make_one(tmp_path: Path) -> None:
    for data in (b"\x7fELF\0\0", b"hello\nworld\n", b" " * (9 << 20)):
        (tmp_path / "x").write_bytes(data)
        error = failed(run("--file", str(tmp_path / "x")))
        assert (error.reference, error.exit_code) == ("no-disk-listing", 2)
        assert "diskinfo -Hp" in error.hint


def test_an_empty_listing_has_no_pool() -> None:
    result = run("--file", "-", stdin="")
    assert (code(result), result.stdout) == (1, "fatal error: no primary storage disks available\n")
    assert result.stderr.startswith("There is no disk to make a pool of.")


def test_lines_that_are_no_disk_are_told_and_the_rest_is_shown() -> None:
    odd = "".join(f"SCSI\tx{n}\t\t\tbig\tyes\tno\n" for n in range(7))
    result = run("--file", "-", stdin=LISTING + odd)
    assert code(result) == 0
    assert "Line 4 is no disk with a size in bytes" in result.stderr
    assert "So are 2 more lines." in result.stderr


def test_a_listing_from_windows_is_read() -> None:
    data = "\ufeff".encode("utf-16-le") + LISTING.replace("\n", "\r\n").encode("utf-16-le")
    assert code(run("--file", "-", "--json", stdin=data)) == 0


def test_ascii_is_ascii_wherever_it_is_asked_for(listing: str) -> None:
    for result in (run("--file", listing, "--ascii"), run("--file", listing, top=("--ascii",))):
        assert result.stdout.isascii()
        assert "`- mirror" in result.stdout


def test_eighty_columns_are_enough() -> None:
    for count in (1, 5, 24, 1000):
        result = run("--disk", f"{count}x4TB", "--ram", "64GiB", "--layout", "mirror" if count > 1 else "")
        assert max(map(len, result.stdout.splitlines())) <= 80


def test_this_host_is_looked_at_without_its_keys() -> None:
    result = run("--this-host", top=("--practice",))
    assert code(result) == 0
    assert "sdb (on USB)" in result.stderr
    assert "sda holds what runs on this machine now; setup would erase it." in result.stderr
    assert "Swap      31.3 GiB" in result.stdout


class _Hosts:
    """The part of a world that is looked at."""

    def __init__(self, disks: tuple[Disk, ...], facts: HardwareFacts) -> None:
        self.disks = self
        self._disks, self._facts = disks, facts

    def list(self) -> tuple[Disk, ...]:
        return self._disks

    def hardware(self) -> HardwareFacts:
        return self._facts


def host(*disks: Disk, facts: HardwareFacts | None = None) -> object:
    world: World = _Hosts(disks, facts or HardwareFacts())  # type: ignore[assignment]
    return from_host(world)


def test_what_setup_leaves_out_is_left_out() -> None:
    boot = Disk("/dev/sdd", 2 * 10**9, partitions=(Partition("/dev/sdd3", 10**9, "vfat", "SMARTOSBOOT"),))
    usb = Disk("/dev/sdb", 10**12, transport="usb")
    seen = host(
        Disk("/dev/sda", 10**12), usb, boot, Disk("/dev/sdc", None), Disk("/dev/loop0", 5, kind="loop")
    )
    assert [disk.name for disk in seen.disks] == ["sda"]  # type: ignore[attr-defined]
    assert dict(seen.out).keys() == {"sdb", "sdc", "sdd"}  # type: ignore[attr-defined]


def test_whether_a_disk_is_solid_state_is_taken_from_what_is_known_best() -> None:
    facts = HardwareFacts(disks=(DiskFact("sda", 10**12, solid=True), DiskFact("sdb", 5, solid=True)))
    some = (
        Disk("/dev/sda", 10**12, model="Some disk"),
        Disk("/dev/sdb", 10**12, model="Another"),
        Disk("/dev/sdc", 10**12, model="Samsung SSD 860"),
        Disk("/dev/nvme0n1", 10**12, transport="nvme"),
    )
    seen = host(*some, facts=facts)
    assert [disk.solid for disk in seen.disks] == [True, False, True, True]  # type: ignore[attr-defined]


def test_ten_thousand_disks_are_answered_at_once() -> None:
    start = time.monotonic()
    assert code(run("--disk", "10000x4TB", "--json")) == 0
    assert time.monotonic() - start < 5
