"""`key list` and the watch on plugging."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from click.testing import CliRunner

from smartos_wizard.cli.key_list import list_command
from smartos_wizard.media.disks.linux import LinuxDisks
from smartos_wizard.media.model import Disk
from tests.machines.build import Machine, MemoryReader, recorded

ODD = dict(recorded())["odd-keys"]


def run(*words: str, told: dict[str, Any] = ODD) -> str:
    disks = LinuxDisks(
        reader=MemoryReader(Machine(told)), run=lambda _: None, usb_bus=dict, used=lambda _: None
    )
    options = SimpleNamespace(world=SimpleNamespace(disks=disks))
    result = CliRunner().invoke(list_command, list(words), obj=options, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_json_gives_targets_and_with_all_every_disk_with_its_reasons() -> None:
    targets = json.loads(run("--json"))
    assert {t["path"] for t in targets} == {"/dev/sdc", "/dev/mmcblk0"}
    assert all(t["withheld"] is None for t in targets)
    every = {d["path"]: d for d in json.loads(run("--json", "--all"))}
    assert {"path", "size", "model", "serial", "transport", "withheld"} <= set(every["/dev/sda"])
    assert every["/dev/sdf"]["withheld"] == ["too small: 1,073,741,824 of 1,940,000,256 bytes (1.00 GiB)"]
    assert every["/dev/sdf"]["reasons"][0]["reference"] == "too-small"
    assert every["/dev/sdc"]["withheld"] is None
    assert every["/dev/sda"]["withheld"]


def test_allow_fixed_widens_the_list_by_fixed_disks_only() -> None:
    paths = {t["path"] for t in json.loads(run("--json", "--allow-fixed"))}
    assert paths == {"/dev/sdc", "/dev/mmcblk0", "/dev/mmcblk1"}


def test_a_person_sees_what_is_not_offered_and_where_to_read_why() -> None:
    short = run()
    assert "/dev/sdc" in short
    assert "/dev/sdd (read-only)" in short
    assert "read-only: write-protected" in run("--all")


def test_no_target_is_said_in_words() -> None:
    text = run(told=dict(recorded())["virtual-machine"])
    assert "No disk here can be written as it is" in text
    assert "/dev/vda (system-disk)" in text


def test_plugging_unplugging_and_a_card_are_noticed_within_a_second(tmp_path: Path) -> None:
    machine = Machine(dict(recorded())["netboot"])
    machine.lay_out(tmp_path)
    disks = LinuxDisks(tmp_path, run=lambda _: None, usb_bus=dict)
    assert not disks.changed(0)
    size = tmp_path / machine.homes["sdk"].lstrip("/") / "size"
    took = []
    for change in ((lambda: size.write_text("123")), (tmp_path / "sys/block/sdk").unlink):
        timer = threading.Timer(0.1, change)
        timer.start()
        began = time.monotonic()
        assert disks.changed(5)
        took.append(time.monotonic() - began)
        timer.join()
    assert max(took) < 1.0
    assert not disks.changed(0)


def test_a_change_between_two_looks_is_not_missed(tmp_path: Path) -> None:
    Machine(dict(recorded())["netboot"]).lay_out(tmp_path)
    disks = LinuxDisks(tmp_path, run=lambda _: None, usb_bus=dict)
    (tmp_path / "sys/block/sdk").unlink()
    found: tuple[Disk, ...] = disks.list()
    assert [d.path for d in found] == ["/dev/sda"]
    assert disks.changed(0)
