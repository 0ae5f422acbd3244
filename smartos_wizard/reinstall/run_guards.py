"""What is said where a guard of a run does not hold: the machine, or its pools, are not those of the plan."""

from __future__ import annotations

from collections.abc import Callable

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.runner import Run
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall import run_asking as asking
from smartos_wizard.reinstall.doors import ReinstallWorld
from smartos_wizard.reinstall.streams import CommandFailed

_Run = Run[ReinstallWorld]


def pools_words(run: _Run, guids: frozenset[str]) -> str:
    """How the pools that are there differ from those of the plan, in words."""
    known = {pool["guid"]: pool["name"] for pool in run.plan.params["identity"]["pools"]}
    new = [guid for guid in guids if guid not in known]
    gone = [f"{tame(name)} (guid {tame(guid)})" for guid, name in known.items() if guid not in guids]
    words = [f"a pool with guid {', '.join(tame(g) for g in new)} is there now"] if new else []
    words += [f"{', '.join(gone)} is not there any more"] if gone else []
    return f"The pools of {run.plan.params['host']} have changed: {'; '.join(words)}. Nothing was destroyed."


def hostid_of(run: _Run) -> str:
    """The hostid of the surveyed machine."""
    found: str = run.plan.params["identity"]["hostid"]
    return found


def guarded(run: _Run, work: Callable[[], str]) -> str:
    """What the work gives. Raises Refused `other-host` where its guard did not hold: nothing was done then."""
    try:
        return work()
    except CommandFailed as error:
        if error.status != asking.GUARD:
            raise
        raise Refused("other-host", f"{run.plan.params['host']} is not as it was surveyed: its hostid or the pool's guid is another. Nothing was done.", hint="Survey it again.") from error  # fmt: skip
