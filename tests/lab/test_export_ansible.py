"""The exported playbook, run by Ansible itself on a played SmartOS: it does what the plan says, or fails with the reason."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.core.plan import Plan
from smartos_wizard.reinstall.choices import Choices
from smartos_wizard.reinstall.export import exported
from smartos_wizard.reinstall.model import Mode, Nic, Survey, Way
from smartos_wizard.reinstall.planning import plan_reinstall
from tests.unit.reinstall.played_fleet import PlayedFleet, played_fleet
from tests.unit.reinstall.surveys import (
    BACKUP,
    DISKS,
    NOW,
    RUNNING,
    USB_DISK,
    ZONES,
    survey,
    two_pools,
)

pytestmark = [pytest.mark.lab, pytest.mark.slow]
Export = Callable[..., Path]
IN_RESCUE = survey(
    mode=Mode.RESCUE, pools=(replace(ZONES, imported=False), BACKUP), disks=(*DISKS, USB_DISK), datasets=()
)
CONFIRM = ("-e", "reinstall_confirm=box:zones,no-backup")
RESCUED = ("-e", "reinstall_confirm=box:zones,no-backup,contents-unknown")


def planned(found: Survey, way: Way = Way.RESET, *consents: str) -> Plan:
    return plan_reinstall(found, Choices(way, consents=("no-backup", *consents)), NOW)


def rescue_plan() -> Plan:
    found = replace(IN_RESCUE, pools=(IN_RESCUE.pools[0], replace(BACKUP, imported=False)))
    return planned(found, Way.RESCUE, "contents-unknown")


RESCUE_POOLS = [
    {"name": "zones", "guid": "1111", "imported": False},
    {"name": "backup", "guid": "3333", "imported": False},
]


@pytest.fixture
def fleet(tmp_path: Path) -> PlayedFleet:
    return played_fleet(tmp_path / "played")


@pytest.fixture
def export(tmp_path: Path) -> Export:
    def put(*plans: Plan) -> Path:
        directory = tmp_path / "fleet"
        directory.mkdir(exist_ok=True)
        for file in exported(plans):
            (directory / file.name).write_text(file.text)
        return directory

    return put


ALONE = ("-e", "reinstall_watch=false")


def test_ansible_takes_the_syntax_of_all_of_it(fleet: PlayedFleet, export: Export) -> None:
    directory = export(planned(survey()), planned(survey(hostname="box2", hostid="2")))
    for book in ("reinstall.yml", "verify.yml"):
        code, said = fleet.ansible(directory, "--syntax-check", book=book)
        assert code == 0 and "WARNING" not in said, said
    listing = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(directory / "inventory.yml"), "--list"],
        capture_output=True, text=True, check=True, env={"HOME": str(fleet.place), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    ).stdout  # fmt: skip
    assert '"box2"' in listing and '"reinstall_tokens"' in listing


def test_way_a_marks_reboots_and_a_second_time_does_nothing(fleet: PlayedFleet, export: Export) -> None:
    fleet.put(instances={RUNNING.uuid: "running"})
    directory = export(planned(survey(instances=(RUNNING,)), Way.RESET, "stop-instances"))
    typed = ("-e", "reinstall_confirm=box:zones,no-backup,stop-instances")
    code, said = fleet.ansible(directory, *typed, *ALONE)
    assert code == 0, said
    assert fleet.rebooted() and fleet.state["pools"] == []
    assert fleet.changes == [
        f"vmadm stop {RUNNING.uuid}",
        "zfs set smartdc:factoryreset=yes zones/var",
        "reboot",
    ]
    code, said = fleet.ansible(directory, *typed, *ALONE)
    assert code == 0 and "changed=0" in said and "nothing is done" in said, said
    assert fleet.state["boots"] == 1


def test_way_c_destroys_the_one_pool_and_no_other(fleet: PlayedFleet, export: Export) -> None:
    fleet.put(rescue=True, pools=RESCUE_POOLS)
    directory = export(rescue_plan())
    code, said = fleet.ansible(directory, *RESCUED, *ALONE)
    assert code == 0, said
    assert fleet.rebooted() and [pool["name"] for pool in fleet.state["pools"]] == ["backup"]
    assert fleet.changes == ["zpool import -f -N 1111", "zpool destroy zones", "reboot"]
    assert not [call for call in fleet.calls if "3333" in call]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"hostid": "deadbeef"}, "is not the surveyed machine"),
        ({"system": "Linux"}, "is not the surveyed machine"),
        ({"pools": [{"name": "zones", "guid": "9999", "imported": True}, {"name": "old", "guid": "1111", "imported": True}]}, "zones 9999"),
        ({"pools": [{"name": "zones", "guid": "1111", "imported": True}, {"name": "tank", "guid": "2222", "imported": True}]}, "tank 2222"),
        ({"pools": [{"name": "zones", "guid": "1111", "imported": True}, {"name": "usb", "guid": "4444", "imported": False}]}, "usb 4444"),
        ({"instances": {RUNNING.uuid: "running"}}, "instances are not the surveyed ones"),
        ({"rescue": True}, "It is in Rescue Mode"),
        ({"stamp": "20250101T000000Z"}, "does not run 20260903T001557Z any more"),
        ({"mark": "tank/var"}, "A factory reset is waiting on tank/var"),
        ({"fails": ["zpool list -Ho name,guid"]}, "did not answer every question"),
    ],
)  # fmt: skip
def test_another_machine_or_a_changed_one_is_refused_with_the_reason(
    fleet: PlayedFleet, export: Export, facts: dict[str, object], reason: str
) -> None:
    fleet.put(**facts)
    code, said = fleet.ansible(export(planned(survey())), *CONFIRM, *ALONE)
    assert code != 0 and reason in " ".join(said.split()), said
    assert fleet.changes == []


@pytest.mark.parametrize("typed", ["", "zones", "box:zones", "box:tank,no-backup", "box:zones,no-backup,box:tank", "Box:zones,no-backup"])  # fmt: skip
def test_without_exactly_the_right_words_nothing_is_even_asked(
    fleet: PlayedFleet, export: Export, typed: str
) -> None:
    words = ("-e", f"reinstall_confirm={typed}") if typed else ()
    code, said = fleet.ansible(export(planned(survey())), *words, *ALONE)
    assert code != 0 and "this destroys zones (guid 1111), for good" in " ".join(said.split()), said
    assert fleet.calls == []


def test_one_machine_that_is_wrong_keeps_all_from_beginning(fleet: PlayedFleet, export: Export) -> None:
    directory = export(planned(survey()), planned(survey(hostname="box2", hostid="2")))
    code, said = fleet.ansible(directory, "-e", "reinstall_confirm=box:zones,box2:zones,no-backup", *ALONE)
    assert code != 0 and "box2 is not the surveyed machine" in " ".join(said.split()), said
    assert fleet.changes == []


def test_where_nobody_can_watch_no_second_machine_is_begun(fleet: PlayedFleet, export: Export) -> None:
    directory = export(planned(survey()))
    text = (directory / "inventory.yml").read_text()
    twin = text[text.index('    "box":') :].replace('"box":', '"box2":', 1)
    (directory / "inventory.yml").write_text(text + twin)
    code, said = fleet.ansible(directory, *CONFIRM, *ALONE)
    assert code != 0 and "cannot watch it" in " ".join(said.split()), said
    assert fleet.rebooted() and fleet.changes.count("reboot") == 1


@pytest.mark.parametrize("fault", ["zfs get -Hpo value smartdc:factoryreset zones/var", "zfs set smartdc:factoryreset=yes zones/var"])  # fmt: skip
def test_what_fails_before_the_reboot_is_taken_back(fleet: PlayedFleet, export: Export, fault: str) -> None:
    fleet.put(instances={RUNNING.uuid: "running"}, fails=[fault])
    directory = export(planned(survey(instances=(RUNNING,)), Way.RESET, "stop-instances"))
    code, said = fleet.ansible(
        directory, "-e", "reinstall_confirm=box:zones,no-backup,stop-instances", *ALONE
    )
    assert code != 0, said
    assert fleet.state["mark"] == "" and fleet.state["instances"] == {RUNNING.uuid: "running"}
    assert "reboot" not in fleet.calls and fleet.state["pools"]
    taken = "THE MARK MAY STILL BE THERE" if "get" in fault else "the mark was taken away"
    assert taken in " ".join(said.split())


def test_way_c_lets_go_of_a_pool_that_it_could_not_destroy(fleet: PlayedFleet, export: Export) -> None:
    fleet.put(rescue=True, pools=RESCUE_POOLS, fails=["zpool destroy zones"])
    code, said = fleet.ansible(export(rescue_plan()), *RESCUED, *ALONE)
    assert code != 0 and "was not rebooted" in " ".join(said.split()), said
    assert fleet.changes[-1] == "zpool export zones" and fleet.state["pools"] == RESCUE_POOLS


def test_a_pool_that_appears_between_the_look_and_the_act_stops_it(
    fleet: PlayedFleet, export: Export
) -> None:
    mark = "zfs set smartdc:factoryreset=yes zones/var"
    fleet.put(appears={mark: {"name": "tank", "guid": "2222", "imported": True}})
    code, said = fleet.ansible(export(planned(survey())), *CONFIRM, *ALONE)
    assert code != 0 and "other pools than the planned ones" in " ".join(said.split()), said
    assert mark in fleet.calls and "reboot" not in fleet.calls
    assert fleet.state["mark"] == "" and len(fleet.state["pools"]) == 2


def test_a_rehearsal_changes_nothing(fleet: PlayedFleet, export: Export) -> None:
    code, said = fleet.ansible(export(planned(survey())), "--check", *CONFIRM, *ALONE)
    assert code == 0, said
    assert fleet.calls and fleet.changes == []


def test_every_pool_that_dies_has_to_be_typed(fleet: PlayedFleet, export: Export) -> None:
    pools = [
        {"name": "zones", "guid": "1111", "imported": True},
        {"name": "tank", "guid": "2222", "imported": True},
    ]
    fleet.put(pools=pools)
    directory = export(planned(two_pools(), Way.RESET, "box:tank"))
    code, said = fleet.ansible(directory, *CONFIRM, *ALONE)
    assert code != 0 and "tank (guid 2222)" in said and fleet.calls == []
    code, said = fleet.ansible(directory, "-e", "reinstall_confirm=box:zones,box:tank,no-backup", *ALONE)
    assert code == 0 and fleet.rebooted() and fleet.state["pools"] == [], said


def test_it_waits_until_the_machine_has_gone_down_and_come_back(fleet: PlayedFleet, export: Export) -> None:
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    seen: list[str] = []

    def machine() -> None:
        """Up until Ansible looks for it after the reboot; then down, then up again."""
        assert fleet.rebooted(seconds=240)
        door.settimeout(240)
        door.accept()[0].close()
        door.close()
        seen.append("down")
        time.sleep(6)
        seen.append("up")
        with socket.create_server(("127.0.0.1", port)) as again:
            again.settimeout(240)
            again.accept()[0].close()

    thread = threading.Thread(target=machine, daemon=True)
    thread.start()
    directory = export(planned(survey(host="127.0.0.1", port=port)))
    code, said = fleet.ansible(directory, *CONFIRM)
    assert code == 0 and seen == ["down", "up"], said
    thread.join(30)


NEW = [f"zones/{name}" for name in ("config", "cores", "dump", "opt", "swap", "usbkey", "var")]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, "There is no healthy pool zones"),
        ({"pools": [{"name": "zones", "guid": "1111", "imported": True}], "datasets": NEW}, "still there: 1111"),
        ({"pools": [{"name": "zones", "guid": "5555", "imported": True}], "datasets": NEW[:-1]}, "zones/var"),
        ({"pools": [{"name": "zones", "guid": "5555", "imported": True}], "datasets": NEW, "macs": ["0:8:20:1:2:3"]}, "another machine"),
        ({"pools": [{"name": "zones", "guid": "5555", "imported": True}], "datasets": NEW}, "/usbkey is not set up"),
    ],
)  # fmt: skip
def test_afterwards_what_is_not_as_it_should_be_is_named(
    fleet: PlayedFleet, export: Export, facts: dict[str, object], reason: str
) -> None:
    found = survey(nics=(Nic("00:08:20:0a:00:01", "igb0"),))
    fleet.put(**{"pools": [], "hostid": "1", "macs": ["0:8:20:a:0:1"], **facts})
    code, said = fleet.ansible(export(planned(found)), book="verify.yml")
    assert code != 0 and reason in " ".join(said.split()), said
    assert fleet.changes == []
