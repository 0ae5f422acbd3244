"""What every test gets: a home of its own, so that nobody's settings, downloads or journals are read or written."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartos_wizard.core.paths import Paths, below


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SMARTOS_WIZARD_HOME", str(home))
    for name in (
        "SMARTOS_WIZARD_MIRROR",
        "SMARTOS_WIZARD_PRACTICE",
        "SMARTOS_WIZARD_ASCII",
        "SMARTOS_WIZARD_THEME",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Directories of this test alone."""
    return below(tmp_path / "wizard")
