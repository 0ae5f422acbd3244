"""What a restore knows of its backup, and its own notes of what it began and finished on which machine."""

from __future__ import annotations

import json
from pathlib import Path

from smartos_wizard.core.files import replace_file
from smartos_wizard.core.runner import Run
from smartos_wizard.reinstall.backup_manifest import Manifest, read
from smartos_wizard.reinstall.doors import ReinstallWorld
from smartos_wizard.reinstall.restore_planning import Before

_Run = Run[ReinstallWorld]


def before(directory: Path, hostid: str) -> Before:
    """What earlier restores on that machine began and finished."""
    try:
        data = json.loads(_journal(directory, hostid).read_text())
        return Before(frozenset(data["began"]), frozenset(data["finished"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Before()


def _journal(directory: Path, hostid: str) -> Path:
    words = "".join(c for c in hostid if c.isalnum())[:32] or "unknown"
    return directory / f"restored-{words}.json"


def note(run: _Run, *, began: str = "", finished: str = "", cleared: str = "") -> None:
    """Written before and after each dataset, so that a restore that was interrupted knows its own."""
    directory, hostid = place_of(run), run.plan.params["address"]["hostid"]
    was = before(directory, hostid)
    data = {
        "began": sorted((was.began | ({began} if began else set())) - {cleared}),
        "finished": sorted((was.finished | ({finished} if finished else set())) - {cleared}),
    }
    replace_file(_journal(directory, hostid), (json.dumps(data) + "\n").encode(), 0o600)


def place_of(run: _Run) -> Path:
    """The backup's directory."""
    return Path(run.plan.params["directory"])


def manifest_of(run: _Run) -> Manifest:
    """What the backup holds."""
    if "manifest" not in run.found:
        run.found["manifest"] = read(place_of(run))
    found: Manifest = run.found["manifest"]
    return found
