"""What is measured, against whom, and what is to be reached."""

from __future__ import annotations

import contextlib
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import devices
from tests.bench.material import Material
from tests.bench.measure import OwnRun, Result, in_turn, key_write, timed

WIZARD = [sys.executable, "-m", "smartos_wizard"]
INFLATE = """
import sys
from pathlib import Path
from smartos_wizard.media.decode import open_decoder
from smartos_wizard.media.model import ImageKind
with Path(sys.argv[1]).open("rb", buffering=0) as file:
    decoder, slot = open_decoder(file, ImageKind.GZIP), memoryview(bytearray(4 << 20))
    while decoder.readinto(slot):
        pass
"""


@dataclass
class Bench:
    """What every case needs."""

    material: Material
    where: Path
    runs: int

    def ours(self, target: str) -> OwnRun:
        """Our command, once, on one target."""
        return key_write([target], str(self.material.packed), self.material.sha256)


def _dd(source: Path, device: str) -> list[str]:
    return ["dd", f"if={source}", f"of={device}", "bs=4M", "oflag=direct", "conv=fsync", "status=none"]


def _read(device: str, size: int) -> str:
    return f"dd if={device} of=/dev/null bs=4M iflag=direct,count_bytes count={size} status=none"


def _compare(bench: Bench, slow: devices.Device, label: str, *, fast: bool) -> list[Result]:
    device = slow.path
    raw, packed, size = bench.material.raw, bench.material.packed, bench.material.size
    whole: list[float] = []

    def ours() -> float:
        slow.foul()
        run = bench.ours(device)
        if run.bytes_written < bench.material.size * 0.95:
            raise SystemExit(f"only {run.bytes_written} bytes were written: that is no fair comparison")
        whole.append(run.whole)
        return run.written

    contenders: dict[str, Callable[[], float]] = {
        "key write, until written": ours,
        "dd of the raw image": timed(_dd(raw, device)),
        "read back with dd": timed(_read(device, size)),
    }
    if fast:
        contenders["inflate to nowhere"] = timed([sys.executable, "-c", INFLATE, str(packed)])
        both = f"gzip -dc {packed} | dd of={device} bs=4M iflag=fullblock oflag=direct conv=fsync status=none"
        back = f"gzip -dc {packed} | cmp -n {size} - {device}"
        contenders["gzip | dd, then gzip | cmp"] = timed(
            f"{both} && echo 3 > /proc/sys/vm/drop_caches && {back}"
        )
        contenders["bmaptool copy --nobmap"] = timed(
            ["bmaptool", "-q", "copy", "--nobmap", str(packed), device]
        )
    seen = in_turn(contenders, bench.runs)
    seen["key write, until proven"] = statistics.median(whole)
    slowest = max(seen["dd of the raw image"], seen.get("inflate to nowhere", 0.0))
    written, proven = seen["key write, until written"], seen["key write, until proven"]
    reading = seen["read back with dd"]
    rows = [
        _row(f"write, {label}", "larger of dd and inflating", written / slowest, 1.05, bench, seen),
        _row(f"write and prove, {label}", "that + raw read", proven / (slowest + reading), 1.05, bench, seen),
    ]
    if fast:
        for peer, factor in (("gzip | dd, then gzip | cmp", 4.0), ("bmaptool copy --nobmap", 3.0)):
            times = seen[peer] / proven
            rows.append(
                Result(
                    f"times faster, {label}", peer, times, f"≥ {factor:g}", times >= factor, bench.runs, seen
                )
            )
    return rows


def _row(name: str, peer: str, ratio: float, most: float, bench: Bench, seen: dict[str, float]) -> Result:
    return Result(name, peer, ratio, f"≤ {most:g}", ratio <= most, bench.runs, seen)


def unthrottled(bench: Bench) -> list[Result]:
    """On a loop device, as fast as this machine goes."""
    with devices.loop(bench.where, "fast") as device:
        return _compare(bench, device, "loop device", fast=True)


def throttled(bench: Bench) -> list[Result]:
    """On devices as slow as keys are."""
    rows: list[Result] = []
    for speed in (150, 60, 20):
        with devices.throttled(bench.where, f"slow{speed}", speed) as device:
            rows += _compare(bench, device, f"{speed} MB/s", fast=False)
    return rows


def unchanged(bench: Bench) -> list[Result]:
    """The same key written again: read, compare, write nothing."""
    with devices.loop(bench.where, "again") as made:
        device = made.path
        bench.ours(device)
        written: list[int] = []

        def ours() -> float:
            run = bench.ours(device)
            written.append(run.bytes_written)
            return run.whole

        seen = in_turn(
            {
                "key write again": ours,
                "read back with dd": timed(_read(device, bench.material.size)),
                "inflate to nowhere": timed([sys.executable, "-c", INFLATE, str(bench.material.packed)]),
            },
            bench.runs,
        )
    slowest = max(seen["read back with dd"], seen["inflate to nowhere"])
    row = _row(
        "unchanged key again",
        "larger of read and inflate",
        seen["key write again"] / slowest,
        1.1,
        bench,
        seen,
    )
    row.numbers["bytes written"] = float(max(written))
    row.reached = row.reached and max(written) == 0
    return [row]


def four_keys(bench: Bench) -> list[Result]:
    """Four keys at once against one, each at 60 MB/s."""
    with contextlib.ExitStack() as stack:
        keys = [stack.enter_context(devices.throttled(bench.where, f"four{n}", 60)) for n in range(4)]

        def run(chosen: list[devices.Device]) -> Callable[[], float]:
            def once() -> float:
                for key in chosen:
                    key.foul()
                return key_write(
                    [key.path for key in chosen], str(bench.material.packed), bench.material.sha256
                ).whole

            return once

        seen = in_turn({"four keys": run(keys), "one key": run(keys[:1])}, bench.runs)
    return [
        _row("four keys at once, 60 MB/s", "one key", seen["four keys"] / seen["one key"], 1.15, bench, seen)
    ]


def memory(bench: Bench) -> list[Result]:
    """Peak resident memory of the whole `key write` process."""
    with devices.loop(bench.where, "memory") as device:
        peaks = [bench.ours(device.path).peak_bytes / (1 << 20) for _ in range(bench.runs)]
    peak = max(peaks)
    return [
        Result(
            "peak memory of key write",
            "96 MiB",
            peak / 96,
            "≤ 1",
            peak <= 96,
            bench.runs,
            {"peak": peak},
            "MiB",
        )
    ]


def cancel(bench: Bench) -> list[Result]:
    """From Ctrl-C to the prompt, at 20 MB/s."""
    worst: list[float] = []
    with devices.throttled(bench.where, "cancel", 20) as made:
        device = made.path
        for number in range(bench.runs):
            made.foul()
            command = [*WIZARD, "key", "write", device, "--image", str(bench.material.packed), "--sha256",
                       bench.material.sha256, "--allow-fixed", "--confirm", device, "--json"]  # fmt: skip
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(4 + number)
            start = time.perf_counter()
            process.send_signal(signal.SIGINT)
            code = process.wait(timeout=60)
            worst.append(time.perf_counter() - start)
            if code != 3:
                raise SystemExit(f"cancelled key write left with {code}")
    slowest = max(worst)
    return [
        Result("cancel at 20 MB/s", "2 s", slowest / 2, "≤ 1", slowest <= 2, bench.runs, {"slowest": slowest})
    ]


CASES: dict[str, Callable[[Bench], list[Result]]] = {
    "loop": unthrottled,
    "unchanged": unchanged,
    "memory": memory,
    "cancel": cancel,
    "four-keys": four_keys,
    "throttled": throttled,
}
