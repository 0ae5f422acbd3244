"""Booting over the network line by line, on a terminal of its own in the practice world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.screens import test_plain
from tests.screens.netboot_parts import build_tree
from tests.screens.test_plain import Talk, number
from tests.screens.test_plain_reinstall import choose

Start = Callable[[], Talk]
talk = test_plain.talk
pytestmark = pytest.mark.slow


def test_line_by_line_a_tree_is_built_and_checked(talk: Start, world: Any, tmp_path: Path) -> None:
    del world
    one, tree = talk(), tmp_path / "tree"
    one.reply("want to do", number(one, "Boot over the network"))
    choose(one, "What shall be done", "Build a tree")
    one.reply("Where is the tree", str(tree))
    one.reply("Which releases", "1")
    one.reply("Machines of their own", "")
    said = choose(one, "Shall it be done", "Go on")
    assert f"netboot build {tree} --release" in said
    one.hear("PROVEN", 60)
    choose(one, "What next", "Not now")
    choose(one, "What shall be done", "Check a tree")
    one.reply("Which tree", str(tree))
    one.hear("OK: 4 scripts", 60)
    one.reply("What shall be done", "q")
    assert one.code() == 0


def test_line_by_line_an_evening_is_served_and_stopped(talk: Start, world: Any, tmp_path: Path) -> None:
    tree = build_tree(world, tmp_path / "tree")
    one = talk()
    one.reply("want to do", number(one, "Boot over the network"))
    choose(one, "What shall be done", "Serve a tree")
    one.reply("Which tree", tree)
    assert "practice2" not in choose(one, "On which interface", "practice0")
    choose(one, "Who gives machines", "This computer")
    one.hear("lose the network")
    choose(one, "Is it", "Back")
    choose(one, "What shall be done", "Serve a tree")
    one.reply("Which tree", tree)
    choose(one, "On which interface", "practice0")
    choose(one, "Who gives machines", "The network's own")
    one.reply("Port of the web", "")
    choose(one, "Shall it be done", "Go on")
    one.hear("has everything", 60)
    one.interrupt()
    one.reply("What shall be done", "3")
    one.hear("Stopped; nothing is left", 30)
    one.reply("What shall be done", "q")
    assert one.code() == 0
