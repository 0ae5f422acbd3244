"""The program itself: how soon it starts, and how fast it downloads."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from tests.bench.cases import WIZARD, Bench
from tests.bench.measure import Result, in_turn, timed


def starting(bench: Bench) -> list[Result]:
    """`--version` against importing click; the first screen against 0.8 s."""
    runs = max(bench.runs, 5)
    seen = in_turn(
        {
            "--version": timed([*WIZARD, "--version"]),
            "import click": timed([sys.executable, "-c", "import click"]),
            "first screen": _first_screen,
        },
        runs,
    )
    first = seen["first screen"]
    return [
        Result(
            "--version",
            'python -c "import click"',
            ratio := seen["--version"] / seen["import click"],
            "≤ 3",
            ratio <= 3,
            runs,
            seen,
        ),
        Result("first screen", "0.8 s", first / 0.8, "≤ 1", first <= 0.8, runs, seen),
    ]


def _first_screen() -> float:
    """Seconds until the wizard, on a terminal of its own, shows its question."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LINES="24", COLUMNS="80", LANG="C.UTF-8")
        os.execv(sys.executable, [*WIZARD, "--practice"])
    start, seen = time.perf_counter(), b""
    try:
        while b"do you want to do" not in seen:
            ready, _, _ = select.select([terminal], [], [], 20)
            if not ready:
                raise SystemExit("the first screen never came")
            seen += os.read(terminal, 65536)
        return time.perf_counter() - start
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def download(bench: Bench) -> list[Result]:
    """Download from loopback, hash included, against curl, which does not hash."""
    site = bench.where / "site"
    stamp = "20260903T001557Z"
    release = site / stamp
    release.mkdir(parents=True, exist_ok=True)
    name = f"smartos-{stamp}-USB.img.gz"
    if not (release / name).exists():
        os.link(bench.material.packed, release / name)
    (release / "sha256sums.txt").write_text(f"{bench.material.sha256} {name}\n")
    (site / "latest").write_text(f"/Joyent_Dev/public/SmartOS/{stamp}\n")
    from smartos_wizard.practice.entries import FolderTree
    from smartos_wizard.practice.server import MirrorServer

    with contextlib.ExitStack() as stack:
        server = MirrorServer(FolderTree(site)).start()
        stack.callback(server.close)
        base, to = server.url, bench.where / "down"
        stack.callback(shutil.rmtree, to, ignore_errors=True)

        fetched: list[float] = []

        def ours() -> float:
            shutil.rmtree(to, ignore_errors=True)
            to.mkdir()
            command = [*WIZARD, "release", "download", stamp, "--mirror", base, "--to", str(to), "--json"]
            process = subprocess.run(command, capture_output=True, text=True, check=False)
            events = [json.loads(line) for line in process.stdout.splitlines()]
            if process.returncode:
                raise SystemExit(f"download failed: {events[-1:]}")
            times = {e.get("event", "") + e.get("step", ""): e["at"] for e in events}
            fetched.append(times["step-finishedfetch"] - times["plan-started"])
            return float(times["plan-finished"] - times["plan-started"])

        def curl(and_then: str) -> Callable[[], float]:
            target = to / "curl.gz"
            line = f"mkdir -p {to} && curl -sf -o {target} {base.rstrip('/')}/{stamp}/{name}{and_then}"
            return timed(line)

        seen = in_turn(
            {
                "download, hashed and durable": ours,
                "curl": curl(""),
                "curl, then sync": curl(f" && sync -d {to / 'curl.gz'}"),
            },
            bench.runs,
        )
    seen["download, hashed"] = statistics.median(fetched)
    arrived = seen["curl"] / seen["download, hashed"]
    durable = seen["curl, then sync"] / seen["download, hashed and durable"]
    return [
        Result("download speed, hash included", "curl", arrived, "≥ 0.9", arrived >= 0.9, bench.runs, seen),
        Result(
            "download speed, hashed and on the disk",
            "curl, then sync",
            durable,
            "≥ 0.9",
            durable >= 0.9,
            bench.runs,
            seen,
        ),
    ]


CASES: dict[str, Callable[[Bench], list[Result]]] = {"starting": starting, "download": download}
