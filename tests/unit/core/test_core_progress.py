from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smartos_wizard.core.events import (
    Advanced,
    PlanFinished,
    PlanStarted,
    StepFinished,
    StepHead,
    StepStarted,
)
from smartos_wizard.core.progress import Progress, reduce

HEAD = PlanStarted(0.0, "k", "t", (StepHead("w", "write", "destroys"), StepHead("p", "prove", "reads")))


def begun() -> Progress:
    return reduce(reduce(Progress(), HEAD), StepStarted(0.0, "w"))


def at(
    speed: float, seconds: int, total: int, start: Progress, done: float = 0.0, t0: float = 0.0
) -> tuple[Progress, float]:
    state = start
    for tick in range(seconds * 4):
        done = min(total, done + speed / 4)
        state = reduce(state, Advanced(t0 + (tick + 1) / 4, "w", int(done), total))
    return state, done


def test_time_left_is_within_ten_percent_after_a_fifth_at_steady_speed() -> None:
    total = 2_000_000_000
    state, done = at(40e6, 10, total, begun())
    step = state.step("w")
    assert step is not None
    left = step.meters[""].remaining()
    assert left is not None
    assert abs(left - (total - done) / 40e6) <= 0.1 * (total - done) / 40e6


def test_time_left_follows_a_key_that_slows_by_half() -> None:
    total = 2_000_000_000
    state, done = at(40e6, 25, total, begun())
    state, done = at(20e6, 15, total, state, done, 25.0)
    step = state.step("w")
    assert step is not None
    left = step.meters[""].remaining()
    assert left is not None
    assert abs(left - (total - done) / 20e6) <= 0.15 * (total - done) / 20e6


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(-100, 3000)), max_size=60))
def test_a_bar_never_goes_back_nor_past_its_end_whatever_the_clock_does(
    moves: list[tuple[float, int]],
) -> None:
    state, now, best = begun(), 100.0, 0.0
    for jump, done in moves:
        now += jump
        state = reduce(state, Advanced(now, "w", done, 1000))
        step = state.step("w")
        assert step is not None
        meter = step.meters[""]
        assert meter.fraction is not None
        assert best <= meter.fraction <= 1.0 or meter.fraction < 0 == best
        best = max(best, meter.fraction)
        assert meter.rate >= 0
        left = meter.remaining()
        assert left is None or left >= 0


def test_silence_is_counted_from_the_last_movement_not_the_last_event() -> None:
    state = begun()
    for now, done in ((1.0, 10), (2.0, 20), (5.0, 20), (9.0, 20)):
        state = reduce(state, Advanced(now, "w", done, 100))
    step = state.step("w")
    assert step is not None
    assert step.meters[""].silent(10.0) == 8.0


def test_steps_are_marked_and_late_events_are_ignored() -> None:
    state = reduce(begun(), StepFinished(1.0, "w", {"bytes": 3}))
    state = reduce(state, Advanced(1.5, "nowhere", 1, 2))
    assert [s.state for s in state.steps] == ["done", "waiting"]
    state = reduce(state, PlanFinished(2.0, 0))
    assert state.ended is not None
