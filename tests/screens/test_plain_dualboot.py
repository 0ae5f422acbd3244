"""SmartOS beside a make-believe Linux line by line, on a terminal of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smartos_wizard.netboot.dualboot_model import SCRIPT
from tests.screens import test_plain
from tests.screens.test_plain import Talk, number

Start = Callable[[], Talk]
talk = test_plain.talk
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _fresh(world: Any) -> Iterator[None]:
    yield
    for place in world.paths.state.parent.glob("linux*"):
        shutil.rmtree(place)


def choose(one: Talk, question: str, words: str) -> str:
    """Answer with the number of the line that begins with `words`; what was said before."""
    said = one.hear(f"{question}[^\n]*: ")
    one.answer(re.findall(rf"(?:^|[.\s])(\d+)\. {re.escape(words)}", one.said)[-1])
    return said


def test_line_by_line_it_is_put_beside_linux_and_taken_away(talk: Start, world: Any) -> None:
    menu = world.linux().at("/boot/grub/grub.cfg")
    before = menu.read_bytes()
    one = talk()
    one.reply("want to do", number(one, "Beside Linux"))
    said = choose(one, "What next", "Go on")
    assert "takes EVERY fixed disk" in said
    choose(one, "Which way", "The platform's files")
    choose(one, "Which disk shall it take", "/dev/sdb")
    one.reply("Which release", "1")
    one.hear("Step 4")
    one.reply("Enter goes on", "")
    said = choose(one, "What next", "To the plan")
    assert "boot_archive.hash, 41 bytes" in said
    one.reply("type this computer's name", "linux")
    one.hear("Not armed")
    assert menu.read_bytes() == before
    one.reply("type this computer's name", "practice-linux")
    said = one.hear("must be called zones", 90)
    assert "answer: manual" in said
    assert "PRACTICE0002" in said
    assert world.linux().at(SCRIPT).exists()
    one.reply("want to do", number(one, "Beside Linux"))
    choose(one, "What next", "Take it away")
    said = one.hear("type this computer's name[^\n]*: ")
    assert f"Goes: {SCRIPT}" in said
    one.answer("practice-linux")
    one.hear("No trace left", 60)
    one.reply("want to do", "q")
    assert one.code() == 0
    assert menu.read_bytes() == before


def test_line_by_line_a_refusal_has_its_reason_and_way_out(talk: Start) -> None:
    one = talk()
    one.reply("want to do", number(one, "Beside Linux"))
    choose(one, "What next", "Another")
    choose(one, "Which one", "practice-secure")
    said = one.hear("What next[^\n]*: ")
    assert "Secure Boot is on" in said
    assert "Switch Secure Boot off" in said
    assert "Go on" not in said.rpartition("Refused")[2]
    one.answer("b")
    one.reply("want to do", "q")
    assert one.code() == 0
