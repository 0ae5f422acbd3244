"""Runbooks: pages that fit, HTML that parses and says nothing of its own accord, and the steps in their order."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartos_wizard.core.errors import Refused
from smartos_wizard.reinstall.choices import Choices
from smartos_wizard.reinstall.model import Mode, Survey, Way
from smartos_wizard.reinstall.runbook import Runbook, runbook_of
from smartos_wizard.reinstall.runbook_html import as_html
from smartos_wizard.reinstall.runbook_text import HEIGHT, WIDTH, as_markdown, as_text, pages
from tests.unit.reinstall.surveys import (
    NOW,
    RUNNING,
    TANK,
    TANK_DISKS,
    TB,
    ZONES,
    disk,
    survey,
    surveys,
    two_pools,
)


def book(found: Survey, way: Way, *, limited: bool = False, practice: bool = False) -> Runbook:
    return runbook_of(found, Choices(way, limited), NOW, practice=practice)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(surveys(), st.sampled_from(Way), st.booleans(), st.booleans())
def test_every_form_of_every_runbook_is_well_made(
    found: Survey, way: Way, limited: bool, practice: bool
) -> None:
    try:
        made = book(found, way, limited=limited, practice=practice)
    except Refused:
        return
    sheets = pages(made)
    assert all(len(sheet) == HEIGHT for sheet in sheets)
    assert all(line.isascii() and line.isprintable() for sheet in sheets for line in sheet)
    assert all(len(line) <= WIDTH for sheet in sheets for line in sheet)
    html = as_html(made)
    root = ET.fromstring(html.replace("<!DOCTYPE html>\n", ""))
    assert not list(root.iter("script")) and "<b>" not in html
    assert not re.search(r"(src|href)=|url\(|@import", html)
    for text in (as_text(made), as_markdown(made), html):
        assert "None" not in text
        assert ("PRACTICE" in text) == practice
        for each in made.todos:
            assert all(
                len(line) > 60 or line in text or line.replace(">", "&gt;") in text for line in each.typed
            )
    wiped = [todo for todo in made.todos if todo.final]
    assert len(wiped) == 1
    names = re.findall(r"\(guid (\d+)\)", wiped[0].title)
    assert names and all(any(f"(guid {guid})" in line for line in made.dies) for guid in names)


def test_c_uses_the_menus_of_today_and_the_guid() -> None:
    text = as_text(book(two_pools(), Way.RESCUE))
    assert "[O]ptions" in text and "[R]escue Mode" in text
    assert "type  zpool import -f -N 1111" in text
    assert text.index("zpool import -f -N 1111") < text.index("zpool destroy zones")
    assert "Never type yes" in text and "type  manual" in text
    assert "smartdc:factoryreset" not in text


def test_a_can_be_taken_back_until_the_reboot() -> None:
    made = book(survey(instances=(RUNNING,)), Way.RESET)
    titles = [todo.title for todo in made.todos]
    assert titles.index("Stop 1 instance") < titles.index("Mark zones to be destroyed")
    mark = made.todos[titles.index("Mark zones to be destroyed")]
    assert any("zfs inherit smartdc:factoryreset zones/var" in act for _, act in mark.otherwise)
    assert made.todos[titles.index("Mark zones to be destroyed") + 1].final


def test_b_says_the_limit_first_and_reads_every_word_back() -> None:
    typed = [line for todo in book(two_pools(), Way.LOADER, limited=True).todos for line in todo.typed]
    start = typed.index("set zpools=zones")
    assert typed[start : start + 5] == [
        "set zpools=zones", "show zpools", "set destroy_zpools=true", "show destroy_zpools", "boot",
    ]  # fmt: skip


def test_an_old_survey_makes_a_runbook_and_a_stop_does_not() -> None:
    assert book(survey(taken=NOW - 86400), Way.RESCUE).todos
    with pytest.raises(Refused, match="Triton"):
        book(survey(triton="compute node"), Way.RESCUE)


def test_in_rescue_mode_it_begins_there() -> None:
    found = survey(mode=Mode.RESCUE, pools=(replace(ZONES, imported=False),))
    titles = [todo.title for todo in book(found, Way.RESCUE).todos]
    assert titles[2] == "Import zones alone, by its guid"


def test_odd_names_do_no_harm() -> None:
    found = survey(hostname='<script>alert(1)</script>`rm -rf`|*x*&"\u202e\x1b[2J', product="a|b`c")
    made = book(found, Way.RESET)
    html = as_html(made)
    assert "<script>" not in html and "\x1b" not in html and "\u202e" not in html
    ET.fromstring(html.replace("<!DOCTYPE html>\n", ""))
    assert "<script>" not in as_markdown(made)
    assert "\x1b" not in as_text(made)


def test_a_pool_of_many_disks_is_typed_over_several_lines() -> None:
    disks = tuple(disk(f"c0t5000C500A1B2C3{n:02d}d0", 2 * TB) for n in range(24))
    found = survey(pools=(ZONES, TANK), disks=(*disks, *TANK_DISKS))
    sheets = pages(book(found, Way.RESCUE))
    assert all(len(line) <= WIDTH for sheet in sheets for line in sheet)
    text = as_text(book(found, Way.RESCUE))
    typed = text[text.index("type  zpool create") :].splitlines()
    end = next(at for at, line in enumerate(typed) if not line.endswith("\\"))
    joined = " ".join(
        line.strip().removeprefix("type  ").removesuffix("\\").strip() for line in typed[: end + 1]
    )
    assert joined.startswith("zpool create zones raidz2 ")
    assert joined.count("c0t5000C500") == 24
