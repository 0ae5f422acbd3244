"""What the recorded machines are, as the parser reads them."""

import dataclasses
import re
from dataclasses import replace

import pytest

from smartos_wizard.core.errors import UsageProblem, WizardError
from smartos_wizard.reinstall.as_json import survey_from_json, survey_to_json
from smartos_wizard.reinstall.model import BootedFrom, Mode
from smartos_wizard.reinstall.outline import lines, outline
from smartos_wizard.reinstall.parse import survey_of
from smartos_wizard.reinstall.probes import NAMES
from smartos_wizard.reinstall.remarks import remarks
from smartos_wizard.reinstall.survey import from_answers, read_file_text, require_global_zone
from tests.unit.reinstall.parts_survey import RECORDED, recorded, surveyed


def probes(survey):
    return {gap.probe for gap in survey.gaps}


def notes(survey):
    return {note.reference for note in remarks(survey, survey.taken)}


def test_a_plain_standalone_machine_has_no_gap():
    survey = surveyed("plain")
    assert survey.gaps == ()
    assert survey.smartos and survey.root and not survey.zone and not survey.triton
    assert (survey.stamp, survey.mode, survey.booted_from) == (
        "20260903T001557Z",
        Mode.NORMAL,
        BootedFrom.USB,
    )
    assert (survey.hostname, survey.hostid, survey.memory) == ("kestrel", "3c9f21aa", 32676 << 20)
    assert (survey.manufacturer, survey.product, survey.serial) == (
        "Supermicro",
        "X10SLM-F",
        "S123456X7890123",
    )
    assert survey.medium == "key c2t0d0"
    [pool] = survey.pools
    assert (pool.name, pool.guid, pool.health, pool.system) == (
        "zones",
        "10417391262571231811",
        "ONLINE",
        True,
    )
    assert [(disk.name, disk.role) for disk in pool.disks] == [(f"c1t{i}d0", "raidz1-0") for i in range(3)]
    assert not (pool.bootable or pool.encrypted or pool.usb or pool.problem)
    web, database, old = survey.instances
    assert (web.title, web.running, web.memory, web.autoboot) == ("web (0b3b1a4e)", True, 512, True)
    assert (database.memory, database.datasets[1].endswith("/disk0")) == (4096, True)
    assert (old.brand, old.running) == ("lx", False)
    assert {dataset.name: dataset.snapshots for dataset in survey.datasets}[f"zones/{web.uuid}"] == 2
    assert survey.datasets[2].newest == 1762000000
    assert [image.name for image in survey.images] == ["base-64-lts", "ubuntu-24.04"]
    assert [(nic.link, nic.mac, nic.tags, nic.state) for nic in survey.nics] == [
        ("igb0", "0c:c4:7a:00:00:01", ("admin",), "up"),
        ("igb1", "0c:c4:7a:00:00:02", ("external",), "down"),
    ]
    assert survey.usbkey[1].path == "/usbkey/shadow"
    assert survey.custom[1].path == "/opt/custom/bin/nightly backup.sh"
    assert survey.firewall_rules == 2
    assert [disk.kind for disk in survey.disks] == ["SATA", "SATA", "SATA", "USB"]
    assert survey.taken == 1788430500


def test_a_second_pool_and_a_waiting_reset():
    survey = surveyed("second-pool")
    assert [(pool.name, pool.system, [disk.role for disk in pool.disks]) for pool in survey.pools][1] == (
        "tank",
        False,
        ["", ""],
    )
    assert survey.reset_pending
    assert notes(survey) >= {"other-pools", "reset-pending"}


def test_a_bootable_pool_without_a_key():
    survey = surveyed("bootable")
    assert survey.pools[0].bootable
    assert survey.booted_from is BootedFrom.POOL
    assert survey.medium == ""
    assert notes(survey) >= {"bootable-pool", "no-medium"}


def test_an_encrypted_pool():
    survey = surveyed("encrypted")
    assert survey.pools[0].encrypted
    assert {dataset.encryption for dataset in survey.datasets} == {"aes-256-ccm"}


def test_a_triton_node():
    survey = surveyed("triton")
    assert survey.triton == "compute node"
    assert survey.mode is Mode.OTHER
    assert survey.booted_from is BootedFrom.NETWORK


def test_a_head_node_and_a_node_known_by_its_parameters_only():
    head = survey_of(recorded("plain").replace("| smartos=true", "| headnode=true"), taken=1.0, how="file")
    assert head.triton == "head node"
    other = survey_of(recorded("plain").replace("| smartos=true\n", ""), taken=1.0, how="file")
    assert other.triton == "compute node"


def test_rescue_mode_claims_nothing_of_what_it_cannot_see():
    survey = surveyed("rescue")
    assert survey.mode is Mode.RESCUE
    assert not survey.triton
    [pool] = survey.pools
    assert (pool.imported, pool.importable, pool.system, pool.size) == (False, True, True, None)
    assert "another system" in pool.problem
    assert probes(survey) >= {
        "datasets",
        "instances",
        "images",
        "usbkey",
        "custom",
        "reset",
        "encryption",
    }
    assert survey.firewall_rules is None


def test_a_degraded_pool_with_every_kind_of_device():
    survey = surveyed("degraded")
    [pool] = survey.pools
    assert pool.health == "DEGRADED"
    assert pool.problem.startswith("One or more devices could not be opened.")
    assert "2 data errors" in pool.problem
    assert [(disk.name, disk.role, disk.health) for disk in pool.disks] == [
        ("c1t0d0", "mirror-0", "ONLINE"),
        ("c1t1d0", "mirror-0", "ONLINE"),
        ("6914732291824183441", "mirror-1", "UNAVAIL"),
        ("c1t5d0", "mirror-1", "ONLINE"),
        ("c1t3d0", "mirror-1", "ONLINE"),
        ("c1t6d0", "logs", "ONLINE"),
        ("c1t7d0", "logs", "ONLINE"),
        ("c1t8d0", "cache", "ONLINE"),
        ("c1t5d0", "spares", "INUSE"),
    ]
    assert survey.troubled_services == ("svc:/network/ntp:default",)
    assert survey.gaps == ()


