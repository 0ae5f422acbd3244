"""Way C in Rescue Mode: the one pool is imported by its guid, looked at, and destroyed; every other one stays."""

from __future__ import annotations

from smartos_wizard.core.errors import DeviceLost, NetworkFailed, ProofFailed, Refused, WizardError
from smartos_wizard.core.events import Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.core.text import counted, tame
from smartos_wizard.reinstall import run_asking as asking
from smartos_wizard.reinstall.doors import ReinstallWorld
from smartos_wizard.reinstall.run_door import Line
from smartos_wizard.reinstall.run_guards import guarded, pools_words
from smartos_wizard.reinstall.streams import CommandFailed

_Run = Run[ReinstallWorld]


def rescue_import(_run: _Run, step: Step, line: Line) -> Work:
    """That one pool, and nothing else with it."""
    name, guid = step.params["pool"], step.params["guid"]
    line.rescue = True
    seen = line.patiently(line.look)
    line.same(seen)
    line.record.begin(step.id)
    for _ in range(3):
        if (name, guid) in seen.pools:
            break
        try:
            line.ask(asking.rescue_import(guid))
        except (DeviceLost, NetworkFailed):
            pass  # what counts is what is imported; where it is not, that never arrived
        except CommandFailed as error:
            raise WizardError("cannot-import", f"{tame(name)} (guid {tame(guid)}) cannot be imported.", context=error.context, hint="Nothing was destroyed. `zpool import` on the machine says what it lacks.") from error  # fmt: skip
        seen = line.patiently(line.look)
    if (name, guid) not in seen.pools:
        raise ProofFailed("not-imported", f"{tame(name)} (guid {tame(guid)}) is not imported after it was to be.", context="nothing was destroyed")  # fmt: skip
    yield from ()
    return {}


def export(run: _Run, step: Step, line: Line) -> Work:
    """Let go of the pool again."""
    seen = line.patiently(line.look)
    if seen.rescue and (step.params["pool"], step.params["guid"]) in seen.pools:
        line.read(asking.export(step.params["pool"]))
        yield Noted(run.clock(), step.id, f"{step.params['pool']} is exported again.")
    return {}


def rescue_destroy(run: _Run, step: Step, line: Line) -> Work:
    """Name and guid are compared once more in the command that destroys; then it is looked that this one is gone, and no other."""
    name, guid = step.params["pool"], step.params["guid"]
    line.rescue = True
    seen = line.patiently(line.look)
    line.same(seen)
    others = {pool["guid"] for pool in run.plan.params["identity"]["pools"]} - {guid}
    if (name, guid) in seen.pools:
        if not seen.rescue:
            raise Refused(
                "not-rescue", f"{run.plan.params['host']} is not in Rescue Mode. Nothing was destroyed."
            )
        run.cancel.check(run.state())
        line.record.begin(step.id, destroys=True)
        line.firm = True
        try:
            guarded(run, lambda: line.ask(asking.guarded("", (name, guid), asking.destroy(name))))
        except (DeviceLost, NetworkFailed):
            seen = line.patiently(line.look)
            if (name, guid) in seen.pools:  # it never arrived
                guarded(run, lambda: line.ask(asking.guarded("", (name, guid), asking.destroy(name))))
        except (Refused, CommandFailed):
            if (name, guid) in line.patiently(line.look).pools:
                line.record.note(step.id, destroys=False)
            raise
        finally:
            line.firm = False
        seen = line.patiently(line.look)
    elif not line.record.began(step.id):
        raise Refused("pools-changed", pools_words(run, seen.guids), hint="Survey it again, and make a new plan.")  # fmt: skip
    if guid in seen.guids:
        raise ProofFailed("not-destroyed", f"{tame(name)} (guid {tame(guid)}) is still there.")
    missing = others - seen.guids
    if missing:
        raise ProofFailed("others-missing", f"A pool that was to stay is not seen any more: guid {', '.join(sorted(missing))}.", hint="Look with `zpool import` before anything else is done there.")  # fmt: skip
    yield Noted(
        run.clock(),
        step.id,
        f"{name} (guid {guid}) is destroyed; {counted(len(others), 'other pool') if others else 'no other'} untouched.",
    )
    return {"destroyed": [{"name": name, "guid": guid}]}
