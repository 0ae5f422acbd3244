"""Which of the two ways to VirtualBox is taken, and how vboxapi's process is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartos_wizard.core.settings import load, save
from smartos_wizard.guests.virtualbox.api import child
from smartos_wizard.world import real_world


def test_it_is_chosen_by_a_setting(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml", {}).virtualbox == ""
    assert load(tmp_path / "none.toml", {"SMARTOS_WIZARD_VIRTUALBOX": "API"}).virtualbox == "api"


@pytest.mark.parametrize("setting, kind", [("", "VirtualBoxDriver"), ("api", "VirtualBoxApiDriver")])
def test_the_world_takes_the_driver_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, kind: str
) -> None:
    monkeypatch.setenv("SMARTOS_WIZARD_HOME", str(tmp_path))
    monkeypatch.setenv("SMARTOS_WIZARD_VIRTUALBOX", setting)
    first = real_world().hypervisors()[0]
    assert (type(first).__name__, first.id) == (kind, "virtualbox")


def test_it_is_kept_with_the_other_settings(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('virtualbox = "api"\n')
    save(file, load(file, {}))
    assert load(file, {}).virtualbox == "api"


def test_the_python_that_is_named_is_the_only_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(child.PYTHON, "/somewhere/python")
    assert list(child.pythons()) == ["/somewhere/python"]
    monkeypatch.delenv(child.PYTHON)
    assert "/usr/bin/python3" in list(child.pythons())
