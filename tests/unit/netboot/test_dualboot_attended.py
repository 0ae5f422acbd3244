"""The command for root is run on the terminal, is read before it goes away, and its exit code counts."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from smartos_wizard.netboot.dualboot_attended import run_as_root


@pytest.mark.parametrize(
    ("command", "code"), [("sh -c 'exit 7'", 7), ("true", 0), ("/there/is/no/such/program", -1)]
)
def test_the_exit_code_is_told_and_enter_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str, code: int
) -> None:
    answer = io.StringIO("\nmore\n")
    monkeypatch.setattr("sys.stdin", answer)
    assert run_as_root(command) == code
    assert answer.read() == "more\n"
    said = capfd.readouterr().err
    assert f"exit code {code}" in said
    assert command in said


def test_ctrl_c_is_for_the_command_which_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    script = tmp_path / "begun"
    script.write_text(
        "trap 'sleep 0.7; echo taken back; exit 3' INT\nkill -INT $PPID\nkill -INT $$\nsleep 5\n"
    )
    assert run_as_root(f"sh {script}") == 3
    assert "taken back" in capfd.readouterr().out
