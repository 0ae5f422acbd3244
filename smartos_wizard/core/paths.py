"""Where this program keeps its files.

`SMARTOS_WIZARD_HOME` puts everything below one directory: tests and the practice world use it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_APP = "smartos-wizard"


@dataclass(frozen=True, slots=True)
class Paths:
    """Directories of this program. They are made when first written to, not before."""

    config: Path
    cache: Path
    state: Path
    runtime: Path

    @property
    def store(self) -> Path:
        """Downloaded releases."""
        return self.cache / "releases"

    @property
    def jobs(self) -> Path:
        """One directory per job: its plan, journal and lock."""
        return self.state / "jobs"

    @property
    def receipts(self) -> Path:
        """One JSON file per proven key."""
        return self.state / "receipts"

    @property
    def settings_file(self) -> Path:
        """The user's settings."""
        return self.config / "settings.toml"


def below(home: Path) -> Paths:
    """All directories below one."""
    return Paths(home / "config", home / "cache", home / "state", home / "run")


def user_paths() -> Paths:
    """The directories this user's programs use on this system, or those below `SMARTOS_WIZARD_HOME`."""
    home = os.environ.get("SMARTOS_WIZARD_HOME")
    if home:
        return below(Path(home).expanduser())
    import platformdirs

    state = Path(platformdirs.user_state_dir(_APP))
    # Not platformdirs' runtime directory: it warns, and falls back to a shared /tmp, where there is no session.
    session = os.environ.get("XDG_RUNTIME_DIR")
    return Paths(
        Path(platformdirs.user_config_dir(_APP)),
        Path(platformdirs.user_cache_dir(_APP)),
        state,
        Path(session) / _APP if session else state / "run",
    )


def private_directory(path: Path) -> Path:
    """Make `path` and its parents, readable by this user only, and return it."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path
