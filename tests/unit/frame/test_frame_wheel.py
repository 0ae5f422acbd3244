from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    where = tmp_path_factory.mktemp("wheel")
    # --no-build-isolation: hatchling is at hand, and the test needs no network
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(where),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = where.glob("*.whl")
    assert built.stat().st_size <= 2 * 1024 * 1024
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def test_the_wheel_holds_every_module_screen_and_asset_once(wheel: list[str]) -> None:
    wanted = {
        str(f.relative_to(ROOT))
        for f in (ROOT / "smartos_wizard").rglob("*.py")
        if "__pycache__" not in f.parts
        and not {"screens", "assets"} & set(f.relative_to(ROOT / "smartos_wizard").parts[:1])
    }
    for extra in ("screens", "assets"):
        wanted |= {
            f"smartos_wizard/{f.relative_to(ROOT)}"
            for f in (ROOT / extra).rglob("*")
            if f.is_file() and "__pycache__" not in f.parts
        }
    inside = {n for n in wheel if ".dist-info/" not in n}
    assert inside == wanted
    assert len(wheel) == len(set(wheel))


def test_the_wheel_brings_no_tests_and_no_second_screens(wheel: list[str]) -> None:
    assert not [n for n in wheel if n.startswith(("tests/", "screens/", "assets/", "packaging/"))]
    assert any(n.endswith("LICENSE") for n in wheel)
