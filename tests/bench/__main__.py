"""`python -m tests.bench`: run the cases and write docs/performance.md.

Only devices made here are written to: loop devices over files of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import cases, guests, netboot, program
from tests.bench.cases import Bench
from tests.bench.material import prepare
from tests.bench.measure import Result

ROOT = Path(__file__).resolve().parents[2]
KEEP = ROOT / ".bench"
REPORT = ROOT / "docs" / "performance.md"
MEASURED = Path(__file__).with_name("measured.json")
"""The newest rows of each case, so that one can be measured again without the others, in another checkout too."""
CASES = {**program.CASES, **cases.CASES, **guests.CASES, **netboot.CASES}


def main() -> int:
    """Run the chosen cases; exit 1 where a bar was not reached."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each contender; the median counts")
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--no-report", action="store_true", help="print, do not write docs/performance.md")
    chosen = parser.parse_args()
    if os.geteuid() != 0 or platform.system() != "Linux":
        print("make bench needs root on Linux: it makes loop devices.", file=sys.stderr)
        return 2
    results = _run(chosen.only, chosen.runs)
    if not chosen.no_report:
        _remember(results)
        REPORT.write_text(_report(), encoding="utf-8")
    rows = [row for some in results.values() for row in some]
    missed = [r for r in rows if not r.reached]
    for row in rows:
        print(f"{'ok  ' if row.reached else 'MISS'} {row.name}: {row.ratio:.2f} of {row.peer} ({row.bar})")
    return 1 if missed else 0


def _run(names: list[str], runs: int) -> dict[str, list[Result]]:
    KEEP.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEEP) as place:
        os.environ["SMARTOS_WIZARD_HOME"] = str(Path(place, "home"))
        material = prepare(KEEP) if set(names) - set(guests.CASES) - set(netboot.CASES) else None
        bench = Bench(material, Path(place), runs)  # type: ignore[arg-type]  # guests and netboot have material of their own
        results: dict[str, list[Result]] = {}
        for name in names:
            print(f"{name} …", file=sys.stderr, flush=True)
            results[name] = CASES[name](bench)
        return results


def _remember(results: dict[str, list[Result]]) -> None:
    kept = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    now = time.strftime("%Y-%m-%d", time.gmtime())
    kept |= {
        name: {"when": now, "load": round(os.getloadavg()[1], 1), "rows": [vars(r) for r in rows]}
        for name, rows in results.items()
    }
    MEASURED.write_text(json.dumps(kept, indent=1) + "\n")


def _report() -> str:
    lines = [
        "# Performance",
        "",
        "Written by `make bench`. Ratios of medians; contenders take turns in one run on the same device, so the",
        "ratios mean something on other machines and the seconds do not. The image has the true size of a SmartOS",
        "USB image (1,940,000,256 bytes) with 900 MB of real program files in it; `key write` reads the `.gz`,",
        "checks its sha256, writes, and proves by reading everything back past the cache. Slowed devices read",
        "three times as fast as they write.",
        "",
        "Guests are made by `guest create` (checksum, own copy of the key, console set and proven, disk, what the",
        "hypervisor made of it) and started by its `--start`; the scripts in `tests/bench/peers/` do the same work in the",
        "manner people write it, with the same acceleration, and prove nothing and sync nothing. The images print a line on",
        "the console from their first sector. VirtualBox is the real one without its kernel module, so its guests are made",
        "and not started. Where a ratio is missed, the image is tiny (a real one has 1.9 GB): what remains is the start of",
        "Python, about 0.3 s for each command, the proof of the key, and with VirtualBox more calls of VBoxManage than the",
        "script makes, because every switch of the sandbox is set and read back. A load beside the numbers says that the",
        "machine had more to do than it has processors for.",
        "",
        "| What | Against | Ratio | To reach | Runs | Measured |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    details = ["", "## Medians behind the ratios", ""]
    kept = json.loads(MEASURED.read_text())
    for case in CASES:
        if case not in kept:
            lines.append(f"| {case} | – | not measured | | | |")
            continue
        data = kept[case]
        shown: list[dict[str, float]] = []
        for row in data["rows"]:
            mark = "" if row["reached"] else " **missed**"
            peer = row["peer"].replace("|", "\\|")  # a bar would end the cell
            lines.append(
                f"| {row['name']} | {peer} | {row['ratio']:.2f} | {row['bar']}{mark} | {row['runs']} | {data['when']} |"
            )
            if row["numbers"] not in shown:
                shown.append(row["numbers"])
                numbers = (f"{k} {v:.2f}" for k, v in row["numbers"].items())
                busy = f" (load {data['load']:g})" if data.get("load", 0) > 2 * (os.cpu_count() or 1) else ""
                details.append(f"- {row['name']} ({row['unit']}): " + ", ".join(numbers) + busy)
    cores = os.cpu_count()
    tail = ["", f"Machine: {cores} cores, {platform.machine()}, Python {platform.python_version()}."]
    return "\n".join(lines + details + tail) + "\n"


if __name__ == "__main__":
    sys.exit(main())
