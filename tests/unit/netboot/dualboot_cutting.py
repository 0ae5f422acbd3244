"""A program of its own, for tests: installs or removes, killed before the N-th change of any file, for every N.

Prints a JSON object: `cuts`, how many there were, and `traces`, the cuts after which `remove` left anything behind.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smartos_wizard.boot.model import BootChoices
from tests.unit.netboot.dualboot_parts import (
    ANSWERS,
    Linux,
    World,
    events_of,
    image_of,
    install_plan,
    remove_plan,
    tree,
)

_CHANGES = ("mkdir", "rename", "replace", "unlink", "rmdir", "fsync", "fchmod")
CHOICES = BootChoices(console="ttya", answers=ANSWERS)


def child(work: Callable[[], None], before: int | None = None) -> int:
    """Do `work` in a process of its own, killed before its change number `before`; how it ended, as wait tells."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    count = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == before:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return call

    for name in _CHANGES:
        setattr(os, name, counted(getattr(os, name)))
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def main(place: Path, what: str) -> dict[str, Any]:
    """Cut one of `install` and `remove` everywhere."""
    image = image_of(place)
    pristine = place / "pristine"
    before = tree(Linux(pristine))
    traces, cut = [], 0
    while True:
        cut += 1
        root, home = place / "linux", place / "home"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(pristine, root)

        def install(root: Path = root, home: Path = home) -> None:
            world = World(Linux(root), home)
            list(events_of(world, install_plan(world, image, CHOICES)))

        def remove(root: Path = root, home: Path = home) -> None:
            world = World(Linux(root), home)
            events = list(events_of(world, remove_plan(world)))
            assert events[-1].exit_code == 0, events[-1]

        if what == "remove":
            assert child(install) == 0
        ended = child(install if what == "install" else remove, cut)
        again = child(remove)
        if again or tree(Linux(root)) != before:
            traces.append(cut)
        if ended == 0:
            return {"cuts": cut - 1, "traces": traces}
        assert os.WIFSIGNALED(ended), ended


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2])))
