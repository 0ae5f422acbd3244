"""Datasets that are sent to another machine and come back: whole, broken off on either side, stopped, refused."""

from __future__ import annotations

import pytest

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.events import Advanced, Noted, StepFinished
from smartos_wizard.core.plan import Effect, Plan
from smartos_wizard.core.runner import execute
from smartos_wizard.reinstall.backup_manifest import read, unfinished
from smartos_wizard.reinstall.backup_names import place_of
from smartos_wizard.reinstall.backup_steps import BACKUP_ACTIONS
from smartos_wizard.reinstall.restore_planning import Wanted
from smartos_wizard.reinstall.restore_steps import RESTORE_ACTIONS
from smartos_wizard.reinstall.there import dataset_of
from tests.unit.reinstall.parts_backup import (
    DATA,
    IMAGE,
    WEB,
    BackupWorld,
    backup_plan,
    end,
    found,
    good,
    machine,
    run,
    snapshots,
)
from tests.unit.reinstall.parts_sending import (
    PLACE,
    attic,
    coming_back,
    known,
    looked,
    sending_plan,
    with_clone,
)
from tests.unit.reinstall.shell_server import serving
from tests.unit.reinstall.test_backup_restore import wipe

ALL = Wanted(every_group=True)
PLACES = {name: place_of(name, PLACE) for name in (f"zones/{IMAGE}", f"zones/{WEB}", "zones/precious")}


@pytest.fixture
def server(tmp_path):
    with serving(with_clone(machine(tmp_path / "machine"))) as running:
        yield running


@pytest.fixture
def other(tmp_path):
    with serving(attic(tmp_path / "attic")) as running:
        yield running


@pytest.fixture
def to(tmp_path):
    return tmp_path / "kept"


def held(other):
    """What lies on the other machine, by the name it had; without snapshots."""
    found = {}
    for name, data in other.datasets.items():
        for dataset, place in PLACES.items():
            if "@" not in name and (name == place or name.startswith(place + "/")):
                found[dataset + name.removeprefix(place)] = data
    return found


def words(server, begin):
    """The commands it got that begin so."""
    return [c for each in server.commands if (c := each.rsplit("PATH LC_ALL; ", 1)[-1]).startswith(begin)]


def resumed(events):
    return [event for event in events if isinstance(event, Noted) and event.reference == "stream-resumed"]


def test_there_and_back_with_properties_and_snapshots(server, other, to, paths):
    before = server.datasets
    plan = sending_plan(server, to, other, paths)
    assert {step.effect for step in plan.steps} == {Effect.READS, Effect.CREATES, Effect.CHANGES}
    assert all(step.undo for step in plan.steps)
    good(run(plan, paths))
    assert server.datasets == before
    assert held(other) == DATA
    assert other.datasets["tank/own"] == b"its own"
    manifest = read(to)
    assert manifest.there.dataset == PLACE
    assert {each.dataset for each in manifest.sent} == set(PLACES)
    assert manifest.place("zones/precious").snapshots[""][0] == ("old", "77")
    assert manifest.place(f"zones/{WEB}").properties[""]["lab:note"] == "two words"
    assert not [file for file in to.iterdir() if file.name.endswith(".zfs.gz")]
    received = words(other, "zfs recv")
    assert all(" -s -u " in each and "-F" not in each for each in received)
    assert any(f"origin={PLACES[f'zones/{IMAGE}']}@final" in each for each in received)
    wipe(server)
    good(run(coming_back(server, to, paths, ALL), paths))
    assert {name: data for name, data in server.datasets.items() if name in DATA} == DATA
    assert server.datasets["zones/precious@old"] == b"older"
    set_now = (server.place / "meta" / f"zones%{WEB}").read_text()
    assert '"lab:note": "two words"' in set_now
    assert '"mountpoint": "/zones/web"' in set_now
    assert f"origin=zones/{IMAGE}@final" in " ".join(words(server, "zfs recv"))
    assert not any("-F" in each for each in words(server, "zfs recv"))


