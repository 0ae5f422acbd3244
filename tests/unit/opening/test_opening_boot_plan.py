"""What a boot test promises before anything starts, and `doctor`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from smartos_wizard.cli.main import cli
from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.paths import below
from smartos_wizard.core.plan import Effect, Plan
from smartos_wizard.core.runner import execute
from smartos_wizard.media.boottest import BOOT_TEST_ACTIONS, plan_boot_test
from smartos_wizard.media.model import Disk, Fingerprint, Target
from smartos_wizard.media.opening import SystemOpener
from smartos_wizard.practice.boot_stub import boot_code


def target(tmp_path) -> Target:
    file = tmp_path / "key.img"
    file.write_bytes(bytes(1 << 20))
    return Target(Disk(str(file), 1 << 20), Fingerprint(str(file), 1 << 20), regular_file=True)


def test_a_boot_test_only_reads(tmp_path):
    plan = plan_boot_test([target(tmp_path)])
    assert {step.effect for step in plan.steps} == {Effect.READS}
    assert plan.confirmation is None
    assert [step.id for step in plan.steps] == ["open", "before", "bios", "uefi", "after"]


def test_the_plan_survives_the_way_into_another_process(tmp_path):
    plan = plan_boot_test([target(tmp_path)])
    there = json.loads(json.dumps(plan.to_json()))
    assert Plan.from_json(there).to_json() == there
    assert {step.action for step in plan.steps} <= set(BOOT_TEST_ACTIONS)


def test_without_qemu_it_says_what_to_install(tmp_path, monkeypatch):
    class World:
        practice = False
        paths = below(tmp_path / "home")
        opener = SystemOpener(paths)

    monkeypatch.setenv("PATH", str(tmp_path))
    last = list(execute(plan_boot_test([target(tmp_path)]), BOOT_TEST_ACTIONS, World()))[-1]
    assert isinstance(last, PlanFinished)
    assert last.error is not None
    assert (last.exit_code, last.error.reference) == (1, "qemu-missing")
    assert "apt install" in last.error.hint and "dnf install" in last.error.hint


def test_the_stand_in_for_the_loader_fits_into_a_boot_sector():
    assert len(boot_code(b"x" * 300)) <= 440
    with pytest.raises(ValueError, match="too long"):
        boot_code(b"x" * 440)


def test_doctor_tells_what_for_and_how_in_words_and_json(tmp_path, monkeypatch):
    monkeypatch.setenv("SMARTOS_WIZARD_HOME", str(tmp_path))
    shown = CliRunner().invoke(cli, ["--practice", "doctor", "--json"], standalone_mode=False)
    document = json.loads(shown.stdout)
    needs = {need["name"]: need for need in document["needs"]}
    assert needs["Python"]["there"]
    assert document["ready"] == all(n["there"] for n in needs.values() if n["needed"])
    assert shown.return_value == (0 if document["ready"] else 1)
    assert all(need["purpose"] for need in needs.values())
    assert all(need["how"] for need in needs.values() if not need["there"])


def test_doctor_fails_where_nobody_can_open_a_disk(tmp_path, monkeypatch):
    from smartos_wizard.media import needs

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SMARTOS_WIZARD_HOME", str(tmp_path))
    monkeypatch.setattr(needs.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(needs, "_disk_group", lambda: False)
    shown = CliRunner().invoke(cli, ["doctor"], standalone_mode=False)
    assert shown.return_value == 1
    assert "MISSING  right to open a disk" in shown.stdout
