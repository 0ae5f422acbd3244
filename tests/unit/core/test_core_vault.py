"""Secrets between a plan and its execution."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.paths import below
from smartos_wizard.core.vault import KEEP_SECONDS, Vault


def _files(home: Path) -> list[Path]:
    return [p for p in home.rglob("*") if p.is_file()]


def test_a_secret_comes_back_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    vault = Vault(below(tmp_path))
    name = vault.put(b"open sesame")
    assert vault.get(name) == b"open sesame"
    (file,) = _files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_its_name_tells_nothing_and_differs_each_time(tmp_path: Path) -> None:
    vault = Vault(below(tmp_path))
    assert vault.put(b"same") != vault.put(b"same")


def test_a_forgotten_secret_is_gone_and_said_to_be(tmp_path: Path) -> None:
    vault = Vault(below(tmp_path))
    name = vault.put(b"x")
    vault.forget(name)
    vault.forget(name)
    with pytest.raises(Refused) as caught:
        vault.get(name)
    assert caught.value.reference == "secret-gone"
    assert not _files(tmp_path)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 31, "Z" * 32, "a" * 32 + "\n"])
def test_a_name_cannot_lead_out_of_the_vault(tmp_path: Path, name: str) -> None:
    vault = Vault(below(tmp_path))
    vault.put(b"x")
    with pytest.raises(Refused):
        vault.get(name)
    vault.forget(name)
    assert len(_files(tmp_path)) == 1


def test_what_nobody_fetched_for_a_week_is_removed_by_the_next_secret(tmp_path: Path) -> None:
    vault = Vault(below(tmp_path))
    old, young = vault.put(b"old"), vault.put(b"young")
    (path,) = [p for p in _files(tmp_path) if p.name == old]
    long_ago = path.stat().st_mtime - KEEP_SECONDS - 60
    os.utime(path, (long_ago, long_ago))
    vault.put(b"new")
    assert vault.get(young) == b"young"
    with pytest.raises(Refused):
        vault.get(old)
