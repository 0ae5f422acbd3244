"""Several machines: an inventory is judged whole before anything begins; a run of it stops at the first failure."""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.cli import reinstall_inventory
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import DeviceLost, ErrorReport, ExitCode, Refused, UsageProblem, WizardError
from smartos_wizard.core.events import Event, Noted, PlanCancelled, PlanFinished
from smartos_wizard.core.plan import Plan, require_confirmed
from smartos_wizard.reinstall.choices import Choices
from smartos_wizard.reinstall.inventory import (
    Entry,
    read_inventory,
    require_runnable,
    tokens_for,
)
from smartos_wizard.reinstall.inventory_run import Heard, run_inventory
from smartos_wizard.reinstall.model import Pool, Survey, Way
from smartos_wizard.reinstall.planning import plan_reinstall
from tests.unit.reinstall.surveys import NOW, ZONES, survey

Write = Callable[..., Path]


def machine(number: int, **more: object) -> Survey:
    """Machines that differ in name, hostid, address and pool."""
    pool: Pool = replace(ZONES, guid=str(1000 + number))
    return replace(
        survey(hostname=f"box{number}", hostid=f"4d2a000{number}", host=f"192.0.2.{number}", pools=(pool,)),
        **more,  # type: ignore[arg-type]
    )


def plan_of(found: Survey) -> Plan:
    return plan_reinstall(found, Choices(Way.RESET, consents=("no-backup",)), NOW)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """An inventory of these machines, each with its plan beside it and more keys where given."""

    def put(*machines: Survey, keys: dict[int, str] | None = None, head: str = "inventory = 1\n") -> Path:
        text = head
        for number, found in enumerate(machines, 1):
            name = f"plan{number}.json"
            (tmp_path / name).write_text(json.dumps(plan_of(found).to_json()))
            text += f'[[host]]\nplan = "{name}"\n{(keys or {}).get(number, "")}\n'
        path = tmp_path / "fleet.toml"
        path.write_text(text)
        return path

    return put


def confirmed(number: int) -> str:
    return f'confirm = ["box{number}:zones", "no-backup"]'


def three(write: Write) -> tuple[Entry, ...]:
    path = write(machine(1), machine(2), machine(3), keys={n: confirmed(n) for n in (1, 2, 3)})
    entries = read_inventory(path)
    require_runnable(path, entries, NOW)
    return entries


def problems(raised: WizardError) -> list[tuple[str, str]]:
    return [(each["where"], each["reference"]) for each in raised.details["problems"]]


def played(*ends: Event | Exception) -> tuple[Callable[[Entry], Iterator[Event]], list[str]]:
    """One end for each machine in turn; the names of those that were begun."""
    begun: list[str] = []

    def run_one(entry: Entry) -> Iterator[Event]:
        begun.append(entry.host)
        yield Noted(0.0, "work", f"at {entry.host}")
        end = ends[entry.number - 1]
        if isinstance(end, Exception):
            raise end
        yield end

    return run_one, begun


GOOD = PlanFinished(0.0, 0)
LOST = PlanFinished(0.0, 10, error=ErrorReport("connection-lost", "It went away.", exit_code=10))


# ---------------------------------------------------------------------------- the file


