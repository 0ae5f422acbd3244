"""The real `key configure`, `key upgrade` and `key rollback` at work, slowed down so that they can be killed in the middle."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from smartos_wizard.practice.others import build_platform_tarball
from tests.lab.rig import command, disks, fatkey, fatreaders
from tests.lab.rig.command import Outcome, Running
from tests.lab.rig.fatkey import SmallKey
from tests.lab.rig.fatreaders import Tree

NEW_STAMP = "20261015T000000Z"
DELAY = 8_000
"""Microseconds that strace adds to every write, so that writing takes longer than starting and proving."""
OWN = {"mine/Größe ✓.md": b"of the owner" * 900, "README.txt": b"mine as well\n", "a.b.c/deep er/x": b""}
STEPS = {"configure": "configure", "upgrade": "switch", "rollback": "switch"}
"""The step in which each command makes its change."""
_HEADER = b"SMARTOS-WIZARD-1"


@dataclass(frozen=True, slots=True)
class Job:
    """A command on a key: its words without target and confirmation, the key before, the files before and after.

    It takes `seconds`, of which `changing` go into the step in which the change is made.
    """

    name: str
    words: tuple[str, ...]
    before: SmallKey
    old: Tree = field(default_factory=dict)
    new: Tree = field(default_factory=dict)
    seconds: float = 0.0
    changing: float = 0.0

    def line(self, target: str, *, as_file: bool, slow: bool = False) -> list[str]:
        """The command line. `slow` puts strace, as a child of its own, between it and the kernel."""
        how = "--file" if as_file else "--allow-fixed"
        words = command.argv("key", self.name, target, how, *self.words, "--confirm", target, "--json")
        delay = f"inject=pwrite64:delay_enter={DELAY}"
        strace = [
            "strace",
            "-D",
            "-f",
            "--seccomp-bpf",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=pwrite64",
            "-e",
            delay,
        ]
        return [*strace, *words] if slow else words


def jobs(place: Path, home: Path) -> dict[str, Job]:
    """Every command with a key it suits, and what it makes of it when nobody disturbs it."""
    released = fatkey.small_key(place / "released.img", extra=OWN)
    words = _configure_words(place)
    packed = build_platform_tarball(
        place / f"platform-{NEW_STAMP}.tgz", NEW_STAMP, boot_archive_size=512 << 10
    )
    upgrade = ("--image", str(packed), "--sha256", hashlib.sha256(packed.read_bytes()).hexdigest())
    configured = _undisturbed(Job("configure", words, released), home)
    first = _undisturbed(Job("upgrade", upgrade, _kept(place / "configured.img", released)), home)
    back = Job("rollback", ("--to", fatkey.STAMP), _kept(place / "upgraded.img", first.before))
    return {job.name: job for job in (configured, first, _undisturbed(back, home))}


def _configure_words(place: Path) -> tuple[str, ...]:
    own = place / "own file"
    own.write_bytes(random.Random(5).randbytes(70_000))
    answers = place / "answers.json"
    answers.write_text(json.dumps({"hostname": "fred"}))
    added = [word for n in range(12) for word in ("--add-file", f"local/Ours {n} ü.bin={own}")]
    return ("--console", "ttyb", "--hostname", "fred", "--etc-system", str(own), *added)


def _kept(path: Path, key: SmallKey) -> SmallKey:
    """What the last command left of the key, kept under another name."""
    (key.path.with_suffix(".after")).rename(path)
    return SmallKey(path, key.first, key.legacy)


def _undisturbed(job: Job, home: Path) -> Job:
    after = copied(job.before, job.before.path.with_suffix(".after"))
    outcome = Running(job.line(str(after.path), as_file=True, slow=True), home).end()
    assert outcome.code == 0, outcome.told()
    seconds = outcome.last["at"] - outcome.events[0]["at"]
    begun, ended = (
        event["at"]
        for event in outcome.events
        if event.get("step") == STEPS[job.name] and "step-" in event["event"]
    )
    fatreaders.fsck_at(after.path, after.first)
    old, new = (fatreaders.by_mtools(key.path, key.first) for key in (job.before, after))
    assert old != new
    return Job(job.name, job.words, job.before, old, new, seconds, ended - begun)


def in_the_middle(
    job: Job, key: SmallKey, place: str, home: Path, seconds: float, *, as_file: bool
) -> Running:
    """The command, slowed, so many seconds after its journal counts."""
    work = Running(job.line(place, as_file=as_file, slow=True), home)
    while work.process.poll() is None and not unfinished(key):
        time.sleep(0.002)
    time.sleep(seconds)
    return work


def at_moment(
    job: Job, place: str, home: Path, share: float, *, as_file: bool, close: bool = False
) -> Running:
    """The command, slowed, when that share of its life is over; with `close` of the step that makes the change."""
    work = Running(job.line(place, as_file=as_file, slow=True), home)
    if close:
        work.wait_for(lambda e: e.get("event") == "step-started" and e["step"] == STEPS[job.name], 30)
    else:
        work.wait_for(lambda e: e.get("event") == "plan-started", 30)
    time.sleep(share * (job.changing if close else job.seconds))
    return work


def copied(key: SmallKey, path: Path) -> SmallKey:
    """The same key in another file."""
    subprocess.run(["cp", "--sparse=always", str(key.path), str(path)], check=True)
    return SmallKey(path, key.first, key.legacy)


@contextmanager
def target(key: SmallKey, *, as_file: bool) -> Iterator[str]:
    """What the command is given: the file, or a loop device on it."""
    with ExitStack() as stack:
        yield str(key.path) if as_file else stack.enter_context(disks.loop(key.path)).path


def unfinished(key: SmallKey) -> bool:
    """Whether a journal that counts lies in the reserved sectors of the volume."""
    with key.path.open("rb") as file:
        file.seek(key.first + 9 * 512)
        area = file.read(23 * 512)
    return any(area[at : at + 16] == _HEADER for at in range(0, len(area), 512))


def half(key: SmallKey, job: Job) -> str:
    """Fail unless every file is the whole old or the whole new one; `old`, `new`, or `between`."""
    found = fatreaders.by_mtools(key.path, key.first)
    for path, entry in found.items():
        assert entry in [tree[path] for tree in (job.old, job.new) if path in tree], path
    assert job.old.keys() & job.new.keys() <= found.keys()
    assert key.bytes_around() == job.before.bytes_around()
    return "old" if found == job.old else "new" if found == job.new else "between"


def again(job: Job, key: SmallKey, place: str, home: Path, *, as_file: bool) -> Outcome:
    """Give the same command again, and fail unless the key is then as if nothing had happened in between."""
    outcome = command.run(home, *job.line(place, as_file=as_file)[3:])
    assert outcome.code == 0, outcome.told()
    assert fatreaders.by_mtools(key.path, key.first) == job.new, outcome.told()
    assert key.bytes_around() == job.before.bytes_around()
    fatreaders.fsck_at(key.path, key.first)
    assert not unfinished(key)
    return outcome
