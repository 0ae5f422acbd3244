"""What each step of a re-install does: looks first, notes what it begins, does it, and reads back what came of it.

Until the destroying step is begun every step can be taken back, and is where a later one fails or somebody stops it.
From then on nothing is taken back: the words say so, and `reinstall watch` goes on looking. A step is never done
twice: the record says what was finished, and what was begun is settled by asking the machine (`planning_steps` has the
table of steps).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from smartos_wizard.core.errors import DeviceLost, NetworkFailed, ProofFailed, Refused, WizardError
from smartos_wizard.core.events import Noted
from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall import run_asking as asking
from smartos_wizard.reinstall.doors import ReinstallWorld
from smartos_wizard.reinstall.run_again import require_unchanged
from smartos_wizard.reinstall.run_boot import boot_again, restarted
from smartos_wizard.reinstall.run_console import at_loader, leave_loader
from smartos_wizard.reinstall.run_door import Line
from smartos_wizard.reinstall.run_record import Record, plan_id
from smartos_wizard.reinstall.run_verify import receipt, verify
from smartos_wizard.reinstall.saying import counted
from smartos_wizard.reinstall.streams import CommandFailed

_Run = Run[ReinstallWorld]
STOPPING = 300.0
"""Seconds an instance has to shut down."""


def line_of(run: _Run) -> Line:
    """The run's machine; the run is held by this process from here on. Raises Refused `run-at-work`."""
    found: Line | None = run.found.get("line")
    if found is None:
        record = Record(run.world.paths, plan_id(run.plan))
        held = ExitStack()
        held.enter_context(record.lock())
        run.on_end.append(held.close)
        record = Record(run.world.paths, plan_id(run.plan))  # as the last holder left it
        run.found["line"] = found = Line(run, record)
        run.state = lambda: _state(record)
    return found


def _state(record: Record) -> str:
    if record.destroying:
        return (
            "Stopped waiting. What destroys was begun and cannot be taken back; nothing more is told to the machine. "
            "`smartos-wizard reinstall watch PLAN` goes on looking."
        )
    return "Stopped; nothing was destroyed, and what was changed is taken back."


def _once(work: Callable[[_Run, Step, Line], Work]) -> Callable[[_Run, Step], Work]:
    """The step, unless it was finished before; that it is begun is noted by the work itself, when it knows."""

    def do(run: _Run, step: Step) -> Work:
        line = line_of(run)
        if line.record.finished(step.id):
            yield Noted(run.clock(), step.id, "Done before; not done again.", reference="done-before")
            return line.record.facts(step.id)
        facts = yield from work(run, step, line)
        line.record.finish(step.id, **(facts or {}))
        return facts

    return do


def _undone(work: Callable[[_Run, Step, Line], Work]) -> Callable[[_Run, Step], Work]:
    """Taking a step back: only where it was begun, and never after the destroying step was."""

    def undo(run: _Run, step: Step) -> Work:
        line: Line | None = run.found.get("line")
        if line is None or line.record.destroying or not line.record.began(step.id):
            return {}
        line.undoing = True
        try:
            yield from work(run, step, line)
        except Exception:
            run.found["kept"] = True
            raise
        return {}

    return undo


# ---------------------------------------------------------------------- before


def _recheck(run: _Run, step: Step) -> Work:
    """Everything is asked anew; any difference ends the run. A run that was begun asks only what must still be so."""
    line = line_of(run)
    record = line.record
    if record.destroying:
        yield Noted(run.clock(), step.id, "What destroys was begun earlier; from here on it is only looked.", reference="done-before")  # fmt: skip
        return {}
    if record.fresh:
        yield from require_unchanged(run, step, line)
        return {}
    yield Noted(run.clock(), step.id, "Taking up what was begun.", reference="taken-up")
    try:
        seen = line.look() if line.console else line.patiently(line.look)
    except WizardError as error:
        if not at_loader(error):
            raise
        yield Noted(run.clock(), step.id, "It stands at its loader, as this run left it.")
        return {}
    line.same(seen)
    known = {pool["guid"] for pool in run.plan.params["identity"]["pools"]}
    if seen.guids != known:
        raise Refused("pools-changed", _pools_words(run, seen.guids), hint="Survey it again, and make a new plan. What was begun is taken back.")  # fmt: skip
    return {}


