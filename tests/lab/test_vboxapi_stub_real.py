"""The make-believe VirtualBox is compared with the real one: the same members, the same refusals, by the same program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab.rig import glue, virtualbox

pytestmark = pytest.mark.lab
RELEASE = glue.RELEASES[-1]
PROGRAM = Path(__file__).parent / "rig/glue_walk.py"


@pytest.fixture
def real(space: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in virtualbox.environment(home / "vbox").items():
        monkeypatch.setenv(name, value)
    place = space / "virtualbox-stub"
    return (place if place.exists() else virtualbox.install(place)) / "vbox-python"


def said(python: Path, *words: str) -> Any:
    done = subprocess.run([python, PROGRAM, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_members_are_those_of_the_real_bindings(real: Path) -> None:
    sys.path.insert(0, str(virtualbox.SOURCE / "packaging/vboxapi-stub"))
    try:
        from vboxapi_stub.shapes import shapes
    finally:
        sys.path.pop(0)
    ours = shapes((7, 2))
    theirs = said(real, "members", *ours)
    wrong = {
        f"{interface}.{name}": (kind, theirs[interface].get(name))
        for interface, members in ours.items()
        for name, kind in members.items()
        if theirs[interface].get(name) != kind
    }
    assert wrong == {}


def test_the_same_walk_is_answered_alike(
    real: Path, space: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locks, rules, ports, controllers, media, snapshots: each step's result, or the number and words of its refusal."""
    wanted = said(real, "walk", str(home / "real"))
    for name, value in {
        "VBOX_STUB_HOME": home / "stub",
        "VBOX_PROGRAM_PATH": home,
        "VBOX_SDK_PATH": home,
    }.items():
        monkeypatch.setenv(name, str(value))
    found = said(glue.python(RELEASE, space), "walk", str(home / "real-not"))
    names = [step for step, _ in wanted]
    assert names == [step for step, _ in found]
    assert len(names) > 40
    differences = [
        (one, two)
        for one, two in zip(wanted, json.loads(json.dumps(found).replace("real-not", "real")), strict=True)
        if one != two
    ]
    assert differences == []


def test_it_hides_no_virtualbox(space: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("VBOX_")}
    done = subprocess.run(
        [glue.python(RELEASE, space), "-c", "import vboxapi; vboxapi.VirtualBoxManager(None, None)"],
        capture_output=True, text=True, check=False, env=environ,
    )  # fmt: skip
    assert done.returncode
    assert "VBOX_STUB_HOME" in done.stderr
