"""Runs the real command in a process of its own, and reads what it says as a script would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.rig.parts import CHECKOUT, PYTHON
from tests.lab.rig.space import MARK

PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every JSON line of stdout."""
        return [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]

    @property
    def document(self) -> Any:
        """stdout as one JSON document."""
        return json.loads(self.stdout)

    @property
    def last(self) -> dict[str, Any]:
        """The last line: the result. An answer in one document is its own last line."""
        lines = self.stdout.strip().splitlines()
        data: dict[str, Any] = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else self.document
        return data

    @property
    def reference(self) -> str:
        """The name of the error, at the top level of the last line."""
        return str(self.last.get("reference", ""))

    @property
    def keys(self) -> list[dict[str, Any]]:
        """What became of each target."""
        found: list[dict[str, Any]] = (self.last.get("result") or {}).get("keys", [])
        return found

    def told(self) -> str:
        """Everything, for the message of a failed assertion."""
        return f"exit code {self.code}\n--- stdout\n{self.stdout[-6000:]}\n--- stderr\n{self.stderr[-3000:]}"


def argv(*words: str | Path) -> list[str]:
    """The command line of the program in this checkout."""
    return [PYTHON, "-m", "smartos_wizard", *(str(word) for word in words)]


def environment(home: Path, **more: str) -> dict[str, str]:
    """A clean environment with the program's own directories below `home`."""
    names = ("PATH", "LANG", "LC_ALL", "USER", "LOGNAME", MARK)
    kept = {name: os.environ[name] for name in names if name in os.environ}
    own = {"HOME": str(home), "SMARTOS_WIZARD_HOME": str(home), "PYTHONPATH": str(CHECKOUT), "TERM": "dumb"}
    return {**kept, **own, **more}


class Running:
    """A command at work. Its lines can be waited for while it runs."""

    def __init__(self, line: Sequence[str], home: Path, more: Mapping[str, str] | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            list(line),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=home,
            env=environment(home, **(more or {})),
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._errors: list[str] = []
        self._news = threading.Condition()
        streams = ((self.process.stdout, self._lines), (self.process.stderr, self._errors))
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, into: list[str]) -> None:
        for line in stream:
            with self._news:
                into.append(line)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE) -> dict[str, Any]:
        """The first event that `wanted` likes. Fails when the command ends or the time is over before."""
        deadline = time.monotonic() + seconds
        seen = 0
        with self._news:
            while True:
                while seen < len(self._lines):
                    line = self._lines[seen]
                    seen += 1
                    event = json.loads(line) if line.startswith("{") else {}
                    if wanted(event):
                        return event
                over = not self._readers[0].is_alive() and seen == len(self._lines)
                if over or time.monotonic() > deadline:
                    words = "".join(self._lines[-20:]) + "".join(self._errors[-20:])
                    raise AssertionError(f"the awaited event did not come; last lines:\n{words}")
                self._news.wait(0.05)

    def written(self, step: str, share: float, seconds: float = PATIENCE) -> dict[str, Any]:
        """Wait until the step has done at least `share` of its bytes."""

        def far_enough(event: dict[str, Any]) -> bool:
            if event.get("event") != "advanced" or event.get("step") != step or not event.get("done"):
                return False
            total = event.get("total") or 0
            return bool(total) and event["done"] >= share * total

        return self.wait_for(far_enough, seconds)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self.process.send_signal(number)

    def end(self, seconds: float = PATIENCE) -> Outcome:
        """Wait for the end; a command that hangs is killed and fails the test."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"hangs after {seconds} s:\n{''.join(self._lines[-20:])}") from None
        for reader in self._readers:
            reader.join(5)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return Outcome(code, "".join(self._lines), "".join(self._errors))

    def kill(self) -> None:
        """kill -9 of the whole session of the command."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def run(
    home: Path, *words: str | Path, seconds: float = PATIENCE, more: Mapping[str, str] | None = None
) -> Outcome:
    """Run the command to its end."""
    return Running(argv(*words), home, more).end(seconds)
