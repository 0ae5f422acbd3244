"""What each step of a re-install does: looks first, notes what it begins, does it, and reads back what came of it.

Until the destroying step is begun every step can be taken back, and is where a later one fails or somebody stops it.
From then on nothing is taken back: the words say so, and `reinstall watch` goes on looking. A step is never done
twice: the record says what was finished, and what was begun is settled by asking the machine (`planning_steps` has the
table of steps).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from smartos_wizard.core.errors import ProofFailed, Refused, WizardError
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
from smartos_wizard.reinstall.run_guards import guarded, hostid_of, pools_words
from smartos_wizard.reinstall.run_instances import start_instances, stop_instances
from smartos_wizard.reinstall.run_record import Record, plan_id
from smartos_wizard.reinstall.run_rescue import export, rescue_destroy, rescue_import
from smartos_wizard.reinstall.run_verify import receipt, told_again, verify

_Run = Run[ReinstallWorld]


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
            known = line.record.facts(step.id)
            told_again(run, step, known)
            return known
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
        raise Refused("pools-changed", pools_words(run, seen.guids), hint="Survey it again, and make a new plan. What was begun is taken back.")  # fmt: skip
    return {}


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


# ---------------------------------------------------------------------- way A


def _set_reset(run: _Run, step: Step, line: Line) -> Work:
    """Set the mark, and read it back."""
    pool, guid = step.params["pool"], step.params["guid"]
    if line.record.began(step.id) and f"{pool}/var" in line.patiently(line.look).marked:
        yield Noted(run.clock(), step.id, f"{pool} is marked already, by this run.", reference="done-before")
        return {}
    line.record.begin(step.id)
    command = asking.guarded(hostid_of(run), (pool, guid), asking.mark(pool))
    said = guarded(run, lambda: line.read(command))
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
        raise Refused("pools-changed", pools_words(run, seen.guids), hint="Survey it again, and make a new plan. What was begun is taken back.")  # fmt: skip


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
    "stop-instances": Action(_once(stop_instances), _undone(start_instances)),
    "set-reset": Action(_once(_set_reset), _undone(_clear_reset)),
    "reboot": Action(_once(_reboot), _undone(_reboot_undo)),
    "loader-destroy": Action(_once(_loader_destroy)),
    "rescue-import": Action(_once(rescue_import), _undone(export)),
    "rescue-destroy": Action(_once(rescue_destroy)),
    "wait-back": Action(_once(_wait_back)),
    "watch": Action(_watch),
    "take-back": Action(_take_back),
    "verify": Action(_once(verify)),
    "receipt": Action(_once(receipt)),
}
"""The code of `reinstall-run`, `reinstall-watch` and `reinstall-undo` plans."""
