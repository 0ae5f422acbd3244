"""Runs contenders in turn, several times, and compares their medians. Ratios only: seconds are this machine's."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Contender = Callable[[], float]
"""Does the work once and returns the seconds it took (or another number to compare)."""


@dataclass
class Result:
    """One line of the report: `ratio` compares ours with the peer, `bar` is what was to be reached."""

    name: str
    peer: str
    ratio: float
    bar: str
    reached: bool
    runs: int
    numbers: dict[str, float] = field(default_factory=dict)
    unit: str = "s"


def in_turn(contenders: Mapping[str, Contender], runs: int) -> dict[str, float]:
    """The median of each contender; they take turns, so that a busy moment hits all alike."""
    seen: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(runs):
        for name, contender in contenders.items():
            seconds = contender()
            seen[name].append(seconds)
            print(f"    {name}: {seconds:.2f} ({number + 1}/{runs})", file=sys.stderr, flush=True)
    return {name: statistics.median(values) for name, values in seen.items()}


def timed(command: list[str] | str) -> Contender:
    """A contender that runs a command (a string runs in bash with pipefail) and returns its wall time."""
    argv = ["bash", "-o", "pipefail", "-c", command] if isinstance(command, str) else command

    def once() -> float:
        start = time.perf_counter()
        done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        spent = time.perf_counter() - start
        if done.returncode:
            raise SystemExit(f"{command}: exit {done.returncode}: {done.stderr.decode()[-500:]}")
        return spent

    return once


@dataclass(frozen=True)
class OwnRun:
    """What one run of `key write --json` showed. Seconds from the start of the process, and peak memory."""

    whole: float
    written: float
    result: dict[str, object]
    peak_bytes: int

    @property
    def bytes_written(self) -> int:
        """What reached the first target, in bytes; what it held already is not counted."""
        keys = self.result["keys"]
        assert isinstance(keys, list)
        return int(keys[0]["written"])


def key_write(targets: list[str], image: str, sha256: str) -> OwnRun:
    """Run our command as a user would; `written` is when the last boot sector was on the device."""
    confirm = [part for target in targets for part in ("--confirm", target)]
    command = [sys.executable, "-m", "smartos_wizard", "key", "write", *targets, "--image", image,
               "--sha256", sha256, "--allow-fixed", "--json", *confirm]  # fmt: skip
    start, written = time.perf_counter(), 0.0
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    last: dict[str, object] = {}
    for line in process.stdout:
        last = json.loads(line)
        if last.get("event") == "step-finished" and last.get("step") == "boot-sectors":
            written = time.perf_counter() - start
    _, status, usage = os.wait4(process.pid, 0)
    whole = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise SystemExit(f"key write failed: {last}")
    result = last.get("result")
    assert isinstance(result, dict)
    return OwnRun(whole, written or whole, result, usage.ru_maxrss * 1024)
