"""kill -9 of the privileged opener at fifty moments of writing and proving: F15 (tests/lab/README.md).

The program runs as an ordinary user who may read but not write the disk. It cannot become root by itself, so
it asks for its opener to be started, which this test does: then it knows which process to kill.
"""

from __future__ import annotations

import os
import random
import shlex
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.lab.rig import command, disks, images, keys, parts
from tests.lab.rig.images import MIB, Image

pytestmark = pytest.mark.lab

SIZE = 40 * MIB
MOMENTS, GROUPS, SEED = 50, 5, 20260904
NOBODY = 65534
READER = [
    "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
    "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search", "--bounding-set=-all,+dac_read_search",
    "--no-new-privs",
]  # fmt: skip
"""An ordinary user who can find this checkout and its Python, wherever they lie, and change nothing."""
OLD = (disks.FILLING * 300)[:4096]


@pytest.fixture(scope="module")
def short(space: Path) -> Image:
    return images.build(space, "opened", 24 * MIB, seed=11)


def open_for(work: command.Running) -> int:
    """Start the opener the program asks for; return the process that stays, once the disk is open."""
    event = work.wait_for(lambda e: e.get("reference") == "needs-opener", 30)
    words = shlex.split(event["data"]["command"])
    assert words[0] in ("sudo", "doas"), words
    assert subprocess.run(words[1:], check=False, stdin=subprocess.DEVNULL, timeout=30).returncode == 0
    work.wait_for(lambda e: e.get("event") == "step-finished" and e["step"] == "open", 30)
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and words[-1].encode() in (entry / "cmdline").read_bytes():
                return int(entry.name)
    raise AssertionError("the opener is not there")


def owned_home(home: Path) -> Path:
    os.chown(home, NOBODY, NOBODY)
    return home


def begin(home: Path, disk: disks.Disk, image: Image) -> command.Running:
    return command.Running([*READER, *command.argv(*keys.write_words(disk.path, image))], home)


@pytest.mark.parametrize("group", range(GROUPS))
def test_f15_kill_9_of_the_opener_at_random_moments_leaves_the_truth(
    fault_rig: Path, short: Image, home: Path, group: int
) -> None:
    parts.need_programs(["setpriv"])
    noise = random.Random(SEED)
    moments = [noise.uniform(0.0, 1.6) for _ in range(MOMENTS)][group::GROUPS]
    owned_home(home)
    with disks.faulty(fault_rig, SIZE, write_rate=30_000_000, read_rate=60_000_000) as disk:
        for moment in moments:
            disk.poke(0, (disks.FILLING * 60_000)[:MIB])
            disk.poke(MIB, os.urandom(20 * MIB))
            work = begin(home, disk, short)
            opener = open_for(work)
            time.sleep(moment)
            with suppress(ProcessLookupError):
                os.kill(opener, 9)
            outcome = work.end(30)
            first = disk.read(0, 4096)
            if outcome.code == 0:
                assert short.matches(disk.backing), outcome.told()
            else:
                assert not [key for key in outcome.keys if key["state"] == "proven"], outcome.told()
                assert not any(first) or first == OLD or short.matches(disk.backing)
        work = begin(home, disk, short)
        open_for(work)
        keys.assert_proven(work.end(), disk, short, home)