def _pools_words(run: _Run, guids: frozenset[str]) -> str:
    known = {pool["guid"]: pool["name"] for pool in run.plan.params["identity"]["pools"]}
    new = [guid for guid in guids if guid not in known]
    gone = [f"{tame(name)} (guid {tame(guid)})" for guid, name in known.items() if guid not in guids]
    words = [f"a pool with guid {', '.join(tame(g) for g in new)} is there now"] if new else []
    words += [f"{', '.join(gone)} is not there any more"] if gone else []
    return f"The pools of {run.plan.params['host']} have changed: {'; '.join(words)}. Nothing was destroyed."


def _recheck_undo(run: _Run, _step: Step) -> Work:
    """The last to be taken back: the notes are put aside, unless something could not be taken back."""
    line: Line | None = run.found.get("line")
    if (
        line is not None
        and not line.record.destroying
        and not line.record.fresh
        and not run.found.get("kept")
    ):
        line.record.forget("undone")
    yield from ()
    return {}


def _snapshots(run: _Run, _step: Step, line: Line) -> Work:
    said = line.read(asking.snapshots(run.plan.params["pool"]["name"]))
    line.record.keep("snapshots.txt", said.encode())
    yield from ()
    return {"snapshots": len(said.splitlines())}


def _stop_instances(run: _Run, step: Step, line: Line) -> Work:
    """Those of the plan that run now, one after the other."""
    wanted = step.params["instances"]
    before = _states_of(line)
    stopped = list(line.record.facts(step.id).get("stopped", []))
    line.record.begin(step.id, stopped=stopped)
    for number, uuid in enumerate(wanted):
        run.cancel.check(run.state())
        if before.get(uuid) in (None, "stopped"):
            continue
        stopped.append(uuid)
        line.record.note(step.id, stopped=sorted(set(stopped)))
        yield Noted(run.clock(), step.id, f"Stopping {uuid}, {number + 1} of {len(wanted)} …")
        _shut_down(line, uuid)
        until = time.monotonic() + STOPPING
        while (state := _states_of(line).get(uuid)) not in (None, "stopped"):
            if time.monotonic() > until:
                raise WizardError("instance-runs", f"The instance {uuid} is still {tame(str(state))} after five minutes.", hint=f"Stop it by hand: vmadm stop -F {uuid}. Then give the same command again.", context="nothing was destroyed")  # fmt: skip
            line.rest()
    return {"stopped": sorted(set(stopped))}


def _shut_down(line: Line, uuid: str) -> None:
    """Tell it to; where it is not known whether that arrived, and it runs as before, it is told again."""
    for _ in range(3):
        try:
            line.ask(asking.stop(uuid))
            return
        except (DeviceLost, NetworkFailed):
            if _states_of(line).get(uuid) in (None, "stopped"):
                return


def _states_of(line: Line) -> dict[str, str]:
    rows = [row.split() for row in line.read(asking.states()).splitlines()]
    return {row[0]: row[1] for row in rows if len(row) > 1}


def _start_instances(run: _Run, step: Step, line: Line) -> Work:
    stopped = line.record.facts(step.id).get("stopped", [])
    states = _states_of(line)
    for uuid in stopped:
        if states.get(uuid) == "stopped":
            line.read(asking.start(uuid))
    if stopped:
        yield Noted(run.clock(), step.id, f"{counted(len(stopped), 'instance')} started again.")
    return {}


# ---------------------------------------------------------------------- way A


def _set_reset(run: _Run, step: Step, line: Line) -> Work:
    """Set the mark, and read it back."""
    pool, guid = step.params["pool"], step.params["guid"]
    if line.record.began(step.id) and f"{pool}/var" in line.patiently(line.look).marked:
        yield Noted(run.clock(), step.id, f"{pool} is marked already, by this run.", reference="done-before")
        return {}
    line.record.begin(step.id)
    command = asking.guarded(_hostid(run), (pool, guid), asking.mark(pool))
    said = _guard(run, lambda: line.read(command))
    if said.split() != ["yes"]:
        raise ProofFailed("mark-not-set", f"{tame(pool)}/var does not carry the mark after it was set.", context="nothing was destroyed")  # fmt: skip
    yield Noted(run.clock(), step.id, f"{pool} is marked. Until the reboot this can be taken back.")
    return {}


