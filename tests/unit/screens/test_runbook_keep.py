"""Runbooks with marks: kept, found again, and never another's marks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.practice.hosts import MACHINES
from smartos_wizard.reinstall.choices import Choices
from smartos_wizard.reinstall.model import Survey, Way
from smartos_wizard.reinstall.runbook import Runbook, runbook_of
from smartos_wizard.reinstall.survey import from_answers
from smartos_wizard.screens.runbook_keep import begun, forget, id_of, kept, mark


def survey(name: str) -> Survey:
    return from_answers(MACHINES[name].answers("20261118T120000Z"))


def book(name: str = "second-pool", way: Way = Way.RESCUE) -> Runbook:
    return runbook_of(survey(name), Choices(way), 0.0)


def test_marks_are_found_again_with_the_same_machine_way_and_steps(tmp_path: Path) -> None:
    one = mark(tmp_path, kept(tmp_path, book(), "second-pool"), frozenset({0, 2}), 5.0)
    assert kept(tmp_path, book(), "second-pool") == one
    assert begun(tmp_path) == (one,)
    assert one.next == 1
    later = replace(survey("second-pool"), taken=9e9)
    assert id_of(runbook_of(later, Choices(Way.RESCUE), 0.0)) == one.id
    for other in (book("plain"), book(way=Way.RESET)):
        assert kept(tmp_path, other, "x").done == frozenset()


def test_what_is_kept_is_the_whole_runbook_for_its_owner_alone(tmp_path: Path) -> None:
    root = tmp_path / "runbooks"
    one = mark(root, kept(root, book(), "second-pool"), frozenset({0}), 5.0)
    (file,) = root.iterdir()
    assert (file.stat().st_mode & 0o777, root.stat().st_mode & 0o777) == (0o600, 0o700)
    assert begun(root)[0].book == one.book
    forget(root, one)
    forget(root, one)
    assert begun(root) == ()


@pytest.mark.parametrize(
    "words", ["", "{", "[]", "{}", '{"id": 1, "host": "x", "done": [0], "at": 1, "book": {}}', "null"]
)
def test_a_damaged_file_is_passed_over(tmp_path: Path, words: str) -> None:
    one = kept(tmp_path, book(), "second-pool")
    (tmp_path / f"{one.id}.json").write_text(words)
    assert begun(tmp_path) == ()
    assert kept(tmp_path, book(), "second-pool").done == frozenset()
    assert mark(tmp_path, one, frozenset({1}), 1.0).done == {1}
    assert begun(tmp_path)[0].done == {1}


def test_marks_of_steps_that_are_not_there_do_not_count(tmp_path: Path) -> None:
    one = mark(tmp_path, kept(tmp_path, book(), "second-pool"), frozenset({0, 400}), 5.0)
    assert begun(tmp_path)[0].done == {0}
    every = mark(tmp_path, one, frozenset(range(len(one.book.todos))), 6.0)
    assert every.next == len(one.book.todos) - 1
