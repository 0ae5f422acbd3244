"""Restores on a machine whose commands really run: the whole way there and back, and every way to be refused."""

from __future__ import annotations

import shutil

import pytest

from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.events import StepFinished
from smartos_wizard.core.plan import Effect, Plan, require_confirmed
from smartos_wizard.core.runner import execute
from smartos_wizard.reinstall.restore_notes import before
from smartos_wizard.reinstall.restore_planning import Wanted
from smartos_wizard.reinstall.restore_steps import RESTORE_ACTIONS
from tests.unit.reinstall.parts_backup import (
    DATA,
    IMAGE,
    WEB,
    BackupWorld,
    backup_plan,
    compared,
    end,
    good,
    machine,
    restore_plan,
    run,
)
from tests.unit.reinstall.shell_server import serving

ALL = Wanted(configuration=True, every_group=True)


@pytest.fixture
def server(tmp_path):
    with serving(machine(tmp_path / "machine")) as running:
        yield running


@pytest.fixture
def to(server, tmp_path, paths):
    good(run(backup_plan(server, tmp_path / "kept"), paths))
    return tmp_path / "kept"


def wipe(server):
    """Install it again: a new pool, nothing of one's own on it."""
    for file in server.state.iterdir():
        file.unlink()
    shutil.rmtree(server.place / "meta", ignore_errors=True)  # what was set on the old pool went with it
    server.dataset("zones", b"")
    for file in (server.root / f"etc/zones/{WEB}.xml", server.root / "usbkey/ssh/key", server.root / "opt/custom/smf/a.xml", server.root / f"var/imgadm/images/zones-{IMAGE}.json"):  # fmt: skip
        file.unlink()
    server.put("etc/zones/index", "global:installed:/\n")
    server.put("usbkey/config", "hostname=new\nroot_shadow=$5$other\nadmin_ip=dhcp\n")


def data(server):
    return {name: held for name, held in server.datasets.items() if name in DATA}


def test_there_and_back(server, to, paths):
    wipe(server)
    plan = restore_plan(server, to, paths, ALL)
    assert plan.confirmation.tokens == ("box",)
    assert not plan.destroys
    assert all(step.undo for step in plan.steps)
    with pytest.raises(Refused):
        require_confirmed(plan, ())
    last = good(run(plan, paths))
    assert data(server) == DATA
    assert last.result["instances"] == [WEB]
    root = server.root
    assert (root / f"etc/zones/{WEB}.xml").read_text() == "<zone/>"
    assert (
        root / "etc/zones/index"
    ).read_text() == f"global:installed:/\n{WEB}:installed:/zones/{WEB}:{WEB}\n"
    assert (root / "usbkey/ssh/key").read_text() == "host key"
    assert (root / "opt/custom/smf/a.xml").exists()
    assert (root / f"var/imgadm/images/zones-{IMAGE}.json").exists()
    assert "hostname=new" in (root / "usbkey/config").read_text()
    assert f"zones/cores/{WEB}" in server.datasets
    assert not list(root.rglob("*smartos-wizard*"))
    assert not any(" -F" in command for command in server.commands)
    with pytest.raises(Refused, match="already"):
        restore_plan(server, to, paths, ALL)


def test_the_difference_is_shown_without_secrets(server, to, paths):
    wipe(server)
    found = compared(server, to, paths)
    assert set(found.missing) == {"opt/custom/smf/a.xml", "usbkey/ssh/key"}
    assert found.different == ("usbkey/config",)
    words = "\n".join(found.difference)
    assert "+hostname=box" in words
    assert "-hostname=new" in words
    assert "$5$" not in words
    plan = restore_plan(server, to, paths, Wanted(configuration=True, overwrite=("all",)))
    assert "usbkey/config" not in str([step.params for step in plan.steps])
    plan = restore_plan(server, to, paths, Wanted(configuration=True, overwrite=("/usbkey/config",)))
    good(run(plan, paths))
    assert "hostname=box" in (server.root / "usbkey/config").read_text()
    assert len(list(to.glob("before-restore-*.tar.gz"))) == 1
    with pytest.raises(UsageProblem):
        restore_plan(server, to, paths, Wanted(configuration=True, overwrite=("/usbkey/none",)))