def test_the_order_of_the_file_is_kept_and_its_addresses_count(write: Write) -> None:
    keys = {2: 'address = "gate.example.com"\nport = 2222\njump = "me@hop"\nuser = "admin"\nidentity = "~/k"'}
    entries = read_inventory(write(machine(3), machine(1), keys=keys))
    assert [entry.host for entry in entries] == ["box3", "box1"]
    where = entries[1].plan.params["address"]
    assert (where["host"], where["port"], where["jump"], where["user"], where["identity"]) == (
        "gate.example.com", 2222, "me@hop", "admin", "~/k",
    )  # fmt: skip
    assert where["host_key"] == "SHA256:abc", "who it must be is no matter of the inventory"
    assert entries[0].plan == plan_of(machine(3))


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("", "other-inventory-version"),
        ("inventory = 2\n[[host]]\nplan='plan1.json'", "other-inventory-version"),
        ("inventory = true\n[[host]]\nplan='plan1.json'", "other-inventory-version"),
        ("inventory = 1\n", "no-hosts"),
        ("inventory = 1\nhost = 3\n", "no-hosts"),
        ("inventory = 1\nhosts = []\n[[host]]\nplan='plan1.json'", "unknown-key"),
        ("inventory = 1\n[[host]]\naddress='a'", "no-plan"),
        ("inventory = 1\n[[host]]\nplan='plan1.json'\npassword='x'", "unknown-key"),
        ("inventory = 1\n[[host]]\nplan='plan1.json'\nport='22'", "bad-value"),
        ("inventory = 1\n[[host]]\nplan='plan1.json'\nport=0", "bad-value"),
        ("inventory = 1\n[[host]]\nplan='plan1.json'\nport=true", "bad-value"),
        ("inventory = 1\n[[host]]\nplan='plan1.json'\nconfirm=[1]", "bad-value"),
        ("inventory = 1\n[[host]]\nplan='nowhere.json'", "no-such-file"),
        ("inventory = 1\n[[host]]\nplan='fleet.toml'", "not-a-plan"),
        ("inventory = 1\n[[host]]\nplan='other.json'", "other-plan"),
        ("inventory = 1\n[[host]]\nplan='holed.json'", "not-a-plan"),
        ("inventory = 1\n[[host]]\nplan='list.json'", "not-a-plan"),
        ("inventory = 1\n[[host]]\nplan='nameless.json'", "no-address"),
    ],
)
def test_what_makes_no_sense_is_named(write: Write, tmp_path: Path, text: str, reference: str) -> None:
    path = write(machine(1))
    (tmp_path / "other.json").write_text(json.dumps(replace(plan_of(machine(1)), kind="key-write").to_json()))
    holed = plan_of(machine(1)).to_json()
    del holed["params"]["identity"]["hostid"]
    (tmp_path / "holed.json").write_text(json.dumps(holed))
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "nameless.json").write_text(json.dumps(plan_of(machine(1, host="", how="file")).to_json()))
    path.write_text(text)
    with pytest.raises(UsageProblem) as raised:
        read_inventory(path)
    assert reference in [each for _, each in problems(raised.value)]


def test_every_mistake_is_said_at_once(write: Write) -> None:
    path = write(machine(1))
    path.write_text("inventory = 1\nwhat = 1\n[[host]]\nplan='a'\n[[host]]\nplan='b'\nport='x'")
    with pytest.raises(UsageProblem, match="No machine was touched") as raised:
        read_inventory(path)
    assert [where for where, _ in problems(raised.value)] == ["", "host 1", "host 2"]


@pytest.mark.parametrize("text", ["inventory = ", "\xff"])
def test_what_is_no_toml(write: Write, tmp_path: Path, text: str) -> None:
    path = tmp_path / "fleet.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageProblem) as raised:
        read_inventory(path)
    assert raised.value.reference == "bad-inventory"
    with pytest.raises(UsageProblem) as raised:
        read_inventory(tmp_path / "nowhere.toml")
    assert raised.value.reference == "no-such-file"


@pytest.mark.parametrize(
    ("second", "reference"),
    [
        (machine(2, hostid="4d2a0001"), "same-machine"),
        (machine(2, pools=(replace(ZONES, guid="1001"),)), "same-machine"),
        (machine(2, hostname="box1"), "same-name"),
        (machine(2, host="192.0.2.1"), "same-address"),
    ],
)
def test_the_same_machine_twice_is_refused(write: Write, second: Survey, reference: str) -> None:
    path = write(machine(1), second, keys={1: confirmed(1), 2: confirmed(2)})
    with pytest.raises(UsageProblem) as raised:
        require_runnable(path, read_inventory(path), NOW, ("box1:zones",))
    assert reference in [each for _, each in problems(raised.value)]


def test_an_old_survey_is_refused_unless_its_run_was_cut_off(write: Write) -> None:
    path = write(machine(1), machine(2), keys={n: confirmed(n) for n in (1, 2)})
    entries = read_inventory(path)
    for now in (NOW + 3600, NOW - 3600):
        with pytest.raises(Refused) as raised:
            require_runnable(path, entries, now)
        assert problems(raised.value) == [("host 1 (box1)", "survey-old"), ("host 2 (box2)", "survey-old")]
    with pytest.raises(Refused) as raised:
        require_runnable(path, entries, NOW + 3600, begun=lambda plan: plan == entries[0].plan)
    assert problems(raised.value) == [("host 2 (box2)", "survey-old")]