@pytest.mark.parametrize("side", ["source", "target"])
def test_broken_off_in_a_stream_it_is_taken_up_where_it_broke(server, other, to, paths, side):
    place = server if side == "source" else other
    if side == "source":
        server.cut = 300_000
    else:
        other.cut_in = 300_000
    failed = end(run(sending_plan(server, to, other, paths), paths))
    assert (failed.exit_code, failed.error.reference) == (10, "connection-lost")
    assert snapshots(server), "they are needed to go on"
    half = len(held(other)[f"zones/{WEB}"])
    assert 0 < half < len(DATA[f"zones/{WEB}"])
    place.cut = place.cut_in = None
    events = run(sending_plan(server, to, other, paths), paths)
    last = good(events)
    assert len(resumed(events)) == 1
    assert len(words(server, "zfs send -t")) == 1
    sent = next(e.result["bytes"] for e in events if isinstance(e, StepFinished) and e.result.get("place") == PLACES[f"zones/{WEB}"])  # fmt: skip
    assert sent < len(DATA[f"zones/{WEB}"]) - half + len(DATA[f"zones/{WEB}/disk0"]) + 20_000
    assert held(other) == DATA
    assert not snapshots(server)
    assert last.result["sent"]


def killed_after(plan, actions, paths, step):
    """Run it until so many steps are finished, then no more of it is done; whether it got as far."""
    running = execute(Plan.from_json(plan.to_json()), actions, BackupWorld(paths))
    count = 0
    for event in running:
        count += isinstance(event, StepFinished)
        if count == step:
            running.close()
            return True
    return False


def test_killed_after_each_step_and_given_again(server, other, to, paths):
    steps = [step.id for step in sending_plan(server, to, other, paths).steps]
    for count in range(1, steps.index("manifest") + 1):
        assert killed_after(sending_plan(server, to, other, paths), BACKUP_ACTIONS, paths, count)
    events = run(sending_plan(server, to, other, paths), paths)
    good(events)
    again = [e.result["again"] for e in events if isinstance(e, StepFinished) and e.step.startswith("send")]
    assert again == [False] * 3, "what is whole is not sent twice"
    assert held(other) == DATA
    assert not snapshots(server)
    assert {each.dataset for each in read(to).sent} == set(PLACES)


def test_stopped_in_a_stream_nothing_half_stays_anywhere(server, other, to, paths):
    cancel, events = Cancel(), []
    server.dataset("zones/precious", bytes(range(256)) * 80_000)
    for event in execute(sending_plan(server, to, other, paths), BACKUP_ACTIONS, BackupWorld(paths), cancel):
        events.append(event)
        if isinstance(event, Advanced) and event.step == "send-2" and event.done:
            cancel.request()
    assert end(events).exit_code == 3
    assert not snapshots(server)
    assert set(held(other)) == {f"zones/{IMAGE}", f"zones/{WEB}", f"zones/{WEB}/disk0"}, "what is whole stays"
    good(run(sending_plan(server, to, other, paths), paths))
    assert set(held(other)) == set(DATA)


def test_snapshots_that_are_gone_meanwhile_make_it_begin_again(server, other, to, paths):
    server.cut = 300_000
    run(sending_plan(server, to, other, paths), paths)
    server.cut = None
    for name in snapshots(server):
        (server.state / name.replace("/", "%")).unlink()
        (server.place / "meta" / name.replace("/", "%")).unlink()
    server.dataset(f"zones/{WEB}", b"newer" * 1000)
    good(run(sending_plan(server, to, other, paths), paths))
    assert held(other)[f"zones/{WEB}"] == b"newer" * 1000


def test_nothing_is_received_over_what_is_there(server, other, to, paths):
    other.dataset(PLACE, b"somebody's")
    with pytest.raises(Refused, match="already"):
        sending_plan(server, to, other, paths)
    (other.state / PLACE.replace("/", "%")).unlink()
    plan = sending_plan(server, to, other, paths)
    other.dataset(PLACE, b"somebody's")
    failed = end(run(plan, paths))
    assert failed.error.reference == "target-exists"
    assert other.datasets[PLACE] == b"somebody's"
    assert not snapshots(server)
    known(other, PLACE, set={"smartos-wizard:backup": "4d2a0001:19990101T000000Z"})
    with pytest.raises(Refused, match="already"):
        sending_plan(server, to, other, paths)


def test_a_pool_of_the_machine_itself_is_no_place(server, to, paths):
    with pytest.raises(Refused, match="same machine"):
        sending_plan_to_itself(server, to, paths)


def sending_plan_to_itself(server, to, paths):
    import time

    from smartos_wizard.reinstall.backup_choice import Choice
    from smartos_wizard.reinstall.backup_planning import Destination, plan_backup
    from tests.unit.reinstall.parts_backup import address

    there = looked(server, paths, "zones/copy")
    return plan_backup(found(server), Choice(every_instance=True), address(server), Destination(to, there=there), time.time())  # fmt: skip


