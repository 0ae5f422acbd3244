"""What may be done with a key, what is said of it, and where unfinished changes of it go on."""

from __future__ import annotations

from typing import Any

import pytest

from smartos_wizard.core.plan import Confirmation, Effect, Plan, Step
from smartos_wizard.media.model import KeyContents
from smartos_wizard.screens.keys_model import CHANGING, entries, rows_of
from smartos_wizard.screens.unfinished import asks, goal_of

A, B = "20260430T145637Z", "20260903T001557Z"


def names(found: KeyContents | None) -> list[str]:
    return [name for name, _words, _more in entries(found)]


@pytest.mark.parametrize(
    ("found", "there", "absent"),
    [
        (None, {"configure", "upgrade", "rollback", "password"}, {"finish"}),
        (KeyContents("gpt", stamp=A), {"configure", "upgrade"}, {"rollback", "finish"}),
        (KeyContents("gpt", stamp=A, previous=B), {"configure", "upgrade", "rollback"}, {"finish"}),
        (KeyContents("gpt", stamp=A, unfinished=True), {"finish", "configure"}, {"rollback"}),
        (KeyContents("mbr", stamp="20170101T000000Z"), {"configure"}, {"upgrade", "rollback"}),
        (KeyContents("iso"), {"check", "plain"}, {"configure", "upgrade", "rollback"}),
        (KeyContents(), {"eject", "plain"}, {"configure", "upgrade", "rollback", "finish"}),
    ],
)
def test_only_what_can_be_done_is_offered(
    found: KeyContents | None, there: set[str], absent: set[str]
) -> None:
    seen = names(found)
    assert there <= set(seen)
    assert not absent & set(seen)
    assert len(seen) == len(set(seen))
    assert {"check", "eject", "plain"} <= set(seen)


def test_what_erases_comes_last_and_finishing_first() -> None:
    seen = names(KeyContents("gpt", stamp=A, previous=B, unfinished=True))
    assert seen[0] == "finish"
    assert seen[-1] == "plain"
    assert set(CHANGING) <= set(seen)


def test_rows_fit_the_list_at_80_columns() -> None:
    for found in (
        None,
        KeyContents("gpt", stamp=A, previous=B, unfinished=True),
        KeyContents("mbr", stamp=A),
    ):
        for _name, words, more in entries(found):
            assert len(words) < 29
            assert len(more) <= 41


def test_what_matters_of_a_key_comes_first() -> None:
    found = KeyContents(
        "gpt", stamp=B, previous=A, console="ttya", problems=("It is half.",), notes=("A note.",),
        answers=("hostname", "dns_domain"), asks=("ask for the disks",), extra_files=("a", "b"),
    )  # fmt: skip
    rows = rows_of(found, "▲")
    assert [name for name, _ in rows] == [
        "Layout",
        "Release",
        "Console",
        "▲ Problem",
        "Answers",
        "Extra files",
        "Note",
    ]
    assert dict(rows)["Release"] == f"{B}, and {A} kept"
    assert dict(rows)["Answers"] == "2; setup will still ask for the disks"
    assert "Health" in dict(rows_of(KeyContents("gpt", stamp=A)))


def test_no_smartos_names_what_is_there() -> None:
    assert "vfat" in dict(rows_of(KeyContents(partitions=({"fstype": "vfat"},))))["Layout"]
    assert dict(rows_of(KeyContents()))["Layout"] == "no SmartOS"


def plan(kind: str, params: dict[str, Any], action: str = "copy", effect: Effect = Effect.CHANGES) -> Plan:
    return Plan(kind, "", (Step("s", action, "", effect),), params=params)


@pytest.mark.parametrize(
    ("kind", "action", "goal"),
    [
        ("key-rollback", "swap", A),  # it was to go back to A
        ("key-rollback", "finish", B),  # it was to finish, and then starts B
        ("key-upgrade", "finish", B),
    ],
)
def test_taking_up_goes_where_it_was_going_and_not_back_again(kind: str, action: str, goal: str) -> None:
    assert goal_of(plan(kind, {"was": B, "kept": A}, action)) == goal


def test_a_plan_that_was_confirmed_is_confirmed_again() -> None:
    assert asks(Plan("key-configure", "", (), confirmation=Confirmation("", ("x",))))
    assert asks(plan("key-restore", {}, effect=Effect.DESTROYS))
    assert not asks(plan("key-check", {}, effect=Effect.READS))
