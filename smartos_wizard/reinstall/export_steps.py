"""The plan that writes an exported playbook into a directory, and its one action. Imports nothing that connects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.core.files import replace_file
from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.core.text import counted, tame
from smartos_wizard.reinstall.export import Exported, is_ours
from smartos_wizard.reinstall.saying import listed

KIND = "reinstall-export"


def plan_export(files: Sequence[Exported], directory: Path, machines: Sequence[str]) -> Plan:
    """The plan. Raises Refused `not-ours` where a file of that name is somebody's own, `not-a-directory`."""
    directory = directory.expanduser().absolute()
    if directory.exists() and not directory.is_dir():
        raise Refused(
            "not-a-directory", f"{tame(str(directory), 200)} is no directory.", hint="Name another."
        )
    for file in files:
        _require_ours(directory / file.name)
    return Plan(
        kind=KIND,
        title=f"Write a playbook for {counted(len(machines), 'machine')} ({listed([tame(m) for m in machines], most=8)}) into {tame(str(directory), 200)}",
        steps=tuple(_step(file, directory) for file in files),
        untouched=("the machines", "every other file there"),
        locks=(str(directory),),
        params={"directory": str(directory)},
    )  # fmt: skip


def _step(file: Exported, directory: Path) -> Step:
    there = (directory / file.name).exists()
    return Step(
        f"write-{file.name}", "write", f"{file.name}{', in the place of an earlier one' if there else ''}",
        Effect.CHANGES if there else Effect.CREATES, undo="remove it",
        params={"name": file.name, "text": file.text},
    )  # fmt: skip


def _require_ours(path: Path) -> None:
    """Raise Refused unless the file is missing, or ours and unchanged."""
    if not path.exists() and not path.is_symlink():
        return
    try:
        ours = not path.is_symlink() and path.is_file() and is_ours(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        ours = False
    if not ours:
        raise Refused("not-ours", f"{tame(str(path), 200)} is not a file of this program, or was changed since; nothing was written.", hint="Name another directory, or move the file away.", context=tame(str(path), 200))  # fmt: skip


def _write(run: Run[object], step: Step) -> Work:
    path = Path(run.plan.params["directory"]) / step.params["name"]
    _require_ours(path)
    try:
        replace_file(path, step.params["text"].encode(), 0o644)
    except OSError as error:
        raise WizardError("cannot-write", f"{tame(str(path), 200)}: {error.strerror or error}") from error
    run.result.setdefault("files", []).append(str(path))
    run.result["say"] = [f"{counted(len(run.result['files']), 'file')} in {tame(run.plan.params['directory'], 200)}; README.md says how it is started."]  # fmt: skip
    yield from ()
    return {"file": str(path)}


EXPORT_ACTIONS = {"write": Action(_write)}
