"""The privileged program is started by somebody at another terminal, and calls back."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest

from smartos_wizard.core.errors import Cancelled
from smartos_wizard.netboot import boot_service
from smartos_wizard.netboot.boot_service import BootService


@pytest.fixture(autouse=True)
def _no_rights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SMARTOS_WIZARD_HOME", str(tmp_path))
    monkeypatch.setattr(boot_service, "_root_words", lambda: ["false"])
    monkeypatch.setattr(boot_service, "attended", lambda: False)
    for name in ("SUDO_UID", "PKEXEC_UID", "DOAS_USER"):
        monkeypatch.delenv(name, raising=False)


def by_somebody(command: str) -> None:
    """What a person does at another terminal, without what would make it root's."""
    words = shlex.split(command)[1:]
    subprocess.run(words, check=True, timeout=30, stdin=subprocess.DEVNULL)


def ended(pid: int) -> bool:
    """Whether it ends within a moment; what nobody took the exit code of is over too."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.05)
                continue
        return True
    return False


def test_who_is_called_starts_it_and_the_terminal_is_free_again(tmp_path: Path):
    commands: list[str] = []

    def called(command: str) -> None:
        commands.append(command)
        threading.Thread(target=by_somebody, args=(command,)).start()

    with BootService(called) as service:
        assert len(commands) == 1
        assert service._is_there()
        program = int(subprocess.check_output(["pgrep", "-f", commands[0].rpartition(" ")[2]]).split()[0])
        assert os.getsid(program) == program  # in a session of its own
    assert not list((tmp_path / "run").iterdir())
    assert ended(program)


def test_a_wait_for_rights_ends_when_it_is_stopped(tmp_path: Path):
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(Cancelled):
        BootService(lambda _command: None, stop.is_set)
    assert not list((tmp_path / "run").iterdir())


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_socket_where_others_may_enter_is_not_called(mode: int, tmp_path: Path):
    import socket

    from smartos_wizard.privileged import wire

    place = tmp_path / "open"
    place.mkdir()
    place.chmod(mode)
    with socket.socket(socket.AF_UNIX) as bell:
        bell.bind(str(place / "bell"))
        bell.listen(1)
        with pytest.raises(PermissionError):
            wire.call(str(place / "bell"), {})


def test_the_socket_of_another_user_is_not_called(tmp_path: Path):
    import socket

    from smartos_wizard.privileged import wire

    tmp_path.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as bell:
        bell.bind(str(tmp_path / "bell"))
        bell.listen(1)
        with pytest.raises(PermissionError):
            wire.call(str(tmp_path / "bell"), {"SUDO_UID": str(os.getuid() + 1)})
