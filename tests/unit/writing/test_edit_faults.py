"""Keys that fail at some step while files on them are changed: the exit code and the words are true."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.events import StepStarted
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.runner import execute
from smartos_wizard.media.configuring import CONFIGURE_ACTIONS
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.upgrading import ROLLBACK_ACTIONS, UPGRADE_ACTIONS
from tests.unit.writing.changes import MIDDLE, Still, planned, start
from tests.unit.writing.parts import Outcome, Place
from tests.unit.writing.small_keys import (
    LATER,
    NEW,
    OLD,
    below,
    beside,
    files,
    key,
    platform,
    sound,
    tarball,
    tree,
)


@pytest.fixture
def place(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    # The second opinion is asked in the other tests; a hundred times over it would only cost seconds.
    monkeypatch.setattr("smartos_wizard.media.file_changes.fsck_available", lambda: False)
    return Still(place.paths)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> VerifiedImage:
    return tarball(tmp_path_factory.mktemp("platforms") / f"platform-{NEW}.tgz", NEW)


@dataclass
class Job:
    """A change that is being made to a device that fails at one of its steps."""

    what: str
    step: str
    write: int = 0
    """The number of the write of that step that fails; 0: reading."""


FAULTS = [
    Job("configure", "configure", 1), Job("configure", "configure", 4), Job("configure", "configure", 7),
    Job("configure", "configure"), Job("configure", "prove"), Job("upgrade", "copy", 1), Job("upgrade", "copy", 3),
    Job("upgrade", "switch", 9), Job("upgrade", "open"), Job("upgrade", "prove"), Job("room", "room", 5),
    Job("room", "copy", 2), Job("room", "switch", 8), Job("rollback", "switch", 5), Job("rollback", "prove"),
]  # fmt: skip
ACTIONS = {"configure": CONFIGURE_ACTIONS, "rollback": ROLLBACK_ACTIONS}


def run(place: Place, plan: Plan, what: str, begins: Callable[[str], None]) -> Outcome:
    events = []
    actions = ACTIONS.get(what, UPGRADE_ACTIONS)
    for event in execute(Plan.from_json(plan.to_json()), actions, place):
        if isinstance(event, StepStarted):
            begins(event.step)
        events.append(event)
    return Outcome(events)


CASES = [(job, errno.EIO) for job in FAULTS] + [(job, errno.ENODEV) for job in FAULTS[::2]]
CASES += [(job, errno.EROFS) for job in FAULTS if job.write in (1, 5)]


@pytest.mark.parametrize(
    ("job", "number"),
    CASES,
    ids=[f"{j.what}-{j.step}-{j.write or 'read'}-{errno.errorcode[n]}" for j, n in CASES],
)
def test_at_every_step_the_code_and_the_words_are_true(
    place: Place, packed: VerifiedImage, job: Job, number: int
) -> None:
    device = key(start(job.what))
    before, count, step, failed = tree(device), 0, "", False

    def begins(name: str) -> None:
        nonlocal step, count
        step, count = name, 0

    def fails(_data: memoryview, offset: int) -> None:
        nonlocal count, failed
        count += step == job.step
        gone = failed and number == errno.ENODEV
        if gone or (step == job.step and (count == job.write or not job.write) and not failed):
            failed = True
            raise OSError(number, "no")

    if job.write:
        device.on_write = fails
    else:
        device.on_read = fails
    outcome = run(place, planned(place, job.what, device, packed), job.what, begins)
    assert failed
    device.on_write = device.on_read = lambda data, offset: None
    proving = job.step == "prove"
    expected = {errno.ENODEV: 10, errno.EROFS: 4 if job.write == 1 else 7, errno.EIO: 8 if proving else 7}
    assert outcome.code == expected[number], outcome.error
    assert not outcome.claims_success
    assert outcome.keys[0]["state"] == "failed"
    assert outcome.keys[0]["error"]["message"] == outcome.error.message
    assert outcome.error.context.startswith(device.name)
    assert outcome.error.hint
    words, now = outcome.error.message, tree(device)
    if "Nothing that was on it has changed" in words or "nothing on it has changed" in words:
        assert now == before
    elif "taken away to make room" in words:
        assert files(now) == files(beside(before, "previous"))
    elif proving:
        assert "not proven" in words
        assert "reading back" in words
        assert now != before
    else:
        assert "the old or the new" in words
        assert files(below(now, "platform")) in [platform(stamp) for stamp in (OLD, NEW, LATER)]
    assert beside(now, *MIDDLE) == beside(before, *MIDDLE)
    again = place.run(planned(place, job.what, device, packed))
    assert again.code == 0, again.error
    assert sound(device)


@pytest.mark.parametrize("what", ["configure", "upgrade", "rollback"])
def test_a_key_that_cannot_be_read_is_told_before_anything_is_planned(
    place: Place, packed: VerifiedImage, what: str
) -> None:
    for number, code in ((errno.EIO, 7), (errno.ENODEV, 10)):
        device = key(start(what))

        def fails(_into: memoryview, offset: int, number: int = number) -> None:
            if offset > 1 << 20 or number == errno.ENODEV:
                raise OSError(number, "no")

        device.on_read = fails
        with pytest.raises(WizardError) as caught:
            planned(place, what, device, packed)
        assert int(caught.value.exit_code) == code
        assert "Nothing on it was changed." in caught.value.message
        assert device.closed
