"""The road to a guest without a screen: stages, words, the command that does the same."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.screens.flow import KEY_ROAD, SANDBOX_ROAD, TITLES, Answers, Flow, Stage
from smartos_wizard.screens.sandbox_model import GuestAnswers, counts, for_a_screen, memory_of, wrong
from smartos_wizard.screens.sandbox_words import guest_by_command
from smartos_wizard.screens.widgets.rail import rail
from smartos_wizard.screens.words import ASCII, UNICODE

STAMP = "20260903T001557Z"
IMAGE = VerifiedImage(Path("/x/smartos.img.gz"), ImageKind.GZIP, "sha256", "ab" * 32, "list", STAMP, "")
START = Flow(Stage.HYPERVISOR, road=SANDBOX_ROAD)


def test_the_road_passes_over_the_check_of_what_is_here_and_keeps_answers_on_the_way_back() -> None:
    flow = START.forward(guest=GuestAnswers(hypervisor="qemu"))
    assert flow.stage is Stage.RELEASE
    assert flow.forward(stamp=STAMP, image=None).stage is Stage.CHECK
    flow = flow.forward(stamp=STAMP, image=IMAGE)
    assert flow.stage is Stage.SIZE
    flow = flow.noted(guest=GuestAnswers(hypervisor="qemu", name="mine")).forward().forward()
    assert flow.stage is Stage.OPTIONS
    for stage in (Stage.NETWORK, Stage.SIZE, Stage.RELEASE, Stage.HYPERVISOR):
        before = flow.back()
        assert before is not None
        flow = before
        assert flow.stage is stage
        assert flow.answers.guest.name == "mine"
        assert flow.road == SANDBOX_ROAD
    assert flow.back() is None


def test_the_last_stage_is_the_last() -> None:
    assert Flow(Stage.CONSOLE, road=SANDBOX_ROAD).forward().stage is Stage.CONSOLE
    assert Flow(Stage.DONE).forward().stage is Stage.DONE


@pytest.mark.parametrize("road", [KEY_ROAD, SANDBOX_ROAD], ids=["key", "guest"])
@pytest.mark.parametrize("marks", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("width", [60, 79, 80, 86, 100, 110, 140, 200])
def test_the_rail_fits_and_names_the_step_at_hand(road: Any, marks: Any, width: int) -> None:
    for stage in road:
        line = rail(stage, marks, width=width, road=road)
        assert line.cell_length <= width - 4
        assert TITLES[stage] in str(line)


def test_wide_windows_name_every_step() -> None:
    line = str(rail(Stage.SIZE, UNICODE, width=120, road=SANDBOX_ROAD))
    assert all(TITLES[stage] in line for stage in SANDBOX_ROAD)


@pytest.mark.parametrize(("words", "mebibytes"), [("", 0), ("4GiB", 4096), ("4 GiB", 4096), ("2G", 2048), (" 1024MiB ", 1024)])  # fmt: skip
def test_memory(words: str, mebibytes: int) -> None:
    assert memory_of(words) == mebibytes


@pytest.mark.parametrize("words", ["4096", "lots", "-1GiB", "4 quux"])
def test_no_memory(words: str) -> None:
    assert "memory" in wrong(GuestAnswers(name="x", memory=words))


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("cpus", ("", "1", " 4 "), ("0", "-1", "1.5", "two", "²", "9999")),
        ("port", ("", "22", "65535"), ("0", "65536", "ssh")),
        ("inner", ("", "wire", "a, b-2"), ("a/b", "ü", "a b c d e f g")),
        ("each", ("", "40GB", "1 TiB"), ("x", "GB")),
        ("name", ("lab", "a b"), ("", "  ")),
    ],
)
def test_what_makes_sense_by_itself(field: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    for words in good:
        assert wrong(GuestAnswers(**{"name": "lab", field: words})) == {}, words
    for words in bad:
        assert field in wrong(GuestAnswers(**{"name": "lab", field: words})), words


def test_the_number_of_disks_says_what_setup_makes_of_them() -> None:
    more = {offer.value: offer.more for offer in counts()}
    assert "No second disk" in more["1"]
    assert "mirror" in more["2"]
    assert "raidz1" in more["3"]
    assert len(more) == 16


def test_hints_lose_the_options_of_the_command() -> None:
    assert "--" not in for_a_screen("Choose another, or leave --ssh-port away.")


def test_what_is_decided_at_hand_comes_first_and_defaults_are_left_to_the_command() -> None:
    answers = Answers(
        STAMP, IMAGE, choices=BootChoices(console="ttya"), guest=GuestAnswers("qemu", name="my lab")
    )
    assert guest_by_command(Stage.SIZE, answers) == (
        f"smartos-wizard guest create 'my lab' --release {STAMP} --hypervisor qemu"
    )
    guest = GuestAnswers(
        "qemu", name="lab", count="2", memory="8 GiB", sandbox="lan", bridge="eth0", nested=True
    )
    answers = Answers(STAMP, IMAGE, guest=guest)
    words = guest_by_command(Stage.NETWORK, answers, practice=True)
    assert words.startswith(
        "smartos-wizard --practice guest create lab --sandbox lan --bridge eth0 --release"
    )
    assert "--memory 8GiB --disk 2x40GiB --nested" in words


FULL = GuestAnswers(
    "practice", "", "same", "2 GiB", "1", "3", "25 GB", nested=True, sandbox="sealed", inner="wire, b"
)


@pytest.mark.parametrize(
    ("guest", "choices"),
    [
        (GuestAnswers("practice", name="plain"), BootChoices()),
        (FULL, BootChoices(console="ttyb", hostname="box", delay=3)),
        (GuestAnswers("practice", name="two words", sandbox="lan", bridge="eth0"), BootChoices(verbose=True)),
    ],
    ids=["as it comes", "everything", "lan"],
)
def test_the_command_on_the_screen_makes_the_same_plan(
    guest: GuestAnswers,
    choices: BootChoices,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from smartos_wizard.cli.main import main
    from smartos_wizard.screens.desk import Desk
    from smartos_wizard.world import build

    monkeypatch.setenv("SMARTOS_WIZARD_HOME", str(tmp_path))
    monkeypatch.setenv("SMARTOS_WIZARD_PRACTICE_SPEED", "0")
    world = build(True)
    desk = Desk(world)
    stamp = desk.offer(details=False).rows[1].stamp
    *_, last = world.run(desk.download_plan(stamp))
    assert last.exit_code == 0
    image = desk.stored_image(stamp)
    answers = Answers(stamp, image, choices=choices, guest=guest)
    foreseen = desk.sandbox.foresee(answers)
    words = shlex.split(guest_by_command(Stage.REVIEW, answers, practice=True))
    world.close()
    assert words[0] == "smartos-wizard"
    with pytest.raises(SystemExit) as left:
        main([*words[1:], "--dry-run", "--json"])
    assert not left.value.code
    assert _without_chance(json.loads(capsys.readouterr().out)) == _without_chance(foreseen.plan.to_json())


def _without_chance(plan: dict[str, Any]) -> dict[str, Any]:
    """Without UUID, addresses and names in the vault, which are made by chance."""
    words = json.dumps({k: v for k, v in plan.items() if k not in ("before", "after")})
    words = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", words)
    words = re.sub(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", "MAC", words)
    return dict(json.loads(re.sub(r"\b[0-9a-f]{32}\b", "SECRET", words)))
