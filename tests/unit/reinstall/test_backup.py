"""Backups of a machine whose commands really run: whole, interrupted anywhere, damaged, refused."""

from __future__ import annotations

import gzip
import json
import os
import stat
from dataclasses import replace
from types import SimpleNamespace

import pytest

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import ProofFailed, Refused, UsageProblem
from smartos_wizard.core.events import Advanced, Noted, StepFinished
from smartos_wizard.core.plan import Effect, Plan
from smartos_wizard.core.runner import execute
from smartos_wizard.reinstall import backup_files, backup_steps
from smartos_wizard.reinstall.backup_choice import Choice, what_would_be_lost
from smartos_wizard.reinstall.backup_files import keep, read_back, unpacked
from smartos_wizard.reinstall.backup_manifest import NAME, Kept, read, unfinished
from smartos_wizard.reinstall.backup_steps import BACKUP_ACTIONS
from smartos_wizard.reinstall.model import Mode
from tests.unit.reinstall.parts_backup import (
    DATA,
    EVERYTHING,
    IMAGE,
    WEB,
    BackupWorld,
    address,
    backup_plan,
    end,
    found,
    good,
    machine,
    run,
    snapshots,
)
from tests.unit.reinstall.shell_server import serving


@pytest.fixture
def server(tmp_path):
    with serving(machine(tmp_path / "machine")) as running:
        yield running


@pytest.fixture
def to(tmp_path):
    return tmp_path / "kept"


def sends(server):
    return [command for command in server.commands if "zfs send -R" in command]


def test_a_whole_backup_lies_here_and_leaves_nothing_there(server, to, paths):
    before = server.datasets
    plan = backup_plan(server, to)
    assert {step.effect for step in plan.steps} == {Effect.READS, Effect.CREATES, Effect.CHANGES}
    assert all(step.undo for step in plan.steps)
    last = good(run(plan, paths))
    assert server.datasets == before
    manifest = read(to)
    assert manifest.verified
    assert manifest.missing == ()
    assert manifest.host["hostid"] == "4d2a0001"
    assert [group.kind for group in manifest.groups] == ["image", "instance", "data"]
    assert {kept.dataset for kept in manifest.files if kept.kind == "stream"} == {f"zones/{IMAGE}", f"zones/{WEB}", "zones/precious"}  # fmt: skip
    assert stat.S_IMODE(to.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in to.iterdir()} == {0o600}
    assert {file.name for file in to.iterdir()} == {NAME, *(kept.path for kept in manifest.files)}
    for kept in manifest.files:
        list(read_back(to, kept))
    assert "password hashes" in " ".join(last.result["say"])
    assert all("PATH=" in command for command in server.commands)


def test_every_command_that_was_sent_is_recorded(server, to, paths):
    world = BackupWorld(paths)
    host = world.hosts.open(address(server))
    world.doors["127.0.0.1"] = host
    events = list(execute(backup_plan(server, to), BACKUP_ACTIONS, world))
    good(events)
    assert host.sent == server.commands


def test_a_connection_lost_in_a_stream_goes_on_the_next_time(server, to, paths):
    server.cut = 300_000
    failed = end(run(backup_plan(server, to), paths))
    assert (failed.exit_code, failed.error.reference) == (10, "connection-lost")
    assert not list(to.glob(".*.part"))
    begun = unfinished(to)
    assert begun.stream(f"zones/{IMAGE}") is not None
    assert begun.stream(f"zones/{WEB}") is None
    left = snapshots(server)
    assert left
    server.cut, done = None, len(sends(server))
    events = run(backup_plan(server, to), paths)
    good(events)
    assert len(sends(server)) == done + 2
    assert not snapshots(server)
    assert any("is there already" in event.text for event in events if isinstance(event, Noted))


