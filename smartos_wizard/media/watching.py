"""From threads to events: yields progress while something runs, and sees a request to stop at once.

Every tick repeats the last numbers where nothing moved, so that a watcher can say for how long a device
has been silent. Nothing here waits longer than a quarter of a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable
from typing import Any, TypeVar

from smartos_wizard.core.errors import Cancelled
from smartos_wizard.core.events import Event
from smartos_wizard.core.runner import Run

TICK = 0.2
_GRACE = 1.2  # seconds a thread inside the kernel gets to end after a request to stop

T = TypeVar("T")


def watch(
    run: Run[Any],
    ended: Callable[[float], bool],
    tick: Callable[[], Iterable[Event]],
    abandon: Callable[[], None],
    state: Callable[[], str],
) -> Generator[Event, None, None]:
    """Yield what `tick` makes until `ended(seconds)` says so.

    On a request to stop: calls `abandon`, gives the threads a moment, and raises Cancelled with `state()`.
    """
    while not ended(TICK):
        yield from tick()
        if run.cancel.requested:
            abandon()
            until = time.monotonic() + _GRACE
            while not ended(TICK) and time.monotonic() < until:
                yield from tick()
            yield from tick()
            raise Cancelled("cancelled", state())
    yield from tick()


def in_thread(
    run: Run[Any],
    work: Callable[[], T],
    tick: Callable[[], Iterable[Event]],
    stoppable: Callable[[], bool] = lambda: True,
) -> Generator[Event, None, T]:
    """Do `work` in a thread, yielding what `tick` makes meanwhile; return or raise what it returns or raises.

    On a request to stop raises Cancelled and leaves the thread behind, but not while it is not `stoppable`.
    """
    box: list[T] = []
    failed: list[BaseException] = []

    def body() -> None:
        try:
            box.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=body, name="work", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(TICK)
        yield from tick()
        if thread.is_alive() and run.cancel.requested and stoppable():
            run.cancel.check()
    if failed:
        raise failed[0]
    return box[0]
