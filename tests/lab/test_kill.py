"""Power cuts, kill -9 and signals at any moment: F15, F16, F17 (tests/lab/README.md).

Whatever is killed whenever: the key does not boot unless it is whole, the next start tells the truth, and the
same command brings it to its end.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.lab.rig import command, disks, images, keys
from tests.lab.rig.images import MIB, Image

pytestmark = pytest.mark.lab

SIZE = 40 * MIB
MOMENTS = 50
GROUPS = 10
SEED = 20260903
OLD = (disks.FILLING * 300)[:4096]


@pytest.fixture(scope="module")
def short(space: Path) -> Image:
    """An image of 24 MiB: long enough to be killed in, short enough to be written fifty times."""
    return images.build(space, "short", 24 * MIB, seed=7)


def truthful(disk: disks.Disk, image: Image) -> None:
    """The key does not boot, or it is the whole image.

    Boot code, MBR and GPT header lie in the first 4096 bytes: zeros or the owner's old bytes there do not boot
    SmartOS. The rest of the first MiB may be on its way when the program is killed.
    """
    first = disk.read(0, 4096)
    assert not any(first) or first == OLD or image.matches(disk.backing), first[:64]


def spread(count: int, longest: float) -> list[float]:
    """Moments over the life of the command, the same in every run."""
    noise = random.Random(SEED)
    return [noise.uniform(0.05, longest) for _ in range(count)]


@pytest.mark.parametrize("group", range(GROUPS))
def test_f15_kill_9_at_random_moments_leaves_the_truth(
    fault_rig: Path, short: Image, home: Path, group: int
) -> None:
    with disks.faulty(fault_rig, SIZE, write_rate=16_000_000, read_rate=32_000_000) as disk:
        # about 0.5 s to start, 1.5 s to write, 0.7 s to prove
        for moment in spread(MOMENTS, 3.2)[group::GROUPS]:
            disk.poke(0, (disks.FILLING * 60_000)[:MIB])
            disk.poke(20 * MIB, os.urandom(64))
            work = keys.start(home, disk, short)
            with suppress(AssertionError):
                work.wait_for(lambda event: event.get("event") == "plan-started", 20)
            time.sleep(moment)
            work.kill()
            killed = work.end()
            jobs = command.run(home, "job", "list", "--all", "--json").document
            if killed.code == 0:
                assert short.matches(disk.backing)
                assert jobs[-1]["state"] == "done", jobs[-1]
            else:
                truthful(disk, short)
                assert jobs[-1]["state"] in ("interrupted", "done"), jobs[-1]
                assert jobs[-1]["state"] == "interrupted" or short.matches(disk.backing)
        again = keys.write(home, disk, short)
        keys.assert_proven(again, disk, short, home)


def test_f15_what_was_durable_before_kill_9_is_not_written_again(fault_rig: Path, home: Path) -> None:
    long = images.build(fault_rig, "long", 160 * MIB, seed=9)
    with disks.faulty(fault_rig, 200 * MIB, write_rate=60_000_000) as disk:
        work = keys.start(home, disk, long)
        work.wait_for(lambda event: (event.get("durable") or 0) >= 64 * MIB)
        work.kill()
        work.end()
        assert keys.blank(disk)
        again = keys.write(home, disk, long)
        keys.assert_proven(again, disk, long, home)
        assert again.keys[0]["skipped"] >= 60 * MIB, again.keys


def test_f17_at_no_moment_does_an_unfinished_key_look_bootable(
    fault_rig: Path, short: Image, home: Path
) -> None:
    # a power cut leaves what the medium holds just then: the backing file, looked at all the time
    with disks.faulty(fault_rig, SIZE, write_rate=16_000_000) as disk:
        work = keys.start(home, disk, short)
        blank = whole = 0
        while work.process.poll() is None:
            first = disk.read(0, 4096)
            if first == OLD:
                assert keys.untouched(disk)
            elif any(first):
                with short.raw.open("rb") as file:
                    file.seek(MIB)
                    disk_rest = disk.read(MIB, short.size - MIB)
                    assert disk_rest == file.read(), "boot sectors before the rest was there"
                whole += 1
            else:
                blank += 1
            time.sleep(0.02)
        assert blank > 10
        assert whole > 0
        assert work.end().code == 0


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_f17_a_key_cut_off_from_power_is_finished_by_the_same_command(
    fault_rig: Path, short: Image, home: Path, share: float
) -> None:
    backing = disks.backing_file(fault_rig, SIZE)
    cut = fault_rig / f"cut{share}.img"
    with disks.faulty(fault_rig, SIZE, backing=backing, write_rate=16_000_000) as disk:
        work = keys.start(home, disk, short)
        work.written("write", share)
        shutil.copyfile(backing, cut)  # the state of the medium at that moment
        work.kill()
        work.end()
    with disks.loop(cut) as disk:
        assert keys.blank(disk)
        keys.assert_proven(keys.write(home, disk, short), disk, short, home)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_f16_a_signal_cancels_within_two_seconds(
    fault_rig: Path, short: Image, home: Path, name: str
) -> None:
    with disks.faulty(fault_rig, SIZE, write_rate=8_000_000) as disk:
        work = keys.start(home, disk, short)
        work.written("write", 0.2)
        begun = time.monotonic()
        work.signal(signal.Signals[name])
        outcome = work.end(10)
        took = time.monotonic() - begun
        assert outcome.code == 3, outcome.told()
        assert outcome.last["event"] == "plan-cancelled"
        assert "will not boot" in outcome.last["state"]
        assert keys.blank(disk)
        assert took < 3, f"cancelled after {took:.1f} s"


def test_f16_a_stopped_and_continued_program_goes_on(fault_rig: Path, short: Image, home: Path) -> None:
    with disks.faulty(fault_rig, SIZE, write_rate=16_000_000) as disk:
        work = keys.start(home, disk, short)
        work.written("write", 0.2)
        work.signal(signal.SIGSTOP)
        time.sleep(2)
        work.signal(signal.SIGCONT)
        keys.assert_proven(work.end(), disk, short, home)


def test_f14_cancelling_while_the_device_is_silent_is_told_at_once(
    fault_rig: Path, short: Image, home: Path
) -> None:
    with disks.faulty(fault_rig, SIZE, write_rate=8_000_000) as disk:
        work = keys.start(home, disk, short)
        work.written("write", 0.3)
        disk.pause()
        time.sleep(0.5)
        begun = time.monotonic()
        work.signal(signal.SIGINT)
        work.wait_for(lambda event: event.get("event") == "plan-cancelled", 10)
        took = time.monotonic() - begun
        disk.resume()
        outcome = work.end(10)
        assert outcome.code == 3, outcome.told()
        assert took < 3, f"cancelled after {took:.1f} s"
