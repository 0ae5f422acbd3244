from __future__ import annotations

import pytest

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import ErrorReport, ExitCode, ProofFailed, Refused, error_of, report_of
from smartos_wizard.core.events import (
    Advanced,
    Event,
    Noted,
    PlanCancelled,
    PlanFinished,
    PlanStarted,
    StepFailed,
    StepFinished,
    StepHead,
    StepStarted,
    from_json,
    to_json,
)
from smartos_wizard.core.plan import Confirmation, Effect, Plan, Step, require_confirmed
from smartos_wizard.core.runner import Action, Run, Work, execute


def step(name: str, effect: Effect = Effect.READS) -> Step:
    return Step(name, name, f"do {name}", effect)


def plan(*names: str) -> Plan:
    return Plan("test", "A test", tuple(step(n) for n in names))


def logged(log: list[str], name: str, fail: Exception | None = None) -> Action[None]:
    def do(run: Run[None], at: Step) -> Work:
        log.append(f"do {name}")
        yield Noted(run.clock(), at.id, name)
        if fail is not None:
            raise fail
        return {"name": name}

    def undo(run: Run[None], at: Step) -> Work:
        log.append(f"undo {name}")
        yield Noted(run.clock(), at.id, f"undone {name}")
        return None

    return Action(do, undo)


def test_steps_run_in_order_and_the_last_event_says_done() -> None:
    log: list[str] = []
    events = list(execute(plan("a", "b"), {"a": logged(log, "a"), "b": logged(log, "b")}, None))
    assert log == ["do a", "do b"]
    assert isinstance(events[0], PlanStarted)
    last = events[-1]
    assert isinstance(last, PlanFinished)
    assert (last.exit_code, last.error) == (0, None)


def test_a_failure_undoes_in_reverse_and_is_an_event_not_an_exception() -> None:
    log: list[str] = []
    bad = ProofFailed("proof-failed", "differs", offset=512)
    actions = {"a": logged(log, "a"), "b": logged(log, "b", bad), "c": logged(log, "c")}
    events = list(execute(plan("a", "b", "c"), actions, None))
    assert log == ["do a", "do b", "undo b", "undo a"]
    last = events[-1]
    assert isinstance(last, PlanFinished)
    assert last.exit_code == ExitCode.PROOF
    assert to_json(last)["offset"] == 512
    assert any(isinstance(e, StepFailed) and e.step == "b" for e in events)


def test_a_fault_of_the_program_is_exit_code_one_and_says_so() -> None:
    events = list(execute(plan("a"), {"a": logged([], "a", ZeroDivisionError("x"))}, None))
    last = events[-1]
    assert isinstance(last, PlanFinished)
    assert last.exit_code == 1
    assert last.error is not None
    assert last.error.reference == "internal-error"


def test_cancel_stops_before_the_next_step_and_undoes() -> None:
    log: list[str] = []
    cancel = Cancel()

    def do(run: Run[None], at: Step) -> Work:
        run.cancel.request()
        yield Noted(run.clock(), at.id, "asked")
        return None

    actions = {"a": logged(log, "a"), "b": Action(do), "c": logged(log, "c")}
    events = list(execute(plan("a", "b", "c"), actions, None, cancel))
    assert log == ["do a", "undo a"]
    assert isinstance(events[-1], PlanCancelled)
    assert events[-1].exit_code == 3


def test_an_undo_that_fails_is_told_and_the_others_still_run() -> None:
    log: list[str] = []

    def broken(run: Run[None], at: Step) -> Work:
        raise OSError("no")
        yield

    actions = {
        "a": logged(log, "a"),
        "b": Action(logged(log, "b").do, broken),
        "c": logged(log, "c", Refused("x", "no")),
    }
    events = list(execute(plan("a", "b", "c"), actions, None))
    assert "undo a" in log
    assert any(isinstance(e, Noted) and e.reference == "undo-failed" for e in events)


def test_end_hooks_run_newest_first_whatever_happens() -> None:
    log: list[str] = []

    def do(run: Run[None], at: Step) -> Work:
        run.on_end.append(lambda: log.append("first"))
        run.on_end.append(lambda: log.append("second"))
        raise OSError("no")
        yield

    list(execute(plan("a"), {"a": Action(do)}, None))
    assert log == ["second", "first"]


def test_one_failed_target_fails_the_plan_without_stopping_it() -> None:
    log: list[str] = []

    def do(run: Run[None], at: Step) -> Work:
        run.error = ErrorReport("device-lost", "gone", exit_code=10)
        yield Noted(run.clock(), at.id, "went on")
        return None

    events = list(execute(plan("a", "b"), {"a": Action(do), "b": logged(log, "b")}, None))
    assert log == ["do b"]
    last = events[-1]
    assert isinstance(last, PlanFinished)
    assert last.exit_code == 10


@pytest.mark.parametrize(
    "event",
    [
        PlanStarted(1.0, "k", "t", (StepHead("a", "A", "reads"),)),
        StepStarted(1.0, "a", "A", 10),
        Advanced(1.0, "a", 5, 10, 4, "/dev/x", "the key"),
        Noted(1.0, "a", "text", "warning", "/dev/x", "ref", {"n": 1}),
        StepFinished(1.0, "a", {"digest": "x"}),
        StepFailed(1.0, "a", ErrorReport("r", "m", "h", "c", 8, {"offset": 3}), "/dev/x"),
        PlanFinished(1.0, 0, {"say": ["done"]}),
        PlanFinished(1.0, 8, {}, ErrorReport("r", "m", "h", "c", 8, {"offset": 3})),
        PlanCancelled(1.0, "a", "state"),
    ],
)
def test_every_event_survives_its_json_form(event: Event) -> None:
    assert from_json(to_json(event)) == event


def test_a_plan_survives_its_json_form() -> None:
    whole = Plan(
        "k",
        "t",
        (Step("a", "act", "A", Effect.DESTROYS, ("d",), "u", "dd", {"x": [1]}),),
        ("other disks",),
        Confirmation("Type", ("S1",)),
        3.5,
        ("/dev/x",),
        {"p": None},
    )
    assert Plan.from_json(whole.to_json()) == whole


def destroying(*tokens: str) -> Plan:
    asked = Confirmation("Type the serial", tokens) if tokens else None
    return Plan("k", "t", (step("a", Effect.DESTROYS),), confirmation=asked)


def test_a_destroying_plan_is_armed_by_every_token_and_by_nothing_less() -> None:
    require_confirmed(destroying("S1", "S2"), ("S2", "S1"))
    for typed in ((), ("S1",), ("s1", "S2"), ("S1", "S2", "S3")):
        with pytest.raises(Refused) as said:
            require_confirmed(destroying("S1", "S2"), typed)
        assert said.value.exit_code == 4


def test_a_destroying_plan_without_a_name_is_never_armed() -> None:
    with pytest.raises(Refused):
        require_confirmed(destroying(), ("anything",))


def test_a_harmless_plan_needs_no_confirmation() -> None:
    require_confirmed(plan("a"), ())


def test_an_error_keeps_its_class_through_a_report() -> None:
    error = ProofFailed("proof-failed", "differs", hint="h", context="c", offset=7)
    again = error_of(report_of(error))
    assert isinstance(again, ProofFailed)
    assert again.report() == error.report()
