"""The command for root is run on the terminal, is read before it goes away, and its exit code counts."""

from __future__ import annotations

import io

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
