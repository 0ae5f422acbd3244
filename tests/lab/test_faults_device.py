"""What the device does wrong while a key is written and proven: F1, F2, F4-F10, F13, F14, F28 (tests/lab/README.md).

Every fault through the real command on a true block device: the exit code, no word of success, no receipt,
and nothing on the key that could boot.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.rig import command, disks, images, keys, parts
from tests.lab.rig.images import MIB, Image

pytestmark = pytest.mark.lab

SIZE = 64 * MIB


@pytest.fixture(scope="module")
def shim(space: Path) -> str:
    """The library that plays short writes and fake capacity."""
    parts.need_programs(["gcc"])
    out = space / "shim.so"
    source = parts.CHECKOUT / "tests/lab/rig/shim.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(out), str(source), "-ldl"], check=True)
    return str(out)


@pytest.fixture
def good(fault_rig: Path) -> Iterator[disks.Disk]:
    """A disk without faults."""
    with disks.loop(disks.backing_file(fault_rig, SIZE)) as disk:
        yield disk


def strace(home: Path, *injections: str) -> list[str]:
    """The words in front of a command that make its system calls fail."""
    parts.need_programs(["strace"])
    calls = ",".join(sorted({injection.split(":")[0] for injection in injections}))
    inject = [word for injection in injections for word in ("-e", f"inject={injection}")]
    return ["strace", "-f", "-qq", "-o", str(home / "strace.log"), "-e", f"trace={calls}", *inject]


def write_under(prefix: list[str], home: Path, disk: disks.Disk, image: Image) -> command.Outcome:
    line = [*prefix, *command.argv(*keys.write_words(disk.path, image))]
    return command.Running(line, home).end()


def test_a_good_key_is_written_and_proven(good: disks.Disk, image: Image, home: Path) -> None:
    outcome = keys.write(home, good, image)
    keys.assert_proven(outcome, good, image, home)
    assert not any(good.read(SIZE - 33 * 512, 33 * 512)), "the old backup table is still there"


def test_f1_f8_an_io_error_ends_the_write_and_names_the_place(
    fault_rig: Path, image: Image, home: Path
) -> None:
    # blkdebug lets every later sync succeed: a good sync does not forgive a lost write (F8)
    with disks.faulty(fault_rig, SIZE, write_error_at=20 * MIB) as disk:
        outcome = keys.write(home, disk, image)
        keys.assert_failed(outcome, 7, home)
        assert 19 * MIB <= outcome.last["offset"] <= 20 * MIB, outcome.told()
        assert disk.path in outcome.last["message"] + outcome.last["context"]
        assert keys.blank(disk)


def test_f2_a_key_pulled_in_mid_write_is_lost_and_nothing_hangs(
    fault_rig: Path, image: Image, home: Path
) -> None:
    with disks.faulty(fault_rig, SIZE, write_rate=8_000_000) as disk:
        work = keys.start(home, disk, image)
        work.written("write", 0.3)
        disk.unplug()
        outcome = work.end(keys.IN_TIME)
        keys.assert_failed(outcome, 10, home)
        assert keys.blank(disk)


def test_f4_a_key_pulled_in_mid_proof_is_never_called_proven(
    fault_rig: Path, image: Image, home: Path
) -> None:
    backing = disks.backing_file(fault_rig, SIZE)
    with disks.faulty(fault_rig, SIZE, backing=backing, read_rate=8_000_000) as disk:
        work = keys.start(home, disk, image)
        work.written("prove", 0.2)
        disk.unplug()
        outcome = work.end(keys.IN_TIME)
        keys.assert_failed(outcome, 10, home)
    # plugged in again: what the program remembers is that this did not end well
    jobs = command.run(home, "job", "list", "--json").document
    assert [job["state"] for job in jobs] == ["failed"], jobs
    with disks.loop(backing) as disk:
        keys.assert_proven(keys.write(home, disk, image), disk, image, home)


def test_f5_an_image_larger_than_the_key_is_refused_before_the_first_write(
    fault_rig: Path, image: Image, home: Path
) -> None:
    with disks.loop(disks.backing_file(fault_rig, 16 * MIB)) as disk:
        outcome = keys.write(home, disk, image)
        keys.assert_failed(outcome, 4, home)
        assert keys.untouched(disk)
        assert "16,777,216" in outcome.last["message"] + str(outcome.last.get("reasons", "")), outcome.told()


def test_f6_interrupted_and_short_writes_land_where_they_belong(
    good: disks.Disk, image: Image, home: Path, shim: str
) -> None:
    log = home / "shim.log"
    outcome = keys.write(home, good, image, LD_PRELOAD=shim, LAB_SHIM="short", LAB_SHIM_LOG=str(log))
    assert log.read_text().count("short") > 8
    keys.assert_proven(outcome, good, image, home)


def test_f6_writes_interrupted_by_a_signal_are_made_again(good: disks.Disk, image: Image, home: Path) -> None:
    outcome = write_under(strace(home, "pwrite64:error=EINTR:when=2+3"), home, good, image)
    assert (home / "strace.log").read_text().count("EINTR (Interrupted system call) (INJECTED)") > 3
    keys.assert_proven(outcome, good, image, home)


def test_f6_a_write_the_kernel_only_claims_to_have_done_fails_the_proof(
    good: disks.Disk, image: Image, home: Path
) -> None:
    outcome = write_under(strace(home, "pwrite64:retval=512:when=4"), home, good, image)
    keys.assert_failed(outcome, 8, home)
    assert keys.blank(good)
    offset = outcome.last["offset"]
    with image.raw.open("rb") as file:
        file.seek(offset)
        wanted = file.read(1)
    assert good.read(offset, 1) != wanted, "the offset named is not where the first difference is"


def test_f7_a_failing_sync_is_fatal(fault_rig: Path, image: Image, home: Path) -> None:
    with disks.faulty(fault_rig, SIZE, flush_error=True) as disk:
        outcome = keys.write(home, disk, image)
        keys.assert_failed(outcome, 7, home)
        assert not image.matches(disk.backing)
        assert keys.blank(disk)


def test_f7_a_sync_that_fails_only_once_is_fatal(good: disks.Disk, image: Image, home: Path) -> None:
    outcome = write_under(strace(home, "fdatasync:error=EIO:when=1"), home, good, image)  # of each thread
    assert "INJECTED" in (home / "strace.log").read_text()
    keys.assert_failed(outcome, 7, home)
    assert keys.blank(good)


def test_f9_one_bit_that_rots_before_the_proof_is_found(fault_rig: Path, image: Image, home: Path) -> None:
    place = 27 * MIB + 12_345
    with disks.faulty(fault_rig, SIZE, read_rate=8_000_000) as disk:
        work = keys.start(home, disk, image)
        work.written("prove", 0.1)
        was = disk.read(place, 1)[0]
        disk.poke(place, bytes([was ^ 0x10]))
        outcome = work.end()
        keys.assert_failed(outcome, 8, home)
        assert outcome.last["offset"] == place, outcome.told()
        assert (outcome.last["expected"], outcome.last["got"]) == (was, was ^ 0x10)
        assert keys.blank(disk)


@pytest.mark.parametrize("place", [0, 0xFA, 512, MIB + 1, 4 * MIB - 1, 4 * MIB, 20 * MIB + 7, 32 * MIB - 1])
def test_f9_a_check_names_the_first_differing_byte(
    good: disks.Disk, image: Image, home: Path, place: int
) -> None:
    assert keys.write(home, good, image).code == 0
    good.poke(place, bytes([good.read(place, 1)[0] ^ 1]))
    outcome = keys.check(home, good, image)
    assert (outcome.code, outcome.last["exit_code"]) == (8, 8), outcome.told()
    assert outcome.last["offset"] == place, outcome.told()


def test_f10_the_page_cache_vouches_for_nothing(good: disks.Disk, image: Image, home: Path) -> None:
    assert keys.write(home, good, image).code == 0
    place = 9 * MIB + 3
    with Path(good.path).open("rb") as file:  # now the cache of the device holds the good bytes
        while file.read(MIB):
            pass
        good.poke(place, bytes([good.read(place, 1)[0] ^ 0x80]))
        file.seek(place)
        assert file.read(1) != good.read(place, 1), (
            "the cache does not hide the fault; the test proves nothing"
        )
        outcome = keys.check(home, good, image)
    assert outcome.code == 8, outcome.told()
    assert outcome.last["offset"] == place


@pytest.mark.parametrize("how", ["wrap", "drop"])
def test_f11_a_key_that_lies_about_its_capacity_is_found_out(
    good: disks.Disk, image: Image, home: Path, shim: str, how: str
) -> None:
    log = home / "shim.log"
    lie = f"{how}:{16 * MIB}"
    outcome = keys.write(home, good, image, LD_PRELOAD=shim, LAB_SHIM=lie, LAB_SHIM_LOG=str(log))
    assert log.exists(), "the key did not lie"
    keys.assert_failed(outcome, 8, home)
    assert keys.blank(good)


def test_f12_a_write_protected_key_is_refused(fault_rig: Path, image: Image, home: Path) -> None:
    with disks.loop(disks.backing_file(fault_rig, SIZE), read_only=True) as disk:
        outcome = keys.write(home, disk, image)
        keys.assert_failed(outcome, 4, home)
        assert keys.untouched(disk)
        assert "read-only" in outcome.stdout or "write-protected" in outcome.stdout


def test_f13_a_disk_with_4096_byte_sectors_is_refused(fault_rig: Path, image: Image, home: Path) -> None:
    with disks.loop(disks.backing_file(fault_rig, SIZE), sector=4096) as disk:
        outcome = keys.write(home, disk, image)
        keys.assert_failed(outcome, 4, home)
        assert keys.untouched(disk)
        assert "4096" in outcome.stdout or "4,096" in outcome.stdout


def test_f14_a_silent_device_is_waited_for_and_is_no_failure(
    fault_rig: Path, image: Image, home: Path
) -> None:
    with disks.faulty(fault_rig, SIZE, write_rate=16_000_000) as disk:
        work = keys.start(home, disk, image)
        work.written("write", 0.3)
        disk.pause()
        time.sleep(5)
        assert work.process.poll() is None
        disk.resume()
        keys.assert_proven(work.end(), disk, image, home)


def test_f28_a_device_that_ends_early_fails_the_check(fault_rig: Path, image: Image, home: Path) -> None:
    backing = disks.backing_file(fault_rig, SIZE)
    with disks.loop(backing) as disk:
        assert keys.write(home, disk, image).code == 0
    with backing.open("r+b") as file:
        file.truncate(20 * MIB)
    with disks.loop(backing) as disk:
        outcome = keys.check(home, disk, image)
        assert outcome.code in (4, 8), outcome.told()
        assert outcome.last["exit_code"] == outcome.code


def test_an_unchanged_key_is_proven_again_without_a_byte_written(
    good: disks.Disk, image: Image, home: Path
) -> None:
    assert keys.write(home, good, image).code == 0
    outcome = keys.write(home, good, image)
    keys.assert_proven(outcome, good, image, home)
    assert outcome.keys[0]["written"] == 0, outcome.told()


def test_two_keys_at_once_and_a_failing_one_stops_nobody(fault_rig: Path, image: Image, home: Path) -> None:
    with (
        disks.faulty(fault_rig, SIZE, write_error_at=12 * MIB) as bad,
        disks.loop(disks.backing_file(fault_rig, SIZE)) as well,
    ):
        words = keys.write_words(bad.path, image, "--confirm", well.path)
        words.insert(3, well.path)
        outcome = command.run(home, *words)
        assert outcome.code == 7, outcome.told()
        assert {key["path"]: key["state"] for key in outcome.keys} == {
            bad.path: "failed",
            well.path: "proven",
        }
        assert keys.blank(bad)
        assert image.matches(well.backing)


def test_a_confirmation_that_names_another_disk_is_refused(
    good: disks.Disk, image: Image, home: Path
) -> None:
    words = ["--image", str(image.path), "--sha256", image.sha256, "--allow-fixed", "--json"]
    for confirm, reference in ((["--confirm", "/dev/sdq"], "wrong-confirmation"), ([], "not-confirmed")):
        outcome = command.run(home, "key", "write", good.path, *words, *confirm)
        keys.assert_failed(outcome, 4, home)
        assert outcome.reference == reference
    assert keys.untouched(good)


def test_an_image_larger_than_it_says_stops_at_the_end_of_the_key(fault_rig: Path, home: Path) -> None:
    small = images.build(fault_rig, "grown", 16 * MIB)
    raw = small.raw
    with raw.open("ab") as file:
        file.write(b"more" * (12 * MIB))
    grown = images.given(raw, raw)
    with disks.loop(disks.backing_file(fault_rig, 24 * MIB)) as disk:
        outcome = keys.write(home, disk, grown)
        assert outcome.code in (4, 7), outcome.told()
        assert keys.blank(disk) or keys.untouched(disk)
