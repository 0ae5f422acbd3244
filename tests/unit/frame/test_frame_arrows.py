from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
INTERFACE = ("textual", "rich", "click")
HEAVY = ("textual", "rich", "requests", "usb", "pycdlib", "isal", "xxhash", "dissect")
ENGINE = ("core", "releases", "boot", "media", "practice", "world")


def modules_of(room: str) -> list[str]:
    base = ROOT / "smartos_wizard" / room
    files = sorted(base.rglob("*.py")) if base.is_dir() else [base.with_suffix(".py")]
    names = [".".join(f.relative_to(ROOT).with_suffix("").parts) for f in files]
    return [n.removesuffix(".__init__") for n in names]


def loaded_by(code: str) -> set[str]:
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return set(json.loads(out.stdout.splitlines()[-1]))


@pytest.mark.parametrize("room", ENGINE)
def test_no_room_of_the_engine_loads_the_interface(room: str) -> None:
    loaded = loaded_by("\n".join(f"import {name}" for name in modules_of(room)))
    assert not {m for m in loaded if m.split(".")[0] in INTERFACE}
    assert not {
        m
        for m in loaded
        if m.startswith(("smartos_wizard.cli", "smartos_wizard.screens", "smartos_wizard.app"))
    }


def test_the_privileged_program_needs_the_standard_library_only() -> None:
    files = modules_of("privileged")
    loaded = loaded_by("\n".join(f"import {name}" for name in files))
    ours = {m for m in loaded if m.startswith("smartos_wizard")}
    assert ours <= {"smartos_wizard", "smartos_wizard.privileged", *files}
    assert not {m for m in loaded if m.split(".")[0] in (*HEAVY, "click")}


def test_core_knows_nothing_of_smartos() -> None:
    loaded = loaded_by("\n".join(f"import {name}" for name in modules_of("core")))
    assert {m.split(".")[1] for m in loaded if m.startswith("smartos_wizard.")} == {"core"}


def test_the_version_is_told_without_loading_anything_heavy() -> None:
    code = "import sys; sys.argv = ['smartos-wizard', '--version']\ntry:\n    from smartos_wizard.__main__ import main; main()\nexcept SystemExit: pass"
    loaded = loaded_by(code)
    assert not {m for m in loaded if m.split(".")[0] in HEAVY}


def test_the_contracts_hold() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    out = subprocess.run([tool], capture_output=True, text=True, cwd=ROOT, check=False)
    assert out.returncode == 0, out.stdout
