"""What is told: a console by command, every file of a check, every interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartos_wizard.netboot.interface import every_interface, interfaces
from tests.unit.netboot.netboot_parts import NEW, Command, command, sha256
from tests.unit.netboot.netboot_parts import tarball as make


@pytest.fixture
def netboot(capsys: pytest.CaptureFixture[str]) -> Command:
    return command(capsys)


def test_a_console_by_command_stays_until_another_is_said(netboot: Command, tmp_path: Path):
    path, tree = make(tmp_path / "p.tgz"), tmp_path / "tree"
    assert netboot("build", tree, "--tarball", path, "--sha256", sha256(path), "--console", "ttyb").code == 0
    assert "set console ttyb" in (tree / "menu.ipxe").read_text()
    assert netboot("build", tree).code == 0
    assert "set console ttyb" in (tree / "menu.ipxe").read_text()
    assert netboot("build", tree, "--console", "text").code == 0
    assert "set console text" in (tree / "menu.ipxe").read_text()
    assert netboot("build", tree, "--console", "ttyz").code == 2


def test_a_check_says_of_each_file_whether_it_is_right(netboot: Command, tmp_path: Path):
    path, tree = make(tmp_path / "p.tgz"), tmp_path / "tree"
    assert netboot("build", tree, "--tarball", path, "--sha256", sha256(path)).code == 0
    archive = f"os/{NEW}/platform/i86pc/amd64/boot_archive"

    def states(*more: str) -> dict[str, str]:
        return {
            row["path"]: row["state"]
            for row in netboot("check", tree, *more, "--json").last["result"]["each"]
        }

    assert set(states().values()) == {"good"}
    assert states("--quick")[archive] == "unread"
    (tree / archive).write_bytes(b"x")
    assert {name for name, state in states().items() if state == "bad"} == {archive}
    (tree / archive).unlink()
    assert {name for name, state in states().items() if state == "bad"} == {archive}
    assert "boot.ipxe" in states()


def test_every_interface_is_listed_also_those_that_cannot_be_served_on():
    every = every_interface()
    assert set(interfaces()) <= set(every)
    assert not any(each.address.startswith("127.") or each.name == "lo" for each in every)
    assert [each.name for each in every] == sorted(each.name for each in every)
