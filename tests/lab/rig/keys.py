"""Writing a key as a script does, and what must be true when it did not work."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab.rig.command import Outcome, Running, argv, run
from tests.lab.rig.disks import FILLING, Disk
from tests.lab.rig.images import MIB, Image

IN_TIME = 10.0
"""Seconds after a fault by which the command must have ended."""


def write_words(disk: str, image: Image, *more: str) -> list[str]:
    """`key write` of a loop device, confirmed."""
    return ["key", "write", disk, "--image", str(image.path), "--sha256", image.sha256,
            "--allow-fixed", "--confirm", disk, "--json", *more]  # fmt: skip


def write(home: Path, disk: Disk, image: Image, *, seconds: float = 120, **more: str) -> Outcome:
    """Write a key to the end. `more` goes into the environment."""
    return run(home, *write_words(disk.path, image), seconds=seconds, more=more)


def start(home: Path, disk: Disk, image: Image) -> Running:
    """Begin to write a key."""
    return Running(argv(*write_words(disk.path, image)), home)


def check(home: Path, disk: Disk, image: Image) -> Outcome:
    """Prove an old key."""
    words: list[str | Path] = [
        "key",
        "check",
        disk.path,
        "--image",
        image.path,
        "--sha256",
        image.sha256,
        "--allow-fixed",
        "--json",
    ]
    return run(home, *words)


def blank(disk: Disk) -> bool:
    """Whether nothing can boot from it: no boot code, no partition table."""
    return not any(disk.read(0, MIB))


def untouched(disk: Disk) -> bool:
    """Whether it still holds what its owner had on it."""
    return disk.read(0, len(FILLING)) == FILLING and FILLING in disk.read(4 * MIB - 4096, 4096)


def assert_failed(outcome: Outcome, code: int, home: Path) -> None:
    """It failed, everything it says agrees on that, and nothing anywhere calls the key proven."""
    assert outcome.code == code, outcome.told()
    assert outcome.last.get("exit_code") == code, outcome.told()
    assert outcome.reference, outcome.told()
    assert outcome.last.get("message"), outcome.told()
    assert not [key for key in outcome.keys if key.get("state") == "proven"], outcome.told()
    assert not proven_receipts(home), outcome.told()
    assert "Traceback" not in outcome.stderr, outcome.told()


def assert_proven(outcome: Outcome, disk: Disk, image: Image, home: Path) -> None:
    """It succeeded, and the bytes are there."""
    assert outcome.code == 0, outcome.told()
    assert [key["state"] for key in outcome.keys] == ["proven"], outcome.told()
    assert image.matches(disk.backing)
    assert proven_receipts(home)


def proven_receipts(home: Path) -> list[Path]:
    """Receipts that say the key is good."""
    found = []
    for path in (home / "state" / "receipts").glob("*.json"):
        if '"proven"' in json.dumps(json.loads(path.read_text())):
            found.append(path)
    return found