def test_each_machine_is_confirmed_by_its_own_name(write: Write) -> None:
    path = write(machine(1), machine(2), keys={1: confirmed(1)})
    entries = read_inventory(path)
    for typed in (
        (),
        ("no-backup",),
        ("box2:zones",),
        ("BOX2:zones", "no-backup"),
        ("box2:zones", "no-backup", "x"),
    ):
        with pytest.raises(Refused) as raised:
            require_runnable(path, entries, NOW, typed)
        assert raised.value.exit_code is ExitCode.REFUSED
    typed = ("box2:zones", "no-backup")
    require_runnable(path, entries, NOW, typed)
    for entry in entries:
        require_confirmed(entry.plan, tokens_for(entry, typed))
    path = write(machine(1), keys={1: 'confirm = ["box1:zones", "no-backup", "box1:tank"]'})
    with pytest.raises(Refused) as raised:
        require_runnable(path, read_inventory(path), NOW)
    assert problems(raised.value) == [("host 1 (box1)", "wrong-confirmation")]


# ---------------------------------------------------------------------------- the run


def last_of(heard: list[Heard]) -> PlanFinished | PlanCancelled:
    assert [each.host for each in heard[:-1]].count("") == 0 and heard[-1].host == ""
    event = heard[-1].event
    assert isinstance(event, PlanFinished | PlanCancelled)
    return event


def states(event: PlanFinished | PlanCancelled) -> list[str]:
    return [each["state"] for each in event.result["hosts"]]


def test_all_done(write: Write) -> None:
    run_one, begun = played(GOOD, GOOD, GOOD)
    heard = list(run_inventory(three(write), run_one))
    assert begun == ["box1", "box2", "box3"]
    assert [each.host for each in heard] == ["box1", "box1", "box2", "box2", "box3", "box3", ""]
    last = last_of(heard)
    assert last.exit_code == 0 and last.result["say"] == ["Done: box1, box2 and box3."]


@pytest.mark.parametrize("end", [LOST, DeviceLost("connection-lost", "It went away.")])
def test_it_stops_at_the_first_failure_and_says_which_were_not_begun(
    write: Write, end: Event | Exception
) -> None:
    run_one, begun = played(GOOD, end, GOOD)
    last = last_of(list(run_inventory(three(write), run_one)))
    assert begun == ["box1", "box2"]
    assert states(last) == ["done", "failed", "not-begun"]
    assert [each["exit_code"] for each in last.result["hosts"]] == [0, 10, None]
    assert last.result["say"] == ["Done: box1.", "Failed: box2.", "Not begun: box3."]
    assert isinstance(last, PlanFinished) and last.error is not None
    assert (last.exit_code, last.error.reference) == (10, "connection-lost")
    assert last.error.message.startswith("box2: ")


def test_a_run_that_says_no_end_counts_as_failed(write: Write) -> None:
    last = last_of(list(run_inventory(three(write), lambda _entry: iter([Noted(0.0, "s", "x")]))))
    assert states(last) == ["failed", "not-begun", "not-begun"] and last.exit_code == 1


def test_a_stop_ends_the_machine_at_work_and_begins_no_other(write: Write) -> None:
    run_one, begun = played(PlanCancelled(0.0, "mark", "The mark was taken back."), GOOD, GOOD)
    last = last_of(list(run_inventory(three(write), run_one)))
    assert begun == ["box1"] and isinstance(last, PlanCancelled) and last.exit_code == 3
    assert states(last) == ["cancelled", "not-begun", "not-begun"]
    assert "box1: The mark was taken back." in last.state
    cancel = Cancel()
    cancel.request()
    run_one, begun = played(GOOD, GOOD, GOOD)
    last = last_of(list(run_inventory(three(write), run_one, cancel=cancel)))
    assert begun == [] and last.exit_code == 3


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_never_more_at_once_than_was_said(write: Write, at_once: int) -> None:
    entries = three(write)
    now, most, lock = [0], [0], threading.Lock()

    def run_one(_entry: Entry) -> Iterator[Event]:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        yield Noted(0.0, "s", "working")
        time.sleep(0.05)
        with lock:
            now[0] -= 1
        yield GOOD

    last = last_of(list(run_inventory(entries, run_one, at_once=at_once)))
    assert last.exit_code == 0 and most[0] == at_once


