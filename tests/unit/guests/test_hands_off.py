"""Guests that set themselves up: disks for a layout, answers that need nobody, and what a sealed guest cannot have."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from smartos_wizard.boot.answers_check import check_answers, stops
from smartos_wizard.boot.answers_schema import start
from smartos_wizard.boot.model import BootChoices
from smartos_wizard.cli.main import cli
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.paths import Paths
from smartos_wizard.guests import hands_off, sizing
from smartos_wizard.guests.model import DiskSpec, NicSpec, Sandbox
from tests.unit.guests.parts import GIB, Place, image, plan_of


@pytest.fixture
def place(paths: Paths) -> Place:
    return Place(paths)


@given(
    layout=st.sampled_from(["single", "mirror", "raidz1", "raidz2"]), said=st.sampled_from([0, 1]),
    size=st.integers(20, 4000), memory=st.integers(256, 16384),
)  # fmt: skip
def test_of_the_disks_chosen_setup_makes_the_wanted_layout(
    layout: str, said: int, size: int, memory: int
) -> None:
    spec = _spec(disks=(DiskSpec("zones-0", size * GIB),), memory=memory * 4)
    fitted = hands_off.with_layout(spec, layout, said)
    assert hands_off.layout_of(fitted.disks) == layout
    assert len({disk.name for disk in fitted.disks}) == len(fitted.disks) <= sizing.MOST_DISKS
    if said:
        assert {disk.size for disk in fitted.disks} == {size * GIB}
    else:
        assert sizing.usable(fitted.disks) >= sizing.least_pool(spec.memory)
        assert all(disk.size >= sizing.LEAST_DISK for disk in fitted.disks)


def test_the_fewest_disks_are_taken() -> None:
    spec = _spec()
    taken = {name: len(hands_off.with_layout(spec, name, 0).disks) for name in ("single", "mirror", "raidz1", "raidz2")}  # fmt: skip
    assert taken == {"single": 1, "mirror": 2, "raidz1": 3, "raidz2": 5}
    assert hands_off.counts_for("mirror") == (2, *range(7, 17))
    assert hands_off.counts_for("raidz1") == (3, 4)
    assert hands_off.counts_for("raidz2") == (5, 6)
    assert hands_off.counts_for("raidz2", 2000 * GIB) == (5, 6, *range(8, 17))


def test_a_layout_that_setup_never_chooses_is_refused_with_what_it_chooses() -> None:
    with pytest.raises(Refused) as caught:
        hands_off.with_layout(_spec(), "raidz3", 0)
    assert caught.value.reference == "layout-not-chosen"
    assert "1 single, 2 mirror, 3 or 4 raidz1, 5 or 6 raidz2, 7 to 16 mirror" in caught.value.message


def test_disks_that_were_said_are_judged_and_never_changed() -> None:
    four = _spec(disks=tuple(DiskSpec(f"zones-{n}", 40 * GIB) for n in range(4)))
    assert hands_off.with_layout(four, "raidz1", 4) is four
    with pytest.raises(Refused) as caught:
        hands_off.with_layout(four, "raidz2", 4)
    assert caught.value.reference == "other-layout"
    assert "makes raidz1, not raidz2" in caught.value.message
    assert "5 or 6" in caught.value.hint


@pytest.mark.parametrize("sandbox", list(Sandbox))
@pytest.mark.parametrize("hypervisor", ["qemu", "virtualbox", "vmware"])
@pytest.mark.parametrize("cards", [1, 2])
def test_made_answers_are_good_ask_nobody_and_fit_the_sandbox(
    sandbox: Sandbox, hypervisor: str, cards: int
) -> None:
    nics = tuple(NicSpec(f"52:54:00:00:00:0{n}", "uplink" if n == 0 else "inner") for n in range(cards))
    spec = _spec(name="Mein Lab Ü", sandbox=sandbox, hypervisor=hypervisor, nics=nics)
    ready = hands_off.prepared(spec, BootChoices(console="ttya"), "geheim-hunter22")
    answers = ready.choices.answers
    assert answers is not None
    assert [f for f in check_answers(answers) if f.level == "error"] == []
    assert [stop for stop in stops(answers) if not (stop.maybe and cards == 1)] == []
    assert hands_off.sealed_findings(answers, spec) == () or sandbox is Sandbox.SEALED
    assert all(finding.level == "info" for finding in hands_off.sealed_findings(answers, spec))
    assert answers["hostname"] == "mein-lab-u"
    assert (answers["admin_ip"] == "dhcp") == (sandbox is not Sandbox.SEALED or hypervisor != "virtualbox")


def test_given_answers_must_ask_nobody_and_what_lacks_is_named() -> None:
    answers = {k: v for k, v in _good().items() if k not in ("root_password", "dns_search")}
    with pytest.raises(Refused) as caught:
        hands_off.prepared(_spec(), BootChoices(answers=answers))
    assert caught.value.reference == "setup-would-stop"
    assert caught.value.details["lacking"] == ["dns_search", "root_password"]
    assert "ask for root's password (root_password)" in caught.value.message
    assert hands_off.prepared(_spec(), BootChoices(answers=_good())).choices.answers == _good()
    with pytest.raises(Refused) as caught:
        hands_off.prepared(_spec(), BootChoices(answers=_good(), rescue=True))
    assert caught.value.reference == "setup-does-not-run"


def test_of_several_cards_the_first_is_named_and_a_strange_one_refused() -> None:
    nics = (NicSpec("52:54:00:00:00:01"), NicSpec("52:54:00:00:00:02", "inner"))
    ready = hands_off.prepared(_spec(nics=nics), BootChoices(answers=_good()))
    assert (ready.choices.answers or {})["admin_nic"] == "52:54:00:00:00:01"
    assert "admin_nic" in ready.told[0]
    with pytest.raises(Refused) as caught:
        strange = _good() | {"admin_nic": "52:54:00:00:00:99"}
        hands_off.prepared(_spec(nics=nics), BootChoices(answers=strange))
    assert caught.value.reference == "no-such-card"


@pytest.mark.parametrize(
    ("more", "reference"),
    [
        ({"install_pkgsrc": "yes"}, "sealed-pkgsrc"),
        ({"bootpool": "zones", "pisource": "latest"}, "sealed-pisource"),
        ({"bootpool": "zones", "pisource": "https://example.com/x.iso"}, "sealed-pisource"),
        ({"skip_ntp_check": "false"}, "sealed-time"),
    ],
)
def test_a_sealed_guest_is_refused_what_it_cannot_reach_and_another_is_not(
    place: Place, more: dict[str, str], reference: str
) -> None:
    choices = BootChoices(console="ttya", answers=_good() | more)
    spec = place.spec(key=True, sandbox=Sandbox.SEALED)
    with pytest.raises(Refused) as caught:
        plan_of(place, spec, choices)
    assert caught.value.reference == reference
    assert "--sandbox lab" in caught.value.hint
    assert plan_of(place, replace(spec, sandbox=Sandbox.LAB), choices).steps


def test_a_sealed_guest_may_boot_from_its_pool_out_of_its_own_key() -> None:
    answers = _good() | {"bootpool": "zones", "pisource": "media"}
    found = hands_off.sealed_findings(answers, _spec(sandbox=Sandbox.SEALED))
    assert [finding.reference for finding in found] == ["sealed-names"]
    assert "8.8.8.8" in found[0].text


def test_where_somebody_sits_there_anyway_a_time_server_out_of_reach_is_a_warning() -> None:
    answers = {k: v for k, v in _good().items() if k not in ("root_password", "skip_ntp_check")}
    levels = {f.reference: f.level for f in hands_off.sealed_findings(answers, _spec(sandbox=Sandbox.SEALED))}
    assert levels["sealed-time"] == "warning"


def _good() -> dict[str, str]:
    return start(unattended=True) | {"dns_search": "lab.internal", "root_password": "x1", "hostname": "lab"}


def _spec(**changes: Any) -> Any:
    from smartos_wizard.guests.model import BootKind, BootMedium, GuestSpec

    base = GuestSpec(
        "lab", "6a4ec1a4-1111-4222-8333-444455556666", "qemu", 4096, 2, BootMedium(BootKind.KEY, "/x.img"),
        (DiskSpec("zones-0", 40 * GIB),), (NicSpec("52:54:00:00:00:01"),),
    )  # fmt: skip
    return replace(base, **changes)


# ---------------------------------------------------------------------- by command, in the practice world


def create(*words: str) -> Any:
    source = ["--image", str(image().path), "--sha256", image().digest]
    return CliRunner().invoke(
        cli, ["--practice", "guest", "create", "lab", *source, *words], standalone_mode=False
    )


def run(*words: str) -> Any:
    return CliRunner().invoke(cli, ["--practice", "guest", *words], standalone_mode=False)


@pytest.mark.slow
def test_by_command_a_guest_is_made_set_up_started_and_waited_for() -> None:
    made = create(
        "--hands-off", "--layout", "raidz1", "--start", "--wait", "login", "--timeout", "20", "--json"
    )
    assert made.return_value == 0, (made.output, made.exception)
    lines = [json.loads(line) for line in made.stdout.splitlines()]
    (password,) = [line["password"] for line in lines if line["event"] == "one-time-password"]
    assert made.output.count(password) == 1
    from smartos_wizard.core.paths import user_paths

    kept = [p for p in user_paths().cache.rglob("jobs/*/*") if p.is_file()]
    assert kept
    assert not [p for p in kept if password.encode() in p.read_bytes()]
    assert lines[-1]["event"] == "waited"
    assert lines[-1]["outcome"] == "seen"
    shown = json.loads(run("show", "lab", "--json").stdout)
    assert len(shown["spec"]["disks"]) == 3
    assert shown["actual"]["state"] == "running"


def test_by_command_nothing_is_made_where_setup_would_stop(tmp_path: Any) -> None:
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({"config_console": "true", "admin_ip": "dhcp"}))
    failed = create("--hands-off", "--answers", str(file))
    assert isinstance(failed.exception, Refused)
    assert failed.exception.reference == "setup-would-stop"
    assert json.loads(run("list", "--json").stdout) == []
    for words in (("--wait", "login"), ("--setup-password-file", "x"),
                  ("--hands-off", "--start", "--wait", "login", "--console", "text")):  # fmt: skip
        assert isinstance(create(*words).exception, UsageProblem), words


def test_by_command_a_dry_run_says_what_comes_after_and_keeps_no_secret(tmp_path: Any) -> None:
    word = tmp_path / "word"
    word.write_text("geheim-hunter22\n")
    shown = create(
        "--hands-off", "--setup-password-file", str(word), "--start", "--dry-run", "--sandbox", "sealed"
    )
    assert shown.return_value == 0, shown.exception
    assert "erases its own disks without asking" in shown.stdout
    assert "Then it is started." in shown.stdout
    assert "reaches neither 8.8.8.8" in shown.stderr
    assert "geheim" not in shown.output
    assert shown.stdout.count('"root_password": "********"') == 2


def test_by_command_answers_that_name_a_layout_get_the_disks_for_it(tmp_path: Any) -> None:
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(_good() | {"zpool_layout": "raidz2"}))
    shown = create("--hands-off", "--answers", str(file), "--dry-run", "--json")
    assert shown.return_value == 0, shown.exception
    assert len([step for step in json.loads(shown.stdout)["steps"] if step["id"].startswith("disk-")]) == 5
    assert "The answers ask for raidz2" in shown.stderr
    told = create("--hands-off", "--answers", str(file), "--disk", "40GB", "--dry-run", "--json")
    assert len([step for step in json.loads(told.stdout)["steps"] if step["id"].startswith("disk-")]) == 1


def test_no_disk_of_vmware_says_that_it_is_an_ssd_of_which_setup_would_make_something_else(
    place: Place,
) -> None:
    from smartos_wizard.guests.vmware.words import places, values_of

    spec = hands_off.with_layout(_spec(hypervisor="vmware"), "raidz2", 0)
    values = values_of(place.guests.planned(spec))
    assert [values[f"{each}.virtualSSD"] for each in places(5)] == ["0"] * 5
