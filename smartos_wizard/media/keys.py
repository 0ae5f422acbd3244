"""The keys of one run: each target with its device, its writer, and how it fares. Shared by the steps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from smartos_wizard.boot.model import BootChoices, FileChange
from smartos_wizard.core.errors import Refused, WizardError, report_of
from smartos_wizard.core.events import Event, StepFailed
from smartos_wizard.core.files import exclusive
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.runner import Run
from smartos_wizard.media import resume
from smartos_wizard.media.as_json import image_from_json, target_from_json
from smartos_wizard.media.lane import Writer
from smartos_wizard.media.model import Target, VerifiedImage
from smartos_wizard.media.ports import BlockDevice, MediaWorld


@dataclass(slots=True, eq=False)
class Key:
    """One target during a run. `state` is `waiting`, `proven`, `failed` or `cancelled`; times in seconds."""

    target: Target
    device: BlockDevice | None = None
    writer: Writer | None = None
    error: WizardError | None = None
    state: str = "waiting"
    write_seconds: float = 0.0
    proof_seconds: float = 0.0
    proof: str = ""
    receipt: str = ""
    originals: dict[int, bytes] = field(default_factory=dict)
    """Sectors that options changed, by offset, as the image has them: the proof puts them back in thought."""
    changed: dict[int, bytes] = field(default_factory=dict)
    """The same sectors as options made them."""
    changes: tuple[FileChange, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether it has not failed."""
        return self.error is None

    @property
    def opened(self) -> BlockDevice:
        """Its device. For steps that come after opening."""
        assert self.device is not None
        return self.device

    @property
    def writing(self) -> Writer:
        """Its writer. For steps that come after opening."""
        assert self.writer is not None
        return self.writer


@dataclass(slots=True, eq=False)
class Keys:
    """What the steps of writing share."""

    image: VerifiedImage
    keys: list[Key]
    size: int = 0
    digests: list[bytes] = field(default_factory=list)
    source_digest: str = ""
    choices: BootChoices = field(default_factory=BootChoices)
    """What was put on them beside the image."""
    started: float = 0.0

    @property
    def alive(self) -> list[Key]:
        """The keys that have not failed."""
        return [key for key in self.keys if key.alive]


def keys_of(run: Run[MediaWorld]) -> Keys:
    """The keys of this run, made from the plan at the first call."""
    found = run.found.get("keys")
    if found is None:
        targets = [target_from_json(data) for data in run.plan.params["targets"]]
        found = Keys(
            image_from_json(run.plan.params["image"]), [Key(t) for t in targets], started=run.clock()
        )
        run.found["keys"] = found
        run.result["keys"] = []
        run.on_end.append(lambda: fill_result(run))
    assert isinstance(found, Keys)
    return found


def fail(run: Run[MediaWorld], step: str, key: Key, error: WizardError) -> Iterator[Event]:
    """Note that one key failed. Raises `error` where no other key is left to work on."""
    if key.error is not None:
        return
    key.error, key.state = error, "failed"
    if len(keys_of(run).keys) > 1:
        yield StepFailed(run.clock(), step, report_of(error), key.target.path)
    if not keys_of(run).alive:
        raise run_error(keys_of(run))
    if run.error is None:
        run.error = report_of(error)


def run_error(keys: Keys) -> WizardError:
    """The error of the first key that failed."""
    return next(key.error for key in keys.keys if key.error is not None)


def fill_result(run: Run[MediaWorld]) -> None:
    """Bring `run.result` up to date; called at every end, good or bad.

    A plan of another kind than writing puts its own maker of one key's result into `run.found["row"]`.
    """
    row = run.found.get("row", _result)
    run.result["keys"] = [row(key) for key in keys_of(run).keys]


def _result(key: Key) -> dict[str, Any]:
    writer = key.writer
    state = key.state if key.state != "waiting" else ("failed" if key.error else "cancelled")
    return {
        "path": key.target.path,
        "serial": key.target.disk.serial,
        "state": state,
        "error": report_of(key.error).to_json() if key.error else None,
        "bytes": writer.done if writer else 0,
        "durable": writer.durable if writer else 0,
        "written": writer.written if writer else 0,
        "skipped": writer.skipped if writer else 0,
        "write_seconds": round(key.write_seconds, 3),
        "proof_seconds": round(key.proof_seconds, 3),
        "proof": key.proof,
        "receipt": key.receipt,
        "files": [change.path for change in key.changes],
    }


def lock_targets(stack: contextlib.ExitStack, paths: Paths, targets: list[Target]) -> None:
    """Hold each target's lock until `stack` closes. Raises Refused `target-busy`."""
    for target in sorted(targets, key=resume.identity):
        busy = Refused(
            "target-busy",
            f"{target.path} is being worked on by another process of this program.",
            hint="`smartos-wizard job list` shows it; wait for it or cancel it.",
            context=target.path,
        )
        stack.enter_context(exclusive(paths.state / "locks" / f"{resume.identity(target)}.lock", busy))