def test_a_backup_pool_on_usb_that_is_attached():
    survey = surveyed("usb-backup")
    zones, backup, halved = survey.pools
    assert not zones.usb
    assert (backup.usb, backup.imported, backup.importable) == (True, False, True)
    assert (halved.importable, halved.disks[1].health) == (False, "UNAVAIL")
    assert survey.instances, "what the system pool holds is seen all the same"
    assert "attached-pools" in notes(survey)


def test_a_file_that_was_cut_off_says_what_is_missing():
    survey = surveyed("cut-off")
    assert survey.missing("end")
    assert probes(survey) >= {"instances", "images", "disks", "usbkey"}
    assert survey.instances == ()
    assert survey.missing("instances")[0].why == "the answer is cut off"


def test_wherever_it_is_cut_nothing_is_claimed_that_was_not_read():
    text = recorded("second-pool")
    whole = survey_of(text, taken=1.0, how="file")
    for end in range(0, len(text) - 1, 97):
        part = survey_of(text[:end], taken=1.0, how="file")
        assert part.missing("end")
        for name in ("pools", "datasets", "instances", "images", "disks", "usbkey", "custom"):
            found = getattr(part, name)
            assert len(found) == len(getattr(whole, name)) or part.missing(name, "status") or not found
            if not found:
                assert part.missing(name), name


@pytest.mark.parametrize(
    ("name", "reference"), [("linux", "not-smartos"), ("in-a-zone", "not-the-global-zone"), ("rescue", "")]
)
def test_what_is_no_global_zone_is_named(name, reference):
    if not reference:
        require_global_zone(surveyed(name))
        return
    with pytest.raises(WizardError) as raised:
        require_global_zone(surveyed(name))
    assert raised.value.reference == reference
    assert raised.value.context == "nothing was changed there"


def test_somebody_else_than_root_is_named():
    with pytest.raises(WizardError, match="not asked by root"):
        require_global_zone(replace(surveyed("plain"), root=False))


def test_where_the_zone_is_not_known_it_is_refused():
    survey = survey_of(recorded("plain").replace("? zone\n", "? zonk\n"), taken=1.0, how="file")
    with pytest.raises(WizardError) as raised:
        require_global_zone(survey)
    assert raised.value.reference == "not-the-global-zone"


@pytest.mark.parametrize("name", RECORDED)
def test_json_and_back(name):
    survey = surveyed(name)
    document = survey_to_json(survey)
    assert survey_from_json(document) == survey
    assert survey_from_json({**document, "notes": []}) == survey


def test_json_of_another_version_or_damaged_is_refused():
    document = survey_to_json(surveyed("plain"))
    with pytest.raises(UsageProblem) as raised:
        survey_from_json({**document, "schema": 99})
    assert raised.value.reference == "other-survey-version"
    for damage in (
        {"pools": 3}, {"pools": [3]}, {"pools": [{}]}, {"mode": "strange"}, {"taken": "now"}, {"root": 1},
        {"boot_parameters": [["a"]]}, {"memory": "much"}, {"gaps": [{"probe": 1, "why": ""}]},
    ):  # fmt: skip
        with pytest.raises(UsageProblem) as raised:
            survey_from_json({**document, **damage})
        assert raised.value.reference == "not-a-survey", damage
    for nothing in (None, [], {}, "text"):
        with pytest.raises(UsageProblem):
            survey_from_json(nothing)


def test_every_field_of_the_model_is_in_the_json():
    survey = surveyed("plain")
    assert set(survey_to_json(survey)) == {field.name for field in dataclasses.fields(survey)}


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("width", [80, 40])
def test_the_tree_fits_the_terminal(name, width):
    survey = surveyed(name)
    drawn = lines(outline(survey, survey.taken + 60), width, ascii_only=True)
    assert all(line.isascii() for line in drawn)
    assert max(map(len, drawn)) <= (width if width == 80 else 66)
    for pool in survey.pools:
        assert any(re.search(rf"- {pool.name}: ", line) for line in drawn)
    for gap in survey.gaps:
        assert any(gap.probe in line for line in drawn)


def test_carriage_returns_a_byte_order_mark_and_lines_before_it_do_no_harm():
    text = "root@kestrel# sh survey.sh\r\n" + recorded("plain").replace("\n", "\r\n")
    assert survey_of(text, taken=None, how="file") == surveyed("plain")
    assert from_answers(read_file_text(recorded("plain").encode("utf-16"))) == surveyed("plain")


def test_what_is_no_file_of_answers_is_named():
    for text in ("", "hello", "\0\0\0"):
        with pytest.raises(UsageProblem) as raised:
            from_answers(text)
        assert raised.value.reference == "no-answers"
    survey = survey_of("hello", taken=1.0, how="file")
    assert probes(survey) >= {"pools", "instances", "end", "zone"}
    assert set(NAMES) >= probes(survey) - {"end"}


def test_the_hash_of_root_is_not_kept_even_where_a_file_holds_it():
    text = recorded("plain").replace("| console=text", "| root_shadow=$5$salt$hash")
    survey = survey_of(text, taken=1.0, how="file")
    assert "salt" not in str(survey)