def test_a_file_that_changed_meanwhile_is_fetched_again(server, to, paths):
    server.cut = 300_000
    run(backup_plan(server, to), paths)
    kept = unfinished(to).stream(f"zones/{IMAGE}")
    file = to / kept.path
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    server.cut = None
    events = run(backup_plan(server, to), paths)
    good(events)
    assert any(event.reference == "backup-damaged" for event in events if isinstance(event, Noted))
    for kept in read(to).files:
        list(read_back(to, kept))


@pytest.mark.parametrize("step", range(1, 11))
def test_killed_between_two_steps_and_given_again(server, to, paths, step):
    plan = backup_plan(server, to)
    running = execute(Plan.from_json(plan.to_json()), BACKUP_ACTIONS, BackupWorld(paths))
    count = 0
    for event in running:
        count += isinstance(event, StepFinished)
        if count == step:
            break
    running.close()
    if (to / NAME).exists():
        with pytest.raises(Refused, match="finished backup already"):
            backup_plan(server, to)
        return
    good(run(backup_plan(server, to), paths))
    assert not snapshots(server)
    for kept in read(to).files:
        list(read_back(to, kept))
    assert len(read(to).files) == 9


def test_a_full_disk_is_said_and_what_is_finished_is_kept(server, to, paths, monkeypatch):
    def full(fd, mode):
        if len(sends(server)) >= 2:
            os.close(fd)
            fd = os.open("/dev/full", os.O_WRONLY)
        return os.fdopen(fd, mode)

    monkeypatch.setattr(backup_files, "os", SimpleNamespace(**{**vars(os), "fdopen": full}))
    failed = end(run(backup_plan(server, to), paths))
    assert (failed.exit_code, failed.error.reference) == (7, "backup-disk-full")
    assert not snapshots(server)
    monkeypatch.undo()
    good(run(backup_plan(server, to), paths))


