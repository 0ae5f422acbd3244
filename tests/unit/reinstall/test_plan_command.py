"""`reinstall plan` and `reinstall runbook` by their commands: files, ways, consents, forms, exit codes."""

from __future__ import annotations

import json
import stat
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.cli.main import main
from smartos_wizard.core.plan import Plan
from smartos_wizard.reinstall.as_json import survey_to_json
from smartos_wizard.reinstall.model import Survey
from tests.unit.reinstall.surveys import survey, two_pools

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def wizard(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(list(words))
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[Survey], str]:
    """A survey of just now, in a file."""

    def keep(found: Survey) -> str:
        path = tmp_path / "survey.json"
        path.write_text(json.dumps(survey_to_json(replace(found, taken=time.time() - 5))))
        return str(path)

    return keep


def test_without_consent_it_says_what_is_missing_and_by_which_token(
    wizard: Run, kept: Callable[[Survey], str]
) -> None:
    code, out, err = wizard("reinstall", "plan", "--survey", kept(two_pools()))
    assert code == 4 and not err
    assert "Take way C" in out
    assert "--consent manual-layout" in out and "--consent no-backup" in out
    assert max(map(len, out.splitlines())) <= 80


def test_with_every_consent_the_plan_is_shown_and_kept_for_its_owner_only(
    wizard: Run, kept: Callable[[Survey], str], tmp_path: Path
) -> None:
    saved = tmp_path / "plan.json"
    code, out, err = wizard(
        "reinstall", "plan", "--survey", kept(two_pools()), "--consent", "manual-layout",
        "--consent", "no-backup", "--save", str(saved),
    )  # fmt: skip
    assert code == 0 and "Kept in" in err
    assert "DESTROYS" in out and "--confirm box:zones" in out
    assert "zpool create zones mirror c1t0d0 c1t1d0" in out
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    plan = Plan.from_json(json.loads(saved.read_text()))
    assert plan.kind == "reinstall-run" and plan.confirmation is not None
    assert plan.confirmation.tokens[0] == "box:zones"


def test_json_names_every_way_and_what_it_destroys(wizard: Run, kept: Callable[[Survey], str]) -> None:
    code, out, _ = wizard("reinstall", "plan", "--survey", kept(two_pools()), "--way", "a", "--json")
    said = json.loads(out)
    assert code == said["exit_code"] == 4
    assert said["plan"] is None and said["recommended"] == "C"
    by_way = {
        (way["way"], way["limited"]): [pool["name"] for pool in way["destroys"]] for way in said["ways"]
    }
    assert by_way[("A", False)] == ["zones", "tank"]
    assert by_way[("C", False)] == by_way[("B", True)] == ["zones"]
    assert {stop["token"] for stop in said["missing"]} == {"box:tank", "no-backup"}


def test_a_refused_way_says_why_and_makes_no_file(
    wizard: Run, kept: Callable[[Survey], str], tmp_path: Path
) -> None:
    saved = tmp_path / "plan.json"
    code, out, _ = wizard(
        "reinstall", "plan", "--survey", kept(survey(triton="head node")), "--save", str(saved)
    )
    assert code == 4 and "Triton" in out and "STOP" in out
    assert not saved.exists()


@pytest.mark.parametrize("words", [("--survey", "/nowhere"), ("--survey", "EMPTY"), ()])
def test_what_is_no_survey(wizard: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    empty = tmp_path / "empty"
    empty.write_text('{"a": ')
    code, _, err = wizard("reinstall", "plan", *(str(empty) if word == "EMPTY" else word for word in words))
    assert code == 2 and err


def test_ascii_is_ascii(wizard: Run, kept: Callable[[Survey], str]) -> None:
    words = ("--consent", "manual-layout", "--consent", "no-backup")
    for more in ((), words):
        _, out, _ = wizard("reinstall", "plan", "--survey", kept(two_pools()), "--ascii", *more)
        assert out.isascii()


def test_answers_and_the_proof_of_a_key_are_read_from_files(
    wizard: Run, kept: Callable[[Survey], str], tmp_path: Path
) -> None:
    answers, proof = tmp_path / "answers.json", tmp_path / "receipt.json"
    answers.write_text('{"zpool_confirm_layout": "yes", "root_password": "hunter2hunter2"}')
    proof.write_text(
        json.dumps({"receipt": 1, "result": "proven", "source": {"stamp": "S"}, "device": {"name": "K"}})
    )
    found = kept(survey(medium=""))
    assert wizard("reinstall", "plan", "--survey", found, "--consent", "no-backup")[0] == 4
    code, out, _ = wizard(
        "reinstall", "plan", "--survey", found, "--consent", "no-backup", "--prepared", str(proof), "--answers", str(answers)
    )  # fmt: skip
    assert code == 0, out
    assert "K with S" in out and "hunter2" not in out
    code, _, err = wizard("reinstall", "plan", "--survey", found, "--prepared", str(answers))
    assert code == 2 and "no-proof" in err


@pytest.mark.parametrize("way", ["A", "B", "C"])
def test_the_runbook_in_each_form(wizard: Run, kept: Callable[[Survey], str], way: str) -> None:
    found = kept(two_pools())
    words = ("reinstall", "runbook", "--survey", found, "--way", way)
    code, out, err = wizard(*words)
    assert code == 0 and not err and out.isascii()
    assert len(out.splitlines()) % 24 == 0
    _, markdown, _ = wizard(*words, "--format", "markdown")
    assert markdown.startswith("# Re-install box")
    _, html, _ = wizard(*words, "--format", "html")
    ET.fromstring(html.replace("<!DOCTYPE html>\n", ""))
    _, as_json, _ = wizard(*words, "--json")
    assert json.loads(as_json)["todos"]


def test_a_recorded_machine_from_long_ago_gets_a_runbook_but_no_plan(wizard: Run) -> None:
    recorded = str(Path(__file__).parent / "data" / "plain.txt")
    code, out, _ = wizard("reinstall", "plan", "--survey", recorded)
    assert code == 4 and "reinstall runbook" in " ".join(out.split())
    code, out, _ = wizard("reinstall", "runbook", "--survey", recorded)
    assert code == 0 and "zfs set smartdc:factoryreset=yes zones/var" in out


def test_the_practice_world_says_so_on_every_page(wizard: Run, tmp_path: Path) -> None:
    found = str(tmp_path / "s.json")
    assert wizard("--practice", "reinstall", "survey", "second-pool", "--save", found)[0] == 0
    code, out, _ = wizard("--practice", "reinstall", "runbook", "--survey", found)
    assert code == 0
    assert out.count("PRACTICE") >= len(out.splitlines()) // 24
