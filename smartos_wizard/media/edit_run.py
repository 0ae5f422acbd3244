"""What configuring, upgrading and rolling back share: opening the one key, its volume, and words for its end."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from smartos_wizard.core.errors import Cancelled, ProofFailed, WizardError, WriteFailed, report_of
from smartos_wizard.core.events import Advanced, Event
from smartos_wizard.core.plan import Confirmation, Effect, Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.media.as_json import target_from_json
from smartos_wizard.media.fat_edit import FatEditor
from smartos_wizard.media.fat_journal_place import MAGIC, in_reserved
from smartos_wizard.media.faults import device_failed, write_protected
from smartos_wizard.media.keys import lock_targets
from smartos_wizard.media.model import Target
from smartos_wizard.media.opened import open_target
from smartos_wizard.media.ports import BlockDevice, MediaWorld
from smartos_wizard.media.proving import Reader
from smartos_wizard.media.root_volume import Root, root_of
from smartos_wizard.media.volume import DeviceVolume
from smartos_wizard.media.watching import in_thread

UNCHANGED = "Nothing that was on it has changed."
BEGUN = "The change had begun. What boots from it is the old or the new, whole; the same command finishes it."
UNPROVEN = "The change was made but is not proven; give the same command again."
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Editing:
    """The key of one run. `state` is `failed`, `cancelled` or what the job calls its good end; `done` in bytes.

    `begun`: something in use may have changed; `wrote`: a write arrived; `at`: the byte it was at last. `before` is
    what stopping leaves before the change has begun, `left`, once it is made, what it leaves from then on.
    """

    target: Target
    device: BlockDevice
    state: str = "failed"
    begun: bool = False
    wrote: bool = False
    at: int = 0
    stopped: bool = False
    committing: bool = False
    before: str = UNCHANGED
    left: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: int = 0
    total: int | None = None
    error: WizardError | None = None
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """What stopping now leaves."""
        return self.left or (BEGUN if self.begun else self.before)

    @property
    def reader(self) -> Reader:
        """Its device as a reading function."""
        return Reader(self.device)

    def root(self) -> Root:
        """Where SmartOS's file system is. Raises Refused, OSError."""
        return root_of(self.reader, self.device.size, self.device.name)

    def volume(self) -> DeviceVolume:
        """That file system. Raises Refused, OSError."""
        root = self.root()
        unfinished = in_reserved(self.reader, root.first)
        return _Marking(self, root.first, root.size, unfinished=unfinished)

    def commit(self, editor: FatEditor, switch: str) -> None:
        """Make what was asked of the editor true. It cannot be cancelled half-way. Raises Cancelled before."""
        with self.lock:
            if self.stopped:
                raise Cancelled("cancelled", self.words)
            self.committing = True
        try:
            editor.commit(switch)
        finally:
            self.committing = False

    def stop(self) -> bool:
        """Ask the work to stop; False while it is beyond stopping."""
        with self.lock:
            self.stopped = self.stopped or not self.committing
            return self.stopped


class _Marking(DeviceVolume):
    """A volume that notes when something in use begins to change: with the journal, or at once where one is there."""

    def __init__(self, editing: Editing, first: int, size: int, *, unfinished: bool) -> None:
        super().__init__(editing.device, first, size)
        self._editing = editing
        self._unfinished = unfinished

    def read(self, offset: int, length: int) -> bytes:
        self._editing.at = self.first + offset
        return super().read(offset, length)

    def write(self, offset: int, data: bytes) -> None:
        self._editing.at = self.first + offset
        if self._unfinished or data.startswith(MAGIC):
            self._editing.begun = True
        super().write(offset, data)
        self._editing.wrote = True


def editing_of(run: Run[MediaWorld]) -> Editing:
    """The key of this run. For steps that come after opening."""
    found: Editing = run.found["editing"]
    return found


def first_steps(target: Target) -> list[Step]:
    """Unmounting, where that must be, and opening."""
    steps = []
    if target.unmount:
        steps.append(
            Step(
                "unmount",
                "unmount",
                "unmounts " + ", ".join(target.unmount),
                Effect.CHANGES,
                undo="mount it again",
            )
        )
    steps.append(
        Step(
            "open", "open", f"opens {target.path}", Effect.READS,
            () if target.regular_file else ("Proves once more that it is the very disk you chose; needs the rights for it.",),
        )
    )  # fmt: skip
    return steps


def confirmation(target: Target) -> Confirmation:
    """What is to be typed before anything on the key changes."""
    return Confirmation("To change it, type what names the disk", (target.token,))


def unmount(_run: Run[MediaWorld], _step: Step) -> Work:
    """Done by the opener in the same breath as opening."""
    yield from ()
    return {}


def open_for_change(run: Run[MediaWorld], step: Step) -> Work:
    """Open and lock the target of the plan."""
    target = target_from_json(run.plan.params["target"])
    stack = contextlib.ExitStack()
    run.on_end.append(stack.close)
    lock_targets(stack, run.world.paths, [target])
    stack.enter_context(run.world.stay_awake("changing a SmartOS key"))
    device = yield from open_target(
        run, step, target, lambda notify: run.world.opener.open(target, write=True, notify=notify)
    )
    editing = run.found["editing"] = Editing(target, device)
    run.state = lambda: f"{target.path}: {editing.words}"
    run.on_end.append(lambda: fill_editing(run, editing))
    return {}


def fill_editing(run: Run[MediaWorld], editing: Editing) -> None:
    """Bring the result of the run up to date; called at every end."""
    if editing.state == "failed" and run.cancel.requested:
        editing.state = "cancelled"
    run.result["keys"] = [
        {
            "path": editing.target.path,
            "serial": editing.target.disk.serial,
            "state": editing.state,
            "error": report_of(editing.error).to_json() if editing.error else None,
            **editing.found,
        }
    ]


def at_work(
    run: Run[MediaWorld], step: Step, editing: Editing, work: Callable[[], T], *, reading: bool = False
) -> Generator[Event, None, T]:
    """Do `work` in a thread with progress. What goes wrong says what it leaves behind; `reading` that it only reads."""

    def body() -> T:
        try:
            return work()
        except OSError as error:
            found = _failed(error, editing, reading=reading or bool(editing.left))
            if editing.left and run.plan.kind == "key-rollback":  # the same command would go forward again
                found.hint = (
                    "Plug it in again (another port, no hub); `smartos-wizard key show` says what it starts."
                )
            raise found from error

    def tick() -> Iterator[Event]:
        yield Advanced(run.clock(), step.id, editing.done, editing.total, None, editing.target.path)

    try:
        return (yield from in_thread(run, body, tick, editing.stop))
    except Cancelled as stop:
        raise Cancelled("cancelled", f"{editing.target.path}: {editing.words}") from stop
    except WizardError as error:
        if editing.before is not UNCHANGED:
            error.message = error.message.replace("Nothing was changed.", editing.before)
        editing.error = error
        raise


def _failed(error: OSError, editing: Editing, *, reading: bool) -> WizardError:
    refusal = None if editing.wrote or reading else write_protected(error, editing.device)
    if refusal is not None:
        return refusal
    doing = "reading back" if reading else "writing"
    found = device_failed(error, editing.device, doing, editing.at, editing.words)
    if not reading or not isinstance(found, WriteFailed):
        return found
    return ProofFailed("not-readable", found.message, context=found.context, hint=found.hint, **found.details)
