"""The flow, the words that arm, the ASCII net: without Textual."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from smartos_wizard.media.model import Disk, Fingerprint, ImageKind, Target, VerifiedImage
from smartos_wizard.screens.flow import Answers, Flow, Stage, armed, short_token, tokens_for
from smartos_wizard.screens.words import same_by_command, short_serial, to_ascii, what_to_type

STAMP = "20260903T001557Z"
IMAGE = VerifiedImage(Path("/x.img.gz"), ImageKind.GZIP, "sha256", "0" * 64, "the list", STAMP)


def target(path: str = "/dev/sdb", serial: str = "4C530001090816110179") -> Target:
    return Target(Disk(path, 8 << 30, serial=serial), Fingerprint(path, 8 << 30, serial=serial))


def test_a_release_that_is_not_here_is_checked_first() -> None:
    assert Flow().forward(stamp=STAMP, image=None).stage is Stage.CHECK


def test_a_release_that_is_stored_skips_the_check() -> None:
    assert Flow().forward(stamp=STAMP, image=IMAGE).stage is Stage.TARGET


def test_an_image_of_another_release_does_not_skip_the_check() -> None:
    flow = Flow(answers=Answers(STAMP, IMAGE)).forward(stamp="20260430T145637Z")
    assert flow.stage is Stage.CHECK


def test_back_shows_what_was_answered() -> None:
    flow = Flow().forward(stamp=STAMP, image=IMAGE).forward(targets=(target(),))
    before = flow.back()
    assert before is not None
    assert before.stage is Stage.TARGET
    assert before.answers.image == IMAGE
    first = before.back()
    assert first is not None
    assert first.stage is Stage.RELEASE
    assert first.answers.stamp == STAMP
    assert first.back() is None


def test_back_from_the_target_passes_over_the_download() -> None:
    flow = Flow().forward(stamp=STAMP).forward(image=IMAGE)
    assert flow.stage is Stage.TARGET
    before = flow.back()
    assert before is not None
    assert before.stage is Stage.RELEASE


def test_another_key_starts_with_no_disk_chosen() -> None:
    flow = Flow().forward(stamp=STAMP, image=IMAGE).forward(targets=(target(),)).forward()
    assert flow.another().stage is Stage.TARGET
    assert flow.another().answers.targets == ()
    assert flow.another().answers.image == IMAGE


def test_going_on_never_changes_the_answers_behind() -> None:
    first = Flow().forward(stamp=STAMP, image=IMAGE)
    first.forward(targets=(target(),))
    assert first.answers.targets == ()


@pytest.mark.parametrize(
    ("token", "short"),
    [("4C530001090816110179", "0179"), ("A1B2C3D4", "C3D4"), ("1234567", ""), ("/dev/sdb", ""), ("", "")],
)
def test_only_the_end_of_a_long_serial_may_be_typed(token: str, short: str) -> None:
    assert short_token(token) == short


def test_the_end_of_the_serial_arms_and_nothing_else_does() -> None:
    tokens = ("4C530001090816110179",)
    assert armed("0179", tokens)
    assert armed(" 4C530001090816110179 ", tokens)
    for wrong in ("", "y", "yes", "179", "0178", "0179 0179", "0179 x", "/dev/sdb"):
        assert not armed(wrong, tokens), wrong


def test_a_path_must_be_typed_whole() -> None:
    assert armed("/dev/sdb", ("/dev/sdb",))
    assert not armed("/sdb", ("/dev/sdb",))


def test_two_keys_must_both_be_named() -> None:
    tokens = ("4C530001090816110179", "08606E6B64B8B1C0E0001D5A")
    assert not armed("0179", tokens)
    assert armed("1D5A 0179", tokens)
    assert tokens_for("1d5a 0179", tokens) == tokens


def test_keys_whose_serials_end_alike_must_be_named_in_full() -> None:
    tokens = ("AAAAAAAA0001", "BBBBBBBB0001")
    assert not armed("0001 0001", tokens)
    assert armed("AAAAAAAA0001 BBBBBBBB0001", tokens)
    assert "AAAAAAAA0001" in what_to_type(tokens)


def test_nothing_to_confirm_is_never_armed() -> None:
    assert not armed("", ())


def test_ascii_keeps_the_width() -> None:
    line = "╭─ ● ◐ ○ ✔ … “x” → █░▇ ä 漢"
    assert to_ascii(line).isascii()
    assert len(to_ascii(line)) == len(line)


def test_a_short_serial_keeps_its_end() -> None:
    assert short_serial("4C530001090816110179") == "4C53…0179"


def test_the_command_names_release_disk_and_confirmation() -> None:
    answers = Answers(STAMP, IMAGE, (target(),))
    words = same_by_command(Stage.WRITE, answers)
    assert words == f"smartos-wizard key write /dev/sdb --release {STAMP} --confirm 4C530001090816110179"


def test_the_flow_needs_no_textual() -> None:
    code = (
        "import sys, smartos_wizard.screens.flow, smartos_wizard.screens.words, smartos_wizard.screens.desk;"
    )
    code += "sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
