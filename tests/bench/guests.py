"""How soon a guest is ready, against the scripts people write for it, and how much room it takes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.bench.cases import WIZARD, Bench
from tests.bench.guest_material import KeyImage, key_images
from tests.bench.measure import Result, in_turn

PEERS = Path(__file__).parent / "peers"
READY, SPACE = 1.2, 1.05
_PATIENCE = 60.0
_OPTIONS = ["--memory", "2GiB", "--cpus", "1", "--disk", "20GiB", "--console", "ttya"]


def qemu(bench: Bench, *, small: bool) -> list[Result]:
    """Made, configured, started, first byte on the console; in QEMU."""
    home = Path(os.environ["SMARTOS_WIZARD_HOME"])
    _wizard(
        "guest", "list", "--hypervisors", "--json"
    )  # looks for the acceleration once, as a first use does
    engine = json.loads((home / "cache" / "qemu-engine.json").read_text())
    rows: list[Result] = []
    for image in _images(bench, small=small):
        rows += _in_qemu(bench, image, home / "state" / "guests" / "bench", engine)
    return rows


def _in_qemu(bench: Bench, image: KeyImage, folder: Path, engine: dict[str, str]) -> list[Result]:
    made: dict[str, list[float]] = {"our guest, made": [], "script, made": []}
    taken: list[int] = []
    theirs = bench.where / "script"

    def ours() -> float:
        start = time.time()
        with ThreadPoolExecutor() as beside:
            spoken = beside.submit(_spoken, folder / "console.log")
            ends = _ends(_create("bench", image, "qemu", "--start"))
        made["our guest, made"].append(ends[0] - start)
        spent = spoken.result() - start
        taken.append(_taken(folder))
        _wizard("guest", "delete", "bench", "--confirm", "bench", "--json")
        return spent

    def script() -> float:
        shutil.rmtree(theirs, ignore_errors=True)
        start = time.time()
        words = [image.path, image.sha256, theirs, image.root, engine["accelerator"], engine["cpu"]]
        with ThreadPoolExecutor() as beside:
            spoken = beside.submit(_spoken, theirs / "console.log")
            _call([str(PEERS / "quickemu.sh"), *map(str, words)])
        spent = spoken.result() - start
        made["script, made"].append(float((theirs / "made").read_text()) - start)
        _end(theirs / "pid")
        return spent

    seen = in_turn({"our guest, first byte": ours, "script, first byte": script}, bench.runs)
    seen |= {name: statistics.median(times) for name, times in made.items()}
    ratio = seen["our guest, first byte"] / seen["script, first byte"]
    alone = seen["our guest, made"] / seen["script, made"]
    space = max(taken) / image.taken
    mebi = {"guest": max(taken) / (1 << 20), "image": image.taken / (1 << 20)}
    peer = f"quickemu-style script, {engine['accelerator']}"
    return [
        _row(f"guest to first console byte, {image.label}", peer, ratio, READY, bench.runs, seen),
        _row(f"guest made, {image.label}", peer, alone, READY, bench.runs, seen),
        _row(f"room of a guest, {image.label}", "what its image occupies", space, SPACE, bench.runs, mebi, "MiB"),
    ]  # fmt: skip


def virtualbox(bench: Bench, *, small: bool) -> list[Result]:
    """Made and configured in the real VirtualBox; without its kernel module it starts nothing, so no further."""
    rows: list[Result] = []
    with _virtualbox() as place:
        for image in _images(bench, small=small):
            rows += _in_virtualbox(bench, image, place)
    return rows


def _in_virtualbox(bench: Bench, image: KeyImage, place: Path) -> list[Result]:
    folder, theirs = place / "home" / "state" / "guests" / "bench", place / "script"
    taken: list[int] = []

    def ours() -> float:
        _call(["VBoxManage", "-q", "list", "vms"])  # its server is there for both
        start = time.time()
        _create("bench", image, "virtualbox")
        spent = time.time() - start
        taken.append(_taken(folder))
        _wizard("guest", "delete", "bench", "--confirm", "bench", "--json")
        return spent

    def script() -> float:
        shutil.rmtree(theirs, ignore_errors=True)
        _call(["VBoxManage", "-q", "list", "vms"])
        start = time.time()
        _call(
            [
                str(PEERS / "vboxmanage.sh"),
                str(image.path),
                image.sha256,
                str(theirs),
                str(image.root),
                "peer",
            ]
        )
        spent = time.time() - start
        _call(["VBoxManage", "-q", "unregistervm", "peer", "--delete"])
        return spent

    seen = in_turn({"our guest, made": ours, "script, made": script}, bench.runs)
    ratio = seen["our guest, made"] / seen["script, made"]
    mebi = {"guest": max(taken) / (1 << 20), "image": image.taken / (1 << 20)}
    peer = "VBoxManage script"
    return [
        _row(f"VirtualBox guest made, {image.label}", peer, ratio, READY, bench.runs, seen),
        _row(f"room of a VirtualBox guest, {image.label}", "what its image occupies", max(taken) / image.taken,
             SPACE, bench.runs, mebi, "MiB"),
    ]  # fmt: skip


@contextlib.contextmanager
def _virtualbox() -> Iterator[Path]:
    """A place that the VirtualBox of the lab sees, with settings, a server and a home of its own."""
    from tests.lab.rig import virtualbox as rig
    from tests.lab.rig.space import private_space

    before = dict(os.environ)
    with private_space() as space:
        programs, place = rig.install(space / "programs"), space / "bench"
        place.mkdir()
        os.environ["PATH"] = f"{programs}:{before['PATH']}"
        os.environ["SMARTOS_WIZARD_HOME"] = str(place / "home")
        os.environ.update(rig.environment(place / "settings"))
        try:
            yield place
        finally:
            os.environ.clear()
            os.environ.update(before)


def _images(bench: Bench, *, small: bool) -> list[KeyImage]:
    return [image for image in key_images(bench.where.parent) if image.small is small]


def _create(name: str, image: KeyImage, hypervisor: str, *more: str) -> str:
    return _wizard("guest", "create", name, "--image", str(image.path), "--sha256", image.sha256,
                   "--hypervisor", hypervisor, *_OPTIONS, *more, "--json")  # fmt: skip


def _ends(events: str) -> list[float]:
    """When each of the plans was done: making it, then starting it."""
    told = [json.loads(line) for line in events.splitlines()]
    return [float(each["at"]) for each in told if each.get("event") == "plan-finished"]


def _wizard(*words: str) -> str:
    return _call([*WIZARD, *words])


def _call(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).decode()[-500:]
        raise SystemExit(f"{' '.join(command)}: exit {done.returncode}: {said}")
    return done.stdout.decode()


def _spoken(log: Path) -> float:
    """When the first byte was on the console."""
    until = time.time() + _PATIENCE
    while time.time() < until:
        with contextlib.suppress(FileNotFoundError):
            if log.stat().st_size:
                return time.time()
        time.sleep(0.01)
    raise SystemExit(f"nothing came on the console: {log}")


def _end(pidfile: Path) -> None:
    pid = int(pidfile.read_text())
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.01)


def _taken(folder: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def _row(
    name: str, peer: str, ratio: float, most: float, runs: int, seen: dict[str, float], unit: str = "s"
) -> Result:
    return Result(name, peer, ratio, f"≤ {most:g}", ratio <= most, runs, seen, unit)


CASES: dict[str, Callable[[Bench], list[Result]]] = {
    "guests-qemu": partial(qemu, small=False),
    "guests-qemu-small": partial(qemu, small=True),
    "guests-virtualbox": partial(virtualbox, small=False),
    "guests-virtualbox-small": partial(virtualbox, small=True),
}
