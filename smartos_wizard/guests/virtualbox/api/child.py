"""The wizard's end of the process that has vboxapi: started when first asked, asked one thing at a time, ended with the wizard."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import WriteFailed
from smartos_wizard.guests.virtualbox import talk
from smartos_wizard.guests.virtualbox.api.serve import COMMANDS
from smartos_wizard.guests.virtualbox.find import environment
from smartos_wizard.guests.virtualbox.said import NO_MODULE, Said, said

PYTHON = "SMARTOS_WIZARD_VBOX_PYTHON"
"""Names the Python that has vboxapi, where it is neither this one nor the system's."""
_SPEECH = """
import runpy, sys
sys.path.append(sys.argv[1])
runpy.run_module("smartos_wizard.guests.virtualbox.api.serve", run_name="__main__")
"""
"""This program is found last, so that what lies beside it hides nothing of that Python's own."""
_BEGIN = 30.0
"""Seconds until it is connected; the first one starts VirtualBox's server."""


class Child:
    """A running `serve`."""

    def __init__(self, python: str) -> None:
        root = str(Path(__file__).resolve().parents[4])
        self._process = subprocess.Popen(
            [python, "-c", _SPEECH, root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            encoding="utf-8", cwd="/" if os.name == "posix" else None, start_new_session=True,
            env={**environment(), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True, name="vboxapi").start()
        self.hello = self._line(_BEGIN)

    @property
    def alive(self) -> bool:
        """Whether it still listens."""
        return self._process.poll() is None

    def ask(self, words: tuple[str, ...]) -> dict[str, Any]:
        """One command. Empty where it ended or said nothing in time."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
        except OSError:
            return {}
        return self._line(talk.TIMEOUT)

    def close(self) -> None:
        """Hang up and wait until it is gone."""
        with contextlib.suppress(OSError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put("")

    def _line(self, seconds: float) -> dict[str, Any]:
        try:
            return dict(json.loads(self._lines.get(timeout=seconds) or "{}"))
        except (queue.Empty, ValueError):
            self._process.kill()
            return {}


@dataclass
class _Shared:
    """The one process of this program; another after a fork, or when VirtualBox's settings lie elsewhere."""

    child: Child | None = None
    key: tuple[object, ...] = ()


_shared = _Shared()
_lock = threading.Lock()


def ask(argv: tuple[str, ...]) -> Said:
    """Run one of VBoxManage's commands through vboxapi; what vboxapi has no way for, by VBoxManage itself.

    Raises WriteFailed `vboxapi-missing` where no Python here has it, `virtualbox-failed` where it ended.
    """
    if len(argv) < 3 or argv[2] not in COMMANDS:
        return talk.ask(argv)
    return talk.patient(_once, argv)


def close() -> None:
    """End the process, if there is one."""
    with _lock:
        if _shared.child is not None and _shared.key[:1] == (os.getpid(),):
            _shared.child.close()
        _shared.child = None


atexit.register(close)


def pythons() -> Iterator[str]:
    """Those that may have vboxapi: the one named, this one, the system's, to which VirtualBox's installers give it."""
    named = os.environ.get(PYTHON)
    if named:
        yield named
        return
    if importlib.util.find_spec("vboxapi") is not None:
        yield sys.executable
    for each in ("/usr/bin/python3", shutil.which("python3") or "", shutil.which("python") or ""):
        if each and each != sys.executable and Path(each).exists():
            yield each


def _once(argv: tuple[str, ...]) -> Said:
    with _lock:
        reply = _child().ask(argv[1:])
    if not reply:
        raise WriteFailed(
            "virtualbox-failed", "VirtualBox's Python interface ended, or did not answer.", context=" ".join(argv[1:4]),
            hint="What became of it is shown by `guest show`. Without SMARTOS_WIZARD_VIRTUALBOX=api VBoxManage is used instead.",
        )  # fmt: skip
    call = said(argv, str(reply["out"]), str(reply["err"]), int(reply["code"]))
    missing = sys.platform == "linux" and not Path("/dev/vboxdrv").exists()
    return Said(call.argv, call.out, call.err, call.code, NO_MODULE[0] if missing else "")


def _child() -> Child:
    key = (
        os.getpid(),
        *(os.environ.get(name) for name in (PYTHON, "VBOX_USER_HOME", "VBOX_IPC_SOCKETID", "VBOX_STUB_HOME")),
    )
    if _shared.child is not None and _shared.key == key and _shared.child.alive:
        return _shared.child
    if _shared.child is not None and _shared.key[:1] == key[:1]:
        _shared.child.close()
    _shared.child, why = None, []
    for python in dict.fromkeys(pythons()):
        try:
            child = Child(python)
        except OSError as error:
            why.append(f"{python}: {error.strerror}")
            continue
        if "version" in child.hello:
            _shared.child, _shared.key = child, key
            return child
        why.append(f"{python}: {child.hello.get('error', 'ended without a word')}")
        child.close()
    raise WriteFailed(
        "vboxapi-missing", "No Python here has VirtualBox's interface (vboxapi).", context="; ".join(why),
        hint=f"Name one with {PYTHON}, or leave SMARTOS_WIZARD_VIRTUALBOX away: VBoxManage does the same.",
    )  # fmt: skip