def _clear_reset(run: _Run, step: Step, line: Line) -> Work:
    """The next boot must destroy nothing: taken away, and read back."""
    pool = step.params["pool"]
    try:
        said = line.read(asking.clear_mark(pool))
        cleared = said.split() in (["-"], [])
    except WizardError as error:
        raise _still_marked(run, pool, error.message) from error
    if not cleared:
        raise _still_marked(run, pool, f"it still says {tame(said.strip(), 40)}")
    yield Noted(run.clock(), step.id, f"The mark on {pool} is taken away: the next boot destroys nothing.")
    return {}


def _still_marked(run: _Run, pool: str, why: str) -> WizardError:
    text = f"{run.plan.params['host']} MAY STILL BE MARKED: its next normal boot would destroy its pools. Type there: zfs inherit smartdc:factoryreset {pool}/var ({why})"  # fmt: skip
    run.result.setdefault("say", []).append(text)
    return WizardError("still-marked", text)


# ---------------------------------------------------------------------- booting and destroying


def _reboot(run: _Run, step: Step, line: Line) -> Work:
    """A reboot; the one of way A destroys."""
    if step.effect is Effect.DESTROYS:
        seen = line.patiently(line.look) if not line.record.began(step.id) else None
        if seen is not None:
            _same_pools(run, seen, line)
    return (yield from boot_again(run, step, line))


def _same_pools(run: _Run, seen: asking.Look, line: Line) -> None:
    """A moment before: the pools, and that the mark is what was set."""
    line.same(seen)
    if seen.guids != {pool["guid"] for pool in run.plan.params["identity"]["pools"]}:
        raise Refused("pools-changed", _pools_words(run, seen.guids), hint="Survey it again, and make a new plan. What was begun is taken back.")  # fmt: skip


def _reboot_undo(run: _Run, step: Step, line: Line) -> Work:
    """Back to a normal start, where the machine is not in one."""
    try:
        seen = line.look() if line.console else line.patiently(line.look, 600.0)
    except WizardError as error:
        if not at_loader(error):
            raise
        leave_loader(run, line)
        yield Noted(run.clock(), step.id, "It boots normally from its loader; nothing was destroyed.")
        yield from restarted(
            run, step, line, lambda look: not look.rescue, line.record.facts(step.id).get("boot")
        )
        return {}
    if seen.rescue:
        boot = seen.boot
        line.ask(asking.reboot())
        yield Noted(run.clock(), step.id, "It reboots normally; nothing was destroyed.")
        yield from restarted(run, step, line, lambda look: not look.rescue, boot)
    return {}


def _loader_destroy(run: _Run, step: Step, line: Line) -> Work:
    """The boot that destroys: typed at the loader's prompt, by this program on a serial console or by a person."""
    from smartos_wizard.reinstall.run_boot import at_the_prompt

    return (yield from at_the_prompt(run, step, line))


def _rescue_import(_run: _Run, step: Step, line: Line) -> Work:
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


def _export(run: _Run, step: Step, line: Line) -> Work:
    seen = line.patiently(line.look)
    if seen.rescue and (step.params["pool"], step.params["guid"]) in seen.pools:
        line.read(asking.export(step.params["pool"]))
        yield Noted(run.clock(), step.id, f"{step.params['pool']} is exported again.")
    return {}


def _rescue_destroy(run: _Run, step: Step, line: Line) -> Work:
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
            _guard(run, lambda: line.ask(asking.guarded("", (name, guid), asking.destroy(name))))
        except (DeviceLost, NetworkFailed):
            seen = line.patiently(line.look)
            if (name, guid) in seen.pools:  # it never arrived
                _guard(run, lambda: line.ask(asking.guarded("", (name, guid), asking.destroy(name))))
        except (Refused, CommandFailed):
            if (name, guid) in line.patiently(line.look).pools:
                line.record.note(step.id, destroys=False)
            raise
        finally:
            line.firm = False
        seen = line.patiently(line.look)
    elif not line.record.began(step.id):
        raise Refused("pools-changed", _pools_words(run, seen.guids), hint="Survey it again, and make a new plan.")  # fmt: skip
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