def test_what_runs_when_another_fails_goes_on_to_its_own_end(write: Write) -> None:
    entries = three(write)
    failed = threading.Event()

    def run_one(entry: Entry) -> Iterator[Event]:
        yield Noted(0.0, "s", "working")
        if entry.number == 1:
            assert failed.wait(5)
            time.sleep(0.05)
            yield GOOD
        else:
            failed.set()
            yield LOST

    last = last_of(list(run_inventory(entries, run_one, at_once=2)))
    assert states(last) == ["done", "failed", "not-begun"] and last.exit_code == 10


def test_a_reader_that_goes_away_stops_what_runs_beside_it(write: Write) -> None:
    entries, cancel, ended = three(write), Cancel(), threading.Event()

    def run_one(_entry: Entry) -> Iterator[Event]:
        yield Noted(0.0, "s", "working")
        if cancel.wait(5):
            ended.set()
        yield PlanCancelled(0.0, "s", "stopped")

    running = run_inventory(entries, run_one, at_once=2, cancel=cancel)
    next(running)
    running.close()  # type: ignore[attr-defined]
    assert ended.wait(5)


# ---------------------------------------------------------------------------- the command's one function


def test_json_names_the_machine_in_every_line(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(machine(1), machine(2), keys={n: confirmed(n) for n in (1, 2)})
    run_one, _ = played(GOOD, LOST)
    code = reinstall_inventory.run_inventory(str(path), run_one, now=NOW, as_json=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 10 and [line["host"] for line in lines] == ["box1", "box1", "box2", "box2", ""]
    assert lines[-1]["reference"] == "connection-lost" and lines[-1]["exit_code"] == 10
    assert [each["state"] for each in lines[-1]["result"]["hosts"]] == ["done", "failed"]


def test_words_name_the_machine_and_nothing_is_begun_without_all_tokens(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(machine(1), machine(2), keys={1: confirmed(1)})
    run_one, begun = played(GOOD, GOOD)
    with pytest.raises(Refused):
        reinstall_inventory.run_inventory(str(path), run_one, now=NOW, confirm=("no-backup",))
    assert begun == []
    code = reinstall_inventory.run_inventory(str(path), run_one, now=NOW, confirm=("box2:zones", "no-backup"))
    err = capsys.readouterr().err
    assert code == 0 and "box1:   at box1" in err and err.endswith("Done: box1 and box2.\n")


class Typed(io.StringIO):
    """What a person types at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "code"), [("box2:zones\nno-backup\n", 0), ("zones\nno-backup\n", 4), ("\n\n", 4)]
)
def test_at_a_terminal_what_is_missing_is_asked_for_with_what_it_destroys(
    write: Write, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    path = write(machine(1), machine(2), keys={1: confirmed(1)})
    run_one, begun = played(GOOD, GOOD)
    monkeypatch.setattr(sys, "stdin", Typed(typed))
    try:
        ended = reinstall_inventory.run_inventory(str(path), run_one, now=NOW)
    except Refused as refused:
        ended = int(refused.exit_code)
    assert ended == code and begun == (["box1", "box2"] if code == 0 else [])
    err = capsys.readouterr().err
    assert "zones (guid 1002) of box2" in err and "guid 1001" not in err.split("box2", maxsplit=1)[0]


def test_a_dry_run_shows_every_plan_and_runs_none(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(machine(1), machine(2))
    run_one, begun = played(GOOD, GOOD)
    assert reinstall_inventory.run_inventory(str(path), run_one, now=NOW, dry_run=True) == 0
    assert capsys.readouterr().out.count("DESTROYS") == 2
    assert reinstall_inventory.run_inventory(str(path), run_one, now=NOW, dry_run=True, as_json=True) == 0
    assert [each["host"] for each in json.loads(capsys.readouterr().out)] == ["box1", "box2"]
    assert begun == []
