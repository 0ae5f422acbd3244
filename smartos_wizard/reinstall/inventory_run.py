"""Several re-installs, one after the other or a few at once: stops at the first that fails, and says which were done,
which were not begun.

An engine over a callable that runs one machine; knows neither machines nor ways. What runs already when another
fails goes on to its own end: half a re-install is worse than a whole one. Imports core and the inventory only.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import ErrorReport, ExitCode, report_of
from smartos_wizard.core.events import Event, PlanCancelled, PlanFinished, is_last
from smartos_wizard.reinstall.inventory import Entry
from smartos_wizard.reinstall.saying import listed

RunOne = Callable[[Entry], Iterator[Event]]
"""Runs one machine; its last event is PlanFinished or PlanCancelled."""


class State(StrEnum):
    """What became of a machine."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NOT_BEGUN = "not-begun"


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, and the name of the machine it is about; the last one is about all of them, and `host` is empty."""

    host: str
    event: Event


@dataclass(frozen=True, slots=True)
class Ended:
    """A machine, and what became of it. `words` say what a cancelled one was left as."""

    entry: Entry
    state: State = State.NOT_BEGUN
    error: ErrorReport | None = None
    words: str = ""

    @property
    def exit_code(self) -> int | None:
        """The exit code of its run; None where it was not begun."""
        if self.state is State.NOT_BEGUN:
            return None
        if self.error is not None:
            return self.error.exit_code
        return int(ExitCode.DONE if self.state is State.DONE else ExitCode.CANCELLED)

    def to_json(self) -> dict[str, Any]:
        """As an object."""
        said = {"host": self.entry.host, "plan": self.entry.file, "state": self.state.value, "exit_code": self.exit_code}  # fmt: skip
        return said | ({"error": self.error.to_json()} if self.error is not None else {})


def run_inventory(
    entries: Sequence[Entry],
    run_one: RunOne,
    *,
    at_once: int = 1,
    cancel: Cancel | None = None,
    clock: Callable[[], float] = time.time,
) -> Iterator[Heard]:
    """Run the machines in their order, at most `at_once` at a time; yields what is heard of each.

    The last is about all: PlanFinished, or PlanCancelled where it was stopped, with `hosts` (a state for each) and
    `say` in its result. Its exit code is that of the machine that failed first.
    """
    cancel = cancel or Cancel()
    ended: dict[int, Ended] = {}
    course = _one_by_one if at_once <= 1 else _some_at_once
    for heard in course(entries, run_one, at_once, cancel):
        if isinstance(heard, Ended):
            ended[heard.entry.number] = heard
        else:
            yield heard
    yield Heard("", _last(entries, ended, clock()))


def _one_by_one(
    entries: Sequence[Entry], run_one: RunOne, _at_once: int, cancel: Cancel
) -> Iterator[Heard | Ended]:
    for entry in entries:
        if cancel.requested:
            return
        end = Ended(entry)
        for heard in _one(entry, run_one):
            yield heard
            if isinstance(heard, Ended):
                end = heard
        if end.state is not State.DONE:
            return


def _one(entry: Entry, run_one: RunOne) -> Iterator[Heard | Ended]:
    """The events of one machine, and how it ended. An exception counts as a failure; nothing is raised."""
    end = Ended(entry, State.FAILED, _unsaid(entry))
    try:
        for event in run_one(entry):
            if is_last(event):
                end = _ended(entry, event)
            yield Heard(entry.host, event)
    except Exception as error:
        end = Ended(entry, State.FAILED, report_of(error))
        yield Heard(entry.host, PlanFinished(time.time(), end.exit_code or 1, error=end.error))
    yield end


def _ended(entry: Entry, event: Event) -> Ended:
    if isinstance(event, PlanCancelled):
        return Ended(entry, State.CANCELLED, words=event.state)
    if isinstance(event, PlanFinished) and event.exit_code == 0:
        return Ended(entry, State.DONE)
    error = event.error if isinstance(event, PlanFinished) else None
    code = event.exit_code if isinstance(event, PlanFinished) else 1
    return Ended(entry, State.FAILED, error or ErrorReport("failed", f"{entry.host} failed.", exit_code=code))


def _unsaid(entry: Entry) -> ErrorReport:
    return ErrorReport("no-end", f"Nobody knows how the run of {entry.host} ended.", hint="Give the same command again: it takes up what was cut off.")  # fmt: skip


def _some_at_once(
    entries: Sequence[Entry], run_one: RunOne, at_once: int, cancel: Cancel
) -> Iterator[Heard | Ended]:
    """A thread for each machine that runs; the next is begun when one has ended well."""
    heard: queue.Queue[Heard | Ended] = queue.Queue()
    waiting = list(entries)
    running: dict[int, threading.Thread] = {}
    stop = False

    def work(entry: Entry) -> None:
        for each in _one(entry, run_one):
            heard.put(each)

    try:
        while running or (waiting and not stop):
            while waiting and len(running) < at_once and not stop and not cancel.requested:
                entry = waiting.pop(0)
                running[entry.number] = threading.Thread(target=work, args=(entry,), name=entry.host)
                running[entry.number].start()
            if not running:
                return
            each = heard.get()
            yield each
            if isinstance(each, Ended):
                running.pop(each.entry.number).join()
                stop = stop or each.state is not State.DONE
    finally:
        if running:  # nobody listens any more: let them stop at their next safe moment
            cancel.request()


def _last(entries: Sequence[Entry], ended: dict[int, Ended], at: float) -> PlanFinished | PlanCancelled:
    """What is said at the end, in words and as data. `ended` is in the order in which the machines ended."""
    all_of_them = [ended.get(entry.number, Ended(entry)) for entry in entries]
    say = _words(all_of_them)
    result = {"hosts": [end.to_json() for end in all_of_them], "say": say}
    failed = next((end for end in ended.values() if end.state is State.FAILED), None)
    if failed is not None and failed.error is not None:
        error = failed.error
        context = f"{failed.entry.host}{f': {error.context}' if error.context else ''}"
        told = ErrorReport(error.reference, f"{failed.entry.host}: {error.message}", error.hint, context, error.exit_code, error.details)  # fmt: skip
        return PlanFinished(at, error.exit_code, result, told)
    if any(end.state is not State.DONE for end in all_of_them):
        left = " ".join(f"{e.entry.host}: {e.words}" for e in all_of_them if e.words) or "Stopped."
        return PlanCancelled(at, "", f"{left} {' '.join(say)}", int(ExitCode.CANCELLED), result)
    return PlanFinished(at, int(ExitCode.DONE), result)


def _words(ended: Sequence[Ended]) -> list[str]:
    """A sentence for each state in which there is a machine."""
    heads = {
        State.DONE: "Done", State.FAILED: "Failed", State.CANCELLED: "Stopped in the middle",
        State.NOT_BEGUN: "Not begun",
    }  # fmt: skip
    found = {state: [end.entry.host for end in ended if end.state is state] for state in heads}
    return [f"{heads[state]}: {listed(names, most=len(names))}." for state, names in found.items() if names]