def test_only_what_lies_in_the_named_places_is_put_back(server, to, paths):
    wipe(server)
    plan = restore_plan(server, to, paths, Wanted(configuration=True, places=("opt/custom",)))
    good(run(plan, paths))
    assert (server.root / "opt/custom/smf/a.xml").exists()
    assert not (server.root / "usbkey/ssh/key").exists()
    with pytest.raises(Refused, match="already"):
        restore_plan(
            server, to, paths, Wanted(configuration=True, places=("opt/custom",), overwrite=("all",))
        )


def test_nothing_is_received_over_what_is_there(server, to, paths):
    with pytest.raises(Refused, match="is on box already"):
        restore_plan(server, to, paths, Wanted(every_group=True))
    wipe(server)
    plan = restore_plan(server, to, paths, Wanted(every_group=True))
    server.dataset("zones/precious", b"newer")
    failed = end(run(plan, paths))
    assert failed.error.reference == "target-exists"
    assert data(server) == {"zones/precious": b"newer"}


def test_an_image_without_the_snapshot_is_refused(server, to, paths):
    wipe(server)
    server.dataset(f"zones/{IMAGE}", b"image")
    failed = end(run(restore_plan(server, to, paths, Wanted(groups=(WEB,))), paths))
    assert failed.error.reference == "origin-missing"
    assert set(data(server)) == {f"zones/{IMAGE}"}


def test_a_damaged_backup_changes_nothing(server, to, paths):
    wipe(server)
    before_it = server.datasets
    plan = restore_plan(server, to, paths, ALL)
    file = next(to.glob("zones_precious*"))
    file.write_bytes(file.read_bytes()[:-3])
    failed = end(run(plan, paths))
    assert failed.exit_code == 8
    assert server.datasets == before_it
    assert not (server.root / "usbkey/ssh/key").exists()


@pytest.mark.parametrize("step", range(1, 9))
def test_killed_between_two_steps_and_given_again(server, to, paths, step):
    wipe(server)
    running = execute(
        Plan.from_json(restore_plan(server, to, paths, ALL).to_json()), RESTORE_ACTIONS, BackupWorld(paths)
    )
    count = 0
    for event in running:
        count += isinstance(event, StepFinished)
        if count == step:
            break
    running.close()
    try:
        good(run(restore_plan(server, to, paths, ALL), paths))
    except Refused as error:
        assert error.reference == "nothing-to-restore"
    assert data(server) == DATA
    assert WEB in (server.root / "etc/zones/index").read_text()


def test_half_a_dataset_of_an_interrupted_restore_goes_when_it_is_named(server, to, paths):
    wipe(server)
    (to / "restored-4d2a0001.json").write_text('{"began": ["zones/precious"], "finished": []}')
    server.dataset("zones/precious", b"hal")
    plan = restore_plan(server, to, paths, Wanted(groups=("zones/precious",)))
    assert plan.destroys
    assert plan.confirmation.tokens == ("box", "box:zones/precious")
    assert [step.effect for step in plan.steps].count(Effect.DESTROYS) == 1
    good(run(plan, paths))
    assert data(server) == {"zones/precious": DATA["zones/precious"]}
    assert before(to, "4d2a0001").finished == {"zones/precious"}


def test_a_stream_that_is_refused_there_leaves_nothing(server, to, paths):
    wipe(server)
    real = server.bin / "real" / "zfs"
    real.parent.mkdir()
    (server.bin / "zfs").rename(real)
    (server.bin / "zfs").write_text(f'#!/bin/sh\nif [ "$1" = recv ]; then echo "cannot receive: out of space" >&2; exit 1; fi\nexec {real} "$@"\n')  # fmt: skip
    (server.bin / "zfs").chmod(0o755)
    failed = end(run(restore_plan(server, to, paths, Wanted(groups=("zones/precious",))), paths))
    assert failed.error.reference == "command-failed"
    assert "out of space" in failed.error.context
    assert not data(server)


def test_what_is_not_in_it_and_where_it_has_no_place(server, to, paths):
    wipe(server)
    with pytest.raises(UsageProblem, match="holds nothing"):
        restore_plan(server, to, paths, Wanted(groups=("tank",)))
    with pytest.raises(Refused, match="no pool zones"):
        restore_plan(server, to, paths, ALL, pools=())
    with pytest.raises(Refused, match="has no place"):
        restore_plan(server, to, paths, ALL, datasets=())
