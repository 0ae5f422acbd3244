"""What a run of a re-install has begun and finished: lines of JSON in the state directory, each on the disk before the next act.

So the same command given again takes up what was cut off: what was finished is not done again, what was begun is
settled by asking the machine. Fingerprints that a person agreed to lie beside it, so that any front end may add one. No
secrets. Imports nothing that connects.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.files import exclusive, replace_file, sync_directory
from smartos_wizard.core.paths import Paths, private_directory
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.text import tame

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/=_-]{43}")
_REACHED = ("address", "host", "port", "wait", "secret", "console")
"""Of a plan's parameters, those that say how to reach the machine: they may change between two tries."""


def plan_id(plan: Plan) -> str:
    """What this plan's run is kept under: the same for the same plan, however the machine is reached. 16 hex digits."""
    if plan.params.get("run"):
        return str(plan.params["run"])
    data = plan.to_json()
    data["params"] = {name: value for name, value in data["params"].items() if name not in _REACHED}
    for name in ("plan", "locks", "seconds"):
        data.pop(name)
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def accept(paths: Paths, run: str, fingerprint: str) -> None:
    """Agree to a host key for this run; it goes on by itself then. Raises UsageProblem `bad-fingerprint`."""
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise UsageProblem("bad-fingerprint", f"{tame(fingerprint)} is no fingerprint of a key.", hint="It looks like SHA256: and 43 letters and digits.")  # fmt: skip
    place = private_directory(private_directory(paths.state / "reinstalls") / run)
    with (place / "accepted").open("a", encoding="utf-8") as file:
        file.write(fingerprint + "\n")
        file.flush()
        os.fsync(file.fileno())


class Record:
    """One run's notes. `destroying` is True once nothing can be taken back any more."""

    def __init__(self, paths: Paths, run: str) -> None:
        self.run = run
        self.place = paths.state / "reinstalls" / run
        self._file = self.place / "record.jsonl"
        self._lines = _read(self._file)

    @property
    def fresh(self) -> bool:
        """Whether nothing was begun."""
        return not any("begin" in line for line in self._lines)

    def lock(self) -> AbstractContextManager[None]:
        """Hold the run: one process at a time works on it. Entering raises Refused `run-at-work`."""
        private_directory(self.place.parent)
        private_directory(self.place)
        busy = Refused("run-at-work", "Another process works on this re-install right now.", hint="`smartos-wizard job list` shows it.")  # fmt: skip
        return exclusive(self.place / "lock", busy)

    def begin(self, step: str, **facts: Any) -> None:
        """Note that the step is begun, before anything of it is done."""
        self._note({"begin": step, **facts})

    def finish(self, step: str, **facts: Any) -> None:
        """Note that it is done."""
        self._note({"finish": step, **facts})

    def note(self, step: str, **facts: Any) -> None:
        """Note something that belongs to the step."""
        self._note({"note": step, **facts})

    def began(self, step: str) -> bool:
        """Whether it was begun."""
        return any(line.get("begin") == step for line in self._lines)

    def finished(self, step: str) -> bool:
        """Whether it was done to its end."""
        return any(line.get("finish") == step for line in self._lines)

    def facts(self, step: str) -> dict[str, Any]:
        """All that was noted with it, the newest of each name."""
        found: dict[str, Any] = {}
        for line in self._lines:
            if step in (line.get("begin"), line.get("note"), line.get("finish")):
                found |= {
                    name: value
                    for name, value in line.items()
                    if name not in ("begin", "note", "finish", "at")
                }
        return found

    @property
    def rebooted(self) -> bool:
        """Whether the machine was told to reboot."""
        return any("boot" in line for line in self._lines)

    @property
    def last_boot(self) -> int | None:
        """When the machine had started before the last reboot that it was told of; None where that is not known."""
        told = [line["boot"] for line in self._lines if "begin" in line and "boot" in line]
        return told[-1] if told else None

    @property
    def destroying(self) -> bool:
        """Whether the step that destroys was begun, and it was not seen since that nothing was destroyed."""
        begun = False
        for line in self._lines:
            if line.get("destroys") is not None:
                begun = bool(line["destroys"])
        return begun

    @property
    def accepted(self) -> tuple[str, ...]:
        """Fingerprints of host keys that a person agreed to."""
        try:
            return tuple((self.place / "accepted").read_text(encoding="utf-8").split())
        except OSError:
            return ()

    def keep(self, name: str, data: bytes) -> Path:
        """A file beside the record; where it is."""
        replace_file(self.place / name, data)
        return self.place / name

    def forget(self, why: str) -> None:
        """Put the notes aside: everything was taken back, and the next run begins at the beginning."""
        if self._file.exists():
            self._file.rename(
                self.place / f"{why}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.jsonl"
            )
            sync_directory(self.place)
        self._lines = []

    def _note(self, line: dict[str, Any]) -> None:
        line["at"] = round(time.time(), 3)
        private_directory(self.place.parent)
        private_directory(self.place)
        new = not self._file.exists()
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync_directory(self.place)
        self._lines.append(line)


def _read(path: Path) -> list[dict[str, Any]]:
    """The lines; one that was cut short by a crash is passed over."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        try:
            data = json.loads(line)
        except ValueError:
            continue
        if isinstance(data, dict):
            found.append(data)
    return found
