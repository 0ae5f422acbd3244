"""What every test gets: a home of its own, so that nobody's settings, downloads or journals are read or written."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.core.paths import Paths, below
from smartos_wizard.guests.store import GuestStore

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Begun in the background of a shell, Ctrl-C would be ignored by everything that a test starts, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
def paths(tmp_path: Path) -> Iterator[Paths]:
    """Directories of this test alone."""
    found = below(tmp_path / "wizard")
    yield found
    sockets = GuestStore(found).sockets_of("0" * 8).parent
    if sockets.parent == Path(tempfile.gettempdir()):  # where the test's own directory has too long a name
        shutil.rmtree(sockets, ignore_errors=True)