def test_places_that_make_no_sense(other, paths):
    for name in ("tank", "tank/", "/tank/x", "tank//x", "tank/a b", "tank/x@y", "tank/x; reboot"):
        with pytest.raises(UsageProblem):
            dataset_of(name)
    with pytest.raises(Refused, match="no pool"):
        looked(other, paths, "pond/x")
    with pytest.raises(Refused, match="has no place"):
        looked(other, paths, "tank/none/x")


def test_too_little_room_there_is_refused_before_anything_is_sent(server, other, to, paths):
    other.more["FREE"] = "1000"
    failed = end(run(sending_plan(server, to, other, paths), paths))
    assert (failed.exit_code, failed.error.reference) == (4, "no-room")
    assert "tank/box" in failed.error.message
    assert not snapshots(server)
    assert PLACE not in other.datasets
    assert not words(other, "zfs recv")


def test_what_changed_there_is_found(server, other, to, paths):
    good(run(sending_plan(server, to, other, paths), paths))
    wipe(server)
    plan = coming_back(server, to, paths, ALL)
    place = PLACES["zones/precious"]
    (other.state / f"{place}@old".replace("/", "%")).unlink()
    failed = end(run(plan, paths))
    assert (failed.exit_code, failed.error.reference) == (8, "sent-differs")
    assert not [name for name in server.datasets if name in DATA]


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_way_back_that_breaks_off_is_taken_up_too(server, other, to, paths, side):
    good(run(sending_plan(server, to, other, paths), paths))
    wipe(server)
    if side == "source":
        other.cut = 300_000
    else:
        server.cut_in = 300_000
    failed = end(run(coming_back(server, to, paths, ALL), paths))
    assert failed.exit_code == 10
    other.cut = server.cut_in = None
    plan = coming_back(server, to, paths, ALL)
    assert not plan.destroys
    events = run(plan, paths)
    good(events)
    assert len(resumed(events)) == 1
    assert {name: data for name, data in server.datasets.items() if name in DATA} == DATA


def test_a_way_back_that_is_killed_after_each_step(server, other, to, paths):
    good(run(sending_plan(server, to, other, paths), paths))
    wipe(server)
    try:
        for count in range(1, 12):
            plan = coming_back(server, to, paths, ALL)
            if not killed_after(plan, RESTORE_ACTIONS, paths, min(count, len(plan.steps))):
                break
        good(run(coming_back(server, to, paths, ALL), paths))
    except Refused as error:
        assert error.reference == "nothing-to-restore"
    assert {name: data for name, data in server.datasets.items() if name in DATA} == DATA
    assert WEB in (server.root / "etc/zones/index").read_text()


def test_a_way_back_never_goes_over_what_is_there(server, other, to, paths):
    good(run(sending_plan(server, to, other, paths), paths))
    with pytest.raises(Refused, match="already"):
        coming_back(server, to, paths, Wanted(groups=("zones/precious",)))
    wipe(server)
    plan = coming_back(server, to, paths, Wanted(groups=("zones/precious",)))
    server.dataset("zones/precious", b"newer")
    failed = end(run(plan, paths))
    assert failed.error.reference == "target-exists"
    assert server.datasets["zones/precious"] == b"newer"


def test_a_property_that_cannot_be_set_is_said(server, other, to, paths):
    good(run(sending_plan(server, to, other, paths), paths))
    wipe(server)
    real = server.bin / "real" / "zfs"
    real.parent.mkdir()
    (server.bin / "zfs").rename(real)
    (server.bin / "zfs").write_text(f'#!/bin/sh\ncase "$1 $2" in "set quota"*) exit 1;; esac\nexec {real} "$@"\n')  # fmt: skip
    (server.bin / "zfs").chmod(0o755)
    events = run(coming_back(server, to, paths, ALL), paths)
    good(events)
    said = [event.text for event in events if isinstance(event, Noted) and event.reference == "property-not-set"]  # fmt: skip
    assert len(said) == 1
    assert "quota" in said[0]


def test_what_was_begun_here_does_not_go_there(server, other, to, paths):
    server.cut = 300_000
    run(backup_plan(server, to), paths)
    with pytest.raises(Refused, match="into files here"):
        sending_plan(server, to, other, paths)
    assert unfinished(to).there is None
