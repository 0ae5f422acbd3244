"""Plans of a re-install on machines with one trouble each: what is refused, what must be agreed to, what is done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.plan import Effect, Plan
from smartos_wizard.reinstall.after import after_setup
from smartos_wizard.reinstall.choices import AnswersFile, Choices, Prepared, prepared_of
from smartos_wizard.reinstall.judging import judge
from smartos_wizard.reinstall.losing import losses
from smartos_wizard.reinstall.model import BootedFrom, Dataset, Gap, Mode, Survey, Way
from smartos_wizard.reinstall.planning import plan_reinstall
from smartos_wizard.reinstall.recommend import advise
from smartos_wizard.reinstall.ways import Fate, outcome_of
from tests.unit.reinstall.surveys import (
    BACKUP,
    DISKS,
    NOW,
    RUNNING,
    TANK,
    TANK_DISKS,
    ZONES,
    disk,
    pool,
    survey,
    two_pools,
    with_backup_disk,
)


def planned(found: Survey, way: Way = Way.RESET, *consents: str, **more: object) -> Plan:
    return plan_reinstall(found, Choices(way, consents=("no-backup", *consents), **more), NOW)  # type: ignore[arg-type]


def stops(found: Survey, way: Way = Way.RESET, *consents: str, **more: object) -> dict[str, str]:
    _, _, all_of_them = judge(found, Choices(way, consents=consents, **more), NOW)  # type: ignore[arg-type]
    return {stop.reference: stop.level for stop in all_of_them}


def test_one_healthy_pool_dies_by_its_name_alone() -> None:
    plan = planned(survey())
    assert plan.kind == "reinstall-run"
    assert plan.confirmation is not None
    assert plan.confirmation.tokens == ("box:zones", "no-backup")
    assert [step.action for step in plan.steps] == [
        "recheck", "final-snapshots", "set-reset", "reboot", "wait-back", "verify", "receipt",
    ]  # fmt: skip
    mark = plan.steps[2]
    assert mark.by_hand == "zfs set smartdc:factoryreset=yes zones/var"
    assert mark.undo.startswith("clear-reset")
    assert plan.params["identity"]["hostid"] == "4d2a0001"
    assert plan.params["pool"] == {"name": "zones", "guid": "1111"}


@pytest.mark.parametrize(
    ("change", "reference"),
    [
        ({"smartos": False}, "not-smartos"),
        ({"zone": "6b7c1d5e"}, "not-global-zone"),
        ({"root": False}, "not-root"),
        ({"triton": "compute node"}, "triton-node"),
        ({"mode": Mode.OTHER}, "not-standalone"),
        ({"taken": NOW - 901}, "survey-old"),
        ({"taken": NOW + 121}, "survey-clock"),
        ({"taken": float("nan")}, "survey-old"),
        ({"reset_pending": True}, "reset-pending"),
        ({"gaps": (Gap("pools", "it failed"),)}, "gap-that-matters"),
        ({"gaps": (Gap("something new", "it failed"),)}, "gap-that-matters"),
        ({"medium": ""}, "no-medium"),
        ({"booted_from": BootedFrom.POOL, "medium": ""}, "no-medium"),
        ({"hostid": ""}, "no-identity"),
        ({"pools": ()}, "no-system-pool"),
        ({"pools": (replace(ZONES, imported=False, importable=False),)}, "not-importable"),
        ({"pools": (replace(ZONES, name="zones;reboot"),), "system_pool": "zones;reboot"}, "odd-pool"),
        ({"pools": (replace(ZONES, guid=""),)}, "odd-pool"),
        ({"boot_parameters": (("destroy_zpools", "true"),)}, "destroys-at-boot"),
        ({"pools": (ZONES, replace(TANK, name="zones", imported=False))}, "same-name"),
    ],
)
@pytest.mark.parametrize("way", Way)
def test_what_no_way_is_planned_for(change: dict[str, object], reference: str, way: Way) -> None:
    found = survey(**change)
    assert stops(found, way)[reference] == "stop"
    with pytest.raises(Refused) as refused:
        planned(found, way)
    assert reference in {stop["reference"] for stop in refused.value.details["stops"]}
    assert refused.value.hint


@pytest.mark.parametrize("way", [Way.RESET, Way.LOADER])
def test_an_encrypted_pool_leaves_only_way_c(way: Way) -> None:
    found = survey(pools=(replace(ZONES, encrypted=True),))
    assert stops(found, way)["encrypted-pool"] == "stop"
    assert planned(found, Way.RESCUE).destroys
    best = advise(found, NOW).recommended
    assert best is not None and best.choices.way is Way.RESCUE


def test_rescue_mode_leaves_way_c_without_another_boot_and_says_that_the_contents_are_unknown() -> None:
    found = survey(
        mode=Mode.RESCUE, pools=(replace(ZONES, imported=False, size=None, allocated=None),), datasets=()
    )
    assert stops(found, Way.RESET)["rescue-mode"] == "stop"
    assert stops(found, Way.RESCUE)["contents-unknown"] == "consent"
    plan = planned(found, Way.RESCUE, "contents-unknown")
    assert [step.action for step in plan.steps][:3] == ["recheck", "rescue-import", "rescue-destroy"]


def test_a_second_pool_is_typed_or_spared() -> None:
    found = two_pools()
    assert stops(found)["other-pool"] == "consent"
    with pytest.raises(Refused, match="Nothing is planned before"):
        planned(found)
    plan = planned(found, Way.RESET, "box:tank")
    assert plan.confirmation is not None
    assert plan.confirmation.tokens == ("box:zones", "box:tank", "no-backup")
    assert "tank (guid 2222)" in plan.title
    spared = planned(found, Way.RESCUE, "manual-layout")
    assert "tank" not in spared.title
    assert any(line.startswith("tank (guid 2222)") for line in spared.untouched)


def test_a_usb_pool_is_spared_by_c_and_needs_no_layout_by_hand() -> None:
    found = with_backup_disk()
    assert stops(found)["other-pool"] == "consent"
    plan = planned(found, Way.RESCUE)
    assert plan.confirmation is not None and plan.confirmation.tokens == ("box:zones", "no-backup")
    assert outcome_of(found, Way.RESCUE).of(Fate.KEPT) == (BACKUP,)
    assert planned(found, Way.LOADER, limited=True).confirmation.tokens == ("box:zones", "no-backup")  # type: ignore[union-attr]


def test_c_needs_the_layout_by_hand_where_another_pool_lies_on_disks_that_setup_takes() -> None:
    """Setup runs after a normal boot, which imports tank: ZFS refuses its disks, and the default layout fails."""
    found = two_pools()
    assert outcome_of(found, Way.RESCUE).of(Fate.BLOCKS) == (TANK,)
    assert stops(found, Way.RESCUE)["layout-takes-others"] == "consent"
    plan = planned(found, Way.RESCUE, "manual-layout")
    said = "\n".join(plan.steps[-3].details)
    assert "zpool create zones mirror c1t0d0 c1t1d0; exit" in said
    assert "create -f" not in said
    assert "c2t0d0" not in said


def test_limited_at_the_loader_setup_follows_in_the_same_boot_and_would_overwrite_the_other_pool() -> None:
    found = two_pools()
    outcome = outcome_of(found, Way.LOADER, limited=True)
    assert outcome.of(Fate.OVERWRITTEN) == (TANK,)
    assert planned(found, Way.LOADER, "manual-layout", limited=True).confirmation.tokens[0] == "box:zones"  # type: ignore[union-attr]
    doomed = planned(found, Way.LOADER, "box:tank", limited=True)
    assert any("tank (guid 2222)" in d and "overwritten later" in d for s in doomed.steps for d in s.details)


def test_c_never_lets_another_pool_die_even_later() -> None:
    gone = replace(TANK, imported=False, importable=False, health="UNAVAIL", problem="a disk is missing")
    found = survey(pools=(ZONES, gone), disks=(*DISKS, *TANK_DISKS))
    with pytest.raises(UsageProblem):
        planned(found, Way.RESCUE, "box:tank")
    assert planned(found, Way.RESET, "box:tank").confirmation.tokens == ("box:zones", "box:tank", "no-backup")  # type: ignore[union-attr]
    assert planned(found, Way.RESCUE, "manual-layout").params["kept"] == [{"name": "tank", "guid": "2222"}]


def test_a_pool_that_cannot_be_imported_now_is_named_for_a_because_it_may_be_by_then() -> None:
    missing = replace(BACKUP, imported=False, importable=False, health="UNAVAIL")
    found = with_backup_disk(pools=(ZONES, missing))
    assert outcome_of(found, Way.RESET).of(Fate.RISKED) == (missing,)
    plan = planned(found, Way.RESET, "box:backup")
    assert "perhaps backup (guid 3333) too" in plan.title
    verify = next(step for step in plan.steps if step.action == "verify")
    assert verify.params["gone"] == [{"name": "zones", "guid": "1111"}]
    best = advise(found, NOW).recommended
    assert best is not None and best.choices.way is Way.RESCUE


def test_instances_whose_data_lies_elsewhere_lose_their_settings() -> None:
    away = replace(RUNNING, state="stopped", datasets=("tank/" + RUNNING.uuid,))
    found = two_pools(instances=(away,))
    lines = [loss.line for loss in losses(found, outcome_of(found, Way.RESCUE, by_hand=True))]
    assert any("whose data lies in another pool" in line for line in lines)
    assert not any("with all data" in line for line in lines)


def test_a_limited_still_names_the_others_because_the_prompt_may_be_missed() -> None:
    found = two_pools()
    assert stops(found, Way.RESET, limited=True)["other-pool-at-risk"] == "consent"
    plan = planned(found, Way.RESET, "box:tank", limited=True)
    reboot = next(step for step in plan.steps if step.effect is Effect.DESTROYS)
    assert reboot.params["into"] == "loader" and reboot.params["lines"] == ["set zpools=zones"]
    assert any("tank" in detail and "at risk" in detail for detail in reboot.details)


def test_network_boot_has_no_prompt_to_limit_at() -> None:
    found = survey(booted_from=BootedFrom.NETWORK, medium="")
    assert stops(found, Way.LOADER)["no-loader"] == "stop"
    assert planned(found, Way.RESET).destroys
    assert stops(survey(stamp="20190328T012345Z"), Way.LOADER)["no-loader"] == "stop"
    assert "no-loader" not in stops(survey(stamp="20190328T012345Z"), Way.RESCUE)


def test_running_instances_are_stopped_only_when_that_was_said() -> None:
    found = survey(instances=(RUNNING,))
    with pytest.raises(Refused) as refused:
        planned(found)
    assert refused.value.details["tokens"] == ["stop-instances"]
    plan = planned(found, Way.RESET, "stop-instances")
    step = plan.steps[2]
    assert step.action == "stop-instances" and step.params["instances"] == [RUNNING.uuid]
    assert "started again" in step.undo


def test_a_pool_that_boots_the_machine_needs_a_proven_medium_and_the_boot_order() -> None:
    found = survey(pools=(replace(ZONES, bootable=True),), booted_from=BootedFrom.POOL, medium="")
    assert stops(found)["no-medium"] == "stop"
    proof = Prepared("key 0011", "receipt of 2026-11-23")
    assert stops(found, prepared=proof)["boot-order"] == "consent"
    assert planned(found, Way.RESET, "boot-order", prepared=proof).destroys


def test_an_unhealthy_pool_is_agreed_to_by_its_name() -> None:
    found = survey(pools=(replace(ZONES, health="DEGRADED", problem="c1t1d0 is gone"),))
    assert stops(found)["unhealthy-pool"] == "consent"
    assert "unhealthy:zones" in planned(found, Way.RESET, "unhealthy:zones").confirmation.tokens  # type: ignore[union-attr]


def test_disks_in_no_pool_are_named_because_setup_takes_them() -> None:
    found = survey(disks=(*DISKS, disk("c5t0d0"), disk("c6t0d0", kind="USB"), disk("c7t0d0", removable=True)))
    assert [d.name for d in outcome_of(found, Way.RESET).strays] == ["c5t0d0"]
    assert stops(found)["other-disks"] == "consent"
    assert "other-disks" not in stops(found, Way.RESET, "manual-layout")


def test_without_backup_it_has_to_be_said() -> None:
    with pytest.raises(Refused) as refused:
        plan_reinstall(survey(), Choices(Way.RESET), NOW)
    assert refused.value.details["tokens"] == ["no-backup"]
    kept = plan_reinstall(survey(), Choices(Way.RESET, backup="/srv/box"), NOW)
    assert kept.confirmation is not None and kept.confirmation.tokens == ("box:zones",)


def test_a_consent_that_nothing_asks_for_is_a_mistake() -> None:
    with pytest.raises(UsageProblem, match="stop-instnces"):
        planned(survey(), Way.RESET, "stop-instnces")


def test_answers_that_take_every_disk_are_refused_where_another_pool_has_to_live() -> None:
    takes = AnswersFile("answers.json", "ab", {"zpool_confirm_layout": "yes"})
    assert stops(two_pools(), Way.RESCUE, "manual-layout", answers=takes)["answers-take-all"] == "stop"
    by_hand = AnswersFile("answers.json", "ab", {"zpool_confirm_layout": "manual"})
    assert "answers-take-all" not in stops(two_pools(), Way.RESCUE, "manual-layout", answers=by_hand)
    assert stops(survey(), Way.RESET, answers=by_hand)["answers-by-hand"] == "stop"
    loops = AnswersFile("answers.json", "ab", {"zpool_confirm_layout": "raidz2"})
    assert stops(survey(), Way.RESET, answers=loops)["answers-wrong"] == "stop"


def test_the_traps_of_an_answers_file_are_told() -> None:
    from_medium = AnswersFile("answers.json", "ab", {"bootpool": "zones", "pisource": "media"})
    notes = {name for name, level in stops(survey(), answers=from_medium).items() if level == "note"}
    assert any(name.startswith("setup-") for name in notes)


def test_the_plan_holds_no_answer_in_clear_text() -> None:
    secret = AnswersFile("answers.json", "ab", {"root_password": "hunter2hunter2", "config_console": "text"})
    plan = planned(survey(), answers=secret)
    assert "hunter2" not in str(plan.to_json())
    assert plan.params["answers"] == {"name": "answers.json", "sha256": "ab"}


def test_setup_is_foretold_from_the_surveyed_disks() -> None:
    found = survey(disks=tuple(disk(f"c1t{n}d0") for n in range(6)))
    after = after_setup(found, outcome_of(found, Way.RESET))
    assert after.preview is not None and after.preview.layout.name == "raidz2"
    assert after.answer == "yes"
    assert any("Do not make a pool zones before setup" in words for words in after.words)


def test_a_pool_that_cannot_hold_swap_is_told_before() -> None:
    found = survey(
        disks=(disk("c1t0d0", 30 * 10**9),), memory=256 << 30, pools=(pool("zones", "1", "c1t0d0"),)
    )
    assert stops(found)["layout-fails"] == "consent"


def test_a_pool_named_zones_that_stays_would_keep_setup_from_making_one() -> None:
    main = replace(ZONES, name="main")
    found = survey(pools=(main, replace(TANK, name="zones", system=False)), system_pool="main", disks=(*DISKS, *TANK_DISKS))  # fmt: skip
    assert stops(found, Way.RESCUE, "manual-layout")["zones-left"] == "stop"


def test_what_is_lost_is_told_with_sizes() -> None:
    of_web = Dataset(RUNNING.datasets[0], "filesystem", 3 << 30, 3 << 30)
    found = survey(instances=(RUNNING,), datasets=(*survey().datasets, of_web))
    lines = [loss.line for loss in losses(found, outcome_of(found, Way.RESET))]
    assert "1 instance with all data: 3.00 GiB" in lines
    assert "Datasets of your own in zones: 5.00 GiB" in lines
    assert any(line.startswith("/usbkey") for line in lines)
    assert any(line.startswith("2 snapshots, the newest of 2026") for line in lines)


def test_a_is_recommended_for_one_pool_and_c_for_two() -> None:
    alone = advise(survey(), NOW).recommended
    assert alone is not None and alone.choices.way is Way.RESET
    two = advise(two_pools(), NOW)
    assert two.recommended is not None and two.recommended.choices.way is Way.RESCUE
    assert "“manual”" in two.summary
    verdicts = {(o.choices.way, o.choices.limited): o.verdict for o in two.opinions}
    assert verdicts[(Way.RESET, False)] == "possible"


def test_a_survey_from_a_file_has_no_host_key_and_the_plan_says_so() -> None:
    plan = planned(survey(how="file", host_key=""))
    assert any("ssh key is not known" in detail for detail in plan.steps[0].details)


def test_nothing_is_recommended_for_a_triton_node() -> None:
    advice = advise(survey(triton="head node"), NOW)
    assert advice.recommended is None
    assert "Triton" in advice.summary


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"receipt": 1, "result": "written"}', '{"event": "plan-finished", "exit_code": 8}',
     '{"event": "plan-finished", "exit_code": 0, "result": {"keys": [{"state": "failed"}]}}', "\x00"],
)  # fmt: skip
def test_what_proves_nothing_is_no_proof(text: str) -> None:
    with pytest.raises(UsageProblem):
        prepared_of(text)


def test_a_receipt_and_a_check_prove_a_medium() -> None:
    receipt = '{"receipt": 1, "result": "proven", "time": "2026-11-23", "source": {"stamp": "S"}, "device": {"name": "K"}}'
    assert prepared_of(receipt) == Prepared("K with S", "receipt of 2026-11-23")
    lines = '{"event": "plan-started"}\n{"event": "plan-finished", "exit_code": 0, "result": {"say": ["PROVEN. Every byte."], "keys": [{"serial": "0011", "state": "proven"}]}}\n'
    assert prepared_of(lines) == Prepared("0011", "PROVEN. Every byte.")