def _hostid(run: _Run) -> str:
    found: str = run.plan.params["identity"]["hostid"]
    return found


def _guard(run: _Run, work: Callable[[], str]) -> str:
    try:
        return work()
    except CommandFailed as error:
        if error.status != asking.GUARD:
            raise
        raise Refused("other-host", f"{run.plan.params['host']} is not as it was surveyed: its hostid or the pool's guid is another. Nothing was done.", hint="Survey it again.") from error  # fmt: skip


# ---------------------------------------------------------------------- after


def _wait_back(run: _Run, step: Step, line: Line) -> Work:
    """Until the machine is back after the wipe."""
    yield Noted(run.clock(), step.id, f"Setup asks its questions on the console of {run.plan.params['host']}. Answer them there; this waits until it is back.", reference="setup-asks")  # fmt: skip
    look = yield from restarted(run, step, line, lambda seen: not seen.rescue, line.record.last_boot)
    alive = [
        pool
        for pool in run.plan.params["dying"]
        if pool["fate"] == "destroyed" and pool["guid"] in look.guids
    ]
    if alive and run.plan.params["way"] != "C":
        line.record.note(step.id, destroys=False)
        raise WizardError("nothing-destroyed", f"{run.plan.params['host']} started, and {alive[0]['name']} (guid {alive[0]['guid']}) is still there: nothing was destroyed.", hint="Was the loader's menu missed? What was changed before is taken back; then plan again.")  # fmt: skip
    return {"boot": look.boot, "pools": [list(pool) for pool in look.pools]}


def _take_back(run: _Run, step: Step) -> Work:
    """Every step that was begun, the last first. What cannot be taken back is told, and the notes of the run stay."""
    line = line_of(run)
    if line.record.destroying:
        raise Refused("too-late", "What destroys was begun; that cannot be taken back.")
    steps = [Step.from_json(each) for each in step.params["steps"]]
    failed: WizardError | None = None
    for each in reversed(steps):
        undo = RUN_ACTIONS[each.action].undo
        if undo is None or each.action == "recheck":
            continue
        try:
            yield from undo(run, each)
        except WizardError as error:
            failed = error
            yield Noted(run.clock(), step.id, f"Could not take back “{each.title}”: {error.message}", level="warning", reference="undo-failed")  # fmt: skip
    if failed is not None:
        raise failed
    line.record.forget("undone")
    return {}


def _watch(run: _Run, step: Step) -> Work:
    """In which state the machine is, once. Raises what keeps us from asking."""
    line = line_of(run)
    line.after_boot = line.record.rebooted
    seen = line.look()
    line.same(seen)
    lost = {pool["guid"] for pool in run.plan.params["dying"] if pool["fate"] == "destroyed"}
    there = sorted(lost & seen.guids)
    state = "in Rescue Mode" if seen.rescue else "up"
    text = f"{run.plan.params['host']} is {state}; {'the pool to be destroyed is still there' if there else 'the pool is gone'}."
    run.result.update(state="rescue" if seen.rescue else "up", there=there, marked=list(seen.marked))
    run.result.setdefault("say", []).append(text)
    yield Noted(run.clock(), step.id, text, reference="host-state", data={"state": run.result["state"]})
    return {}


RUN_ACTIONS: dict[str, Action[ReinstallWorld]] = {
    "recheck": Action(_recheck, _recheck_undo),
    "final-snapshots": Action(_once(_snapshots)),
    "stop-instances": Action(_once(_stop_instances), _undone(_start_instances)),
    "set-reset": Action(_once(_set_reset), _undone(_clear_reset)),
    "reboot": Action(_once(_reboot), _undone(_reboot_undo)),
    "loader-destroy": Action(_once(_loader_destroy)),
    "rescue-import": Action(_once(_rescue_import), _undone(_export)),
    "rescue-destroy": Action(_once(_rescue_destroy)),
    "wait-back": Action(_once(_wait_back)),
    "watch": Action(_watch),
    "take-back": Action(_take_back),
    "verify": Action(_once(verify)),
    "receipt": Action(_once(receipt)),
}
"""The code of `reinstall-run`, `reinstall-watch` and `reinstall-undo` plans."""