def test_too_little_room_is_refused_before_a_stream_is_fetched(server, to, paths, monkeypatch):
    monkeypatch.setattr(backup_steps.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": 1000}))
    failed = end(run(backup_plan(server, to), paths))
    assert (failed.exit_code, failed.error.reference) == (4, "no-room")
    assert not sends(server)
    assert not snapshots(server)
    good(run(backup_plan(server, to, tight=True), paths))


def test_another_machine_is_refused(server, to, paths):
    for changed in ({"hostid": "00000000"}, {"pools": (replace(found(server).pools[0], guid="9"),)}, {"host_key": "SHA256:other"}):  # fmt: skip
        plan = backup_plan(server, to, survey=found(server, **changed))
        failed = end(run(plan, paths))
        assert failed.exit_code == 4
        assert failed.error.reference in ("other-host", "other-host-key", "unknown-host-key")
        assert not to.exists()
    server.cut = 300_000
    run(backup_plan(server, to), paths)
    with pytest.raises(Refused, match="another machine"):
        backup_plan(server, to, survey=found(server, hostid="00000000"))


def test_cancelled_in_a_stream_it_takes_its_snapshots_away(server, to, paths):
    cancel, events = Cancel(), []
    for event in execute(backup_plan(server, to), BACKUP_ACTIONS, BackupWorld(paths), cancel):
        events.append(event)
        if isinstance(event, Advanced) and event.step == "send-1":
            cancel.request()
    assert end(events).exit_code == 3
    assert not snapshots(server)
    assert not list(to.glob(".*.part"))
    good(run(backup_plan(server, to), paths))


def test_what_changes_on_the_disk_is_found_whatever_it_is(server, to, paths):
    good(run(backup_plan(server, to), paths))
    manifest = read(to)
    for kept in manifest.files:
        file = to / kept.path
        data = file.read_bytes()
        for damaged in (data[:-1], data + b"x", bytes([data[0] ^ 1]) + data[1:], b""):
            file.write_bytes(damaged)
            with pytest.raises(ProofFailed, match="not what was written"):
                list(read_back(to, kept))
        file.unlink()
        with pytest.raises(ProofFailed):
            list(read_back(to, kept))
        file.write_bytes(data)


@pytest.mark.parametrize("trouble", ["head -c 700000", "sed 1s/./x/"])
def test_a_stream_that_is_none_or_was_cut_is_no_backup(server, to, paths, trouble):
    zfs, real = server.bin / "zfs", server.bin / "real" / "zfs"
    real.parent.mkdir()
    zfs.rename(real)
    zfs.write_text(
        f'#!/bin/sh\ncase "$1 $2" in "send -R") {real} "$@" | LC_ALL=C {trouble};; *) exec {real} "$@";; esac\n'
    )
    zfs.chmod(0o755)
    failed = end(run(backup_plan(server, to), paths))
    assert failed.exit_code == 8
    assert failed.error.reference in ("zfs-stream-cut", "not-a-zfs-stream")
    assert not (to / NAME).exists()
    assert not snapshots(server)


def test_configuration_only_makes_no_snapshot(server, to, paths):
    good(run(backup_plan(server, to, Choice()), paths))
    assert not any("zfs" in command.split("PATH LC_ALL; ")[-1][:4] for command in server.commands)
    assert read(to).groups == ()


def test_rehearsed_and_snapshots_kept(server, to, paths):
    good(run(backup_plan(server, to, EVERYTHING, rehearse=True, keep_snapshots=True), paths))
    assert sum("zfs recv -nvu" in command for command in server.commands) == 3
    assert len(snapshots(server)) == 4
    assert {name: data for name, data in server.datasets.items() if name in DATA} == DATA


def test_what_an_instance_lacks_is_said(server, to, paths):
    (server.root / f"etc/zones/{WEB}.xml").unlink()
    good(run(backup_plan(server, to), paths))
    assert any(f"{WEB}.vmadm.json" in words for words in read(to).missing)


def test_words_that_make_no_sense(server, to):
    for choice in (Choice(instances=("nobody",)), Choice(instances=("",)), Choice(datasets=("zones/none",))):
        with pytest.raises(UsageProblem):
            backup_plan(server, to, choice)
    with pytest.raises(Refused, match="Rescue Mode"):
        backup_plan(server, to, survey=found(server, mode=Mode.RESCUE))


def test_what_would_be_lost_names_how_to_keep_it(server):
    rows = {row.name: row for row in what_would_be_lost(found(server)) if row.name}
    assert rows[WEB].keep == "instance"
    assert rows[WEB].size == len(DATA[f"zones/{WEB}"])
    assert rows["zones/precious"].keep == "dataset"


def test_a_manifest_that_lies_about_names_is_refused(server, to, paths):
    good(run(backup_plan(server, to), paths))
    file = to / NAME
    text = file.read_text()
    for change in (
        ("path", "../../etc/passwd"),
        ("path", ".hidden"),
        ("dataset", "zones/x; reboot"),
        ("size", "1"),
    ):
        data = json.loads(text)
        next(each for each in data["files"] if each["kind"] == "stream")[change[0]] = change[1]
        file.write_text(json.dumps(data))
        with pytest.raises(UsageProblem):
            read(to)
    for broken in ("", "[]", "{}", '{"smartos-wizard-backup": 2}', "[" * 100_000):
        file.write_text(broken)
        with pytest.raises(UsageProblem):
            read(to)


@pytest.mark.parametrize("count", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5 << 20])
def test_whatever_its_length_it_is_unpacked_as_it_was_packed(tmp_path, count):
    data = bytes(count)
    work = keep(tmp_path, Kept("x.gz", 0, "", "configuration"), [data[: count // 2], data[count // 2 :]])
    with pytest.raises(StopIteration) as ended:
        while True:
            next(work)
    kept = ended.value.value
    assert kept.stream_size == count
    list(read_back(tmp_path, kept))
    assert b"".join(unpacked(tmp_path, kept)) == data
    assert gzip.decompress((tmp_path / "x.gz").read_bytes()) == data
