"""The make-believe VBoxManage in PATH, of both generations of options."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.paths import Paths
from smartos_wizard.guests.virtualbox import host, talk
from smartos_wizard.guests.virtualbox.driver import VirtualBoxDriver
from tests.unit.guests.parts import Place

PROGRAM = Path(__file__).parent / "fake" / "vboxmanage.py"
VERSIONS = {"6.1": "6.1.36_Ubuntur152435", "7.1": "7.1.12r169651"}


@dataclass
class Fake:
    """What the make-believe VirtualBox knows, and the switches of its faults."""

    file: Path

    @property
    def state(self) -> dict[str, Any]:
        return dict(json.loads(self.file.read_text()))

    def set(self, **what: Any) -> None:
        self.file.write_text(json.dumps({**self.state, **what}))

    def fault(self, **faults: Any) -> None:
        self.set(faults={name.replace("_", "-"): value for name, value in faults.items()})

    @property
    def calls(self) -> list[list[str]]:
        return list(self.state["calls"])

    @property
    def names(self) -> list[str]:
        return [vm["name"] for vm in self.state["machines"].values()]

    def machine(self) -> dict[str, Any]:
        return dict(next(iter(self.state["machines"].values())))


@pytest.fixture(params=["7.1"])
def fake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """VBoxManage in PATH; `indirect` parameters choose the generation."""
    file, bin = tmp_path / "vbox.json", tmp_path / "bin"
    networks = {"bridgedifs": ["eth0", "wlan0 (Wi-Fi)"], "hostonlyifs": ["vboxnet0"]}
    empty = {"machines": {}, "media": [], "calls": [], "faults": {}, "networks": networks}
    file.write_text(json.dumps({**empty, "version": VERSIONS[request.param], "table": request.param}))
    bin.mkdir()
    (bin / "VBoxManage").write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{PROGRAM}" "$@"\n')
    (bin / "VBoxManage").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_VBOX", str(file))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(talk, "_PAUSES", (0.0, 0.0, 0.0, 0.0))
    monkeypatch.setattr(host, "problems", _module_is_there)
    if "by_process" not in request.fixturenames:
        monkeypatch.setattr(talk, "_run", _in_this_process)
    return Fake(file)


@pytest.fixture
def by_process() -> None:
    """Call VBoxManage as a program of its own, where guests are started; elsewhere it is called within, ten times faster."""


def _in_this_process(argv: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = _fake().main(list(argv[1:]))
    return subprocess.CompletedProcess(argv, code, out.getvalue(), err.getvalue())


@functools.cache
def _fake() -> Any:
    sys.path.insert(0, str(PROGRAM.parent))
    try:
        return importlib.import_module("vboxmanage")
    finally:
        sys.path.remove(str(PROGRAM.parent))


_problems = host.problems


def _module_is_there(warning: str = "") -> Any:
    """This machine has no /dev/vboxdrv; what the wrapper says is all that counts here."""
    return _problems(system="linux", machine="x86_64", warning=warning) if warning else ()


@pytest.fixture
def place(paths: Paths, fake: Fake) -> Place:
    return Place(paths, drivers=(VirtualBoxDriver(paths),))


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    path = tmp_path / "smart os.iso"
    path.write_bytes((bytes(32 << 10) + b"\1CD001\1").ljust(128 << 10, b"\0"))
    return path
