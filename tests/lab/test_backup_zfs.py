"""Backup and restore by the real command on real OpenZFS, over its real sshd: what was there comes back byte for byte.

Whatever cuts it short. SmartOS's own commands are played there (`rig/played`); pools, datasets and streams are real.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.rig import parts, zfs_things, zfs_tree
from tests.lab.rig.zfs_host import ZfsHost
from tests.lab.rig.zfs_things import IMAGE, OWN, SECRET, WEB
from tests.lab.rig.zfs_wizard import PATIENCE, Wizard, cut, quick

pytestmark = [pytest.mark.lab, pytest.mark.slow]

STREAMS = 4


@pytest.fixture(scope="module")
def wizard(space: Path) -> Iterator[Wizard]:
    parts.need_programs(["qemu-system-x86_64", "debootstrap", "ssh-keygen"])
    place = space / "backup-zfs"
    place.mkdir()
    images = [{"manifest": {"uuid": IMAGE, "name": "base-64-lts", "version": "23.4.0"}}]
    machine = ZfsHost(place, zfs_tree.prepare(), {"vda": 1 << 30}, make=False, images=images)
    quick(machine)
    try:
        machine.ready(PATIENCE)
        zfs_things.set_up(machine)
        zfs_things.fill(machine)
        yield Wizard(machine, space / "backup-home")
    finally:
        machine.close()


@pytest.fixture(scope="module")
def kept(wizard: Wizard, space: Path) -> tuple[Path, dict[str, str]]:
    """A backup that was killed at every step, the last one too, and cut off in a stream; and what was on the machine."""
    to = space / "kept-zfs"
    before = zfs_things.everything(wizard.machine)
    words = wizard.backup(to, "--rehearse")
    steps = wizard.steps_of(words)
    sends = [step for step in steps if step.startswith("send")]
    assert len(sends) == STREAMS
    last = sends[2]  # the large one
    for step in steps:
        if step == last:
            running = wizard.in_the_middle(words, last)
            cut(wizard.machine)
            lost = running.end(PATIENCE)
            assert (lost.code, lost.reference) == (10, "connection-lost"), lost.told()
            assert not list(to.glob(".*.part"))
        assert not (to / "manifest.json").exists()
        killed = wizard.killed_at(f"started:{step}", words)
        assert killed.code == -9, killed.told()
    sent = [event for event in killed.events if event["event"] == "step-finished" and event["step"] in sends]
    assert [event["result"]["again"] for event in sent] == [False] * STREAMS, (
        "nothing finished is fetched twice"
    )
    assert zfs_things.everything(wizard.machine) == before
    return to, before


def test_killed_at_every_step_and_cut_off_in_a_stream_it_is_whole(
    wizard: Wizard, kept: tuple[Path, dict[str, str]]
) -> None:
    to, _ = kept
    checked = wizard.check(to)
    assert checked.code == 0, checked.told()
    assert checked.document["missing"] == []
    streams = {file["dataset"] for file in checked.document["files"] if file["kind"] == "stream"}
    assert streams == {f"zones/{IMAGE}", f"zones/{WEB}", OWN, SECRET}
    again = wizard.run(wizard.backup(to))
    assert (again.code, again.reference) == (4, "backup-there"), (
        "it was killed after the list of its files: it is whole"
    )


def test_a_pool_that_was_made_anew_gets_everything_back(
    wizard: Wizard, kept: tuple[Path, dict[str, str]], space: Path
) -> None:
    to, before = kept
    machine = wizard.machine
    zfs_things.empty(machine)
    fresh = machine.sh("zfs list -Hr -t all -o name,guid zones")
    damaged = space / "damaged-zfs"
    shutil.copytree(to, damaged)
    stream = next(damaged.glob("zones_own*"))
    data = bytearray(stream.read_bytes())
    data[len(data) // 2] ^= 1
    stream.write_bytes(bytes(data))
    refused = wizard.run(wizard.restore(damaged, "--confirm", "lab"))
    assert (refused.code, refused.reference) == (8, "backup-damaged"), refused.told()
    assert wizard.check(damaged).code == 8
    assert machine.sh("zfs list -Hr -t all -o name,guid zones") == fresh
    machine.sh(f"zfs create {OWN}; echo mine > /zones/own/mine")
    refused = wizard.run(wizard.restore(to, "--confirm", "lab"))
    assert (refused.code, refused.reference) == (4, "target-exists"), refused.told()
    assert machine.sh("cat /zones/own/mine") == "mine\n"
    machine.sh(f"zfs destroy {OWN}")
    words = wizard.restore(to)
    confirmed = [*words, "--confirm", "lab"]
    for step in wizard.steps_of(words):
        if step == f"receive:{OWN}":
            half_received(wizard, words)
        killed = wizard.killed_at(f"started:{step}", confirmed)
        # what is whole is in no plan any more, so its step is not come to; once all is whole there is no plan
        if killed.code != -9 and killed.reference == "nothing-to-restore":
            break
        assert killed.code in (-9, 0), killed.told()
    done = wizard.run(confirmed)
    assert done.code == 0 or done.reference == "nothing-to-restore", done.told()
    zfs_things.mount(machine)
    after = zfs_things.everything(machine)
    for what, text in before.items():
        assert after[what] == text, what
    assert machine.sh(f"vmadm lookup uuid={WEB}").strip() == WEB
    assert machine.sh("cat /opt/custom/smf/own.xml") == "service\n"
    refused = wizard.run(wizard.restore(to, "--confirm", "lab"))
    assert (refused.code, refused.reference) == (4, "nothing-to-restore"), refused.told()


def half_received(wizard: Wizard, words: list[str]) -> None:
    """Killed while the large stream is received: half of it is there, and goes only when it is named."""
    running = wizard.in_the_middle([*words, "--confirm", "lab"], f"receive:{OWN}")
    running.kill()
    running.end()
    if wizard.machine.run("zfs", "list", OWN).code:
        return  # without -s ZFS takes the half of it away itself, where it still can
    refused = wizard.run([*words, "--confirm", "lab"])
    assert (refused.code, refused.reference) == (4, "wrong-confirmation"), refused.told()
    killed = wizard.killed_at(f"started:receive:{OWN}", [*words, "--confirm", "lab", "--confirm", f"lab:{OWN}"])  # fmt: skip
    assert killed.code == -9, killed.told()
    assert wizard.machine.run("zfs", "list", OWN).code, "the half of it is gone"
