"""Where secrets wait between a plan and its execution: files of this user only, named by chance.

A plan is journaled, so it may hold no secret. It holds the name of one that lies here. Knows nothing of SmartOS.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from pathlib import Path

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.paths import Paths, private_directory
from smartos_wizard.core.plan import Plan

_NAME = re.compile(r"[0-9a-f]{32}\Z")
KEEP_SECONDS = 7 * 24 * 3600
"""How long a secret may lie here when nobody fetched it: a plan that was made and never run."""


class Vault:
    """Secrets of this user, mode 0600 in a directory of mode 0700."""

    def __init__(self, paths: Paths) -> None:
        self._root = paths.state / "vault"

    def put(self, data: bytes) -> str:
        """Keep `data`; return its name, which tells nothing about it. Raises OSError."""
        self.sweep()
        name = secrets.token_hex(16)
        path = private_directory(self._root) / name
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        return name

    def get(self, name: str) -> bytes:
        """What was kept under `name`. Raises Refused `secret-gone`."""
        try:
            if not _NAME.match(name):
                raise FileNotFoundError(name)
            return (self._root / name).read_bytes()
        except OSError as error:
            raise Refused(
                "secret-gone",
                "What was to be put there is no longer kept: it waits for a week, or until it was used.",
                hint="Give the same command or the same answers once more.",
            ) from error

    def forget(self, name: str) -> None:
        """Remove it; nothing happens where it is gone already."""
        if _NAME.match(name):
            with contextlib.suppress(OSError):
                (self._root / name).unlink()

    def forget_of(self, plan: Plan) -> None:
        """Remove what a plan names that will not be executed."""
        for params in (plan.params, *(step.params for step in plan.steps)):
            for value in params.values():
                if isinstance(value, str):
                    self.forget(value)

    def waiting(self) -> tuple[tuple[str, Path, float], ...]:
        """What is kept just now: its name, its file, and since when (seconds since the epoch). Never its content."""
        with contextlib.suppress(OSError):
            return tuple(
                (p.name, p, p.stat().st_mtime) for p in sorted(self._root.iterdir()) if _NAME.match(p.name)
            )
        return ()

    def sweep(self) -> None:
        """Remove what nobody fetched for a week."""
        with contextlib.suppress(OSError):
            for path in self._root.iterdir():
                with contextlib.suppress(OSError):
                    if time.time() - path.stat().st_mtime > KEEP_SECONDS:
                        path.unlink()
