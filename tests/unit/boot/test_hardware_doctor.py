"""`doctor --target`, `--collect`, `--script`: exit codes, JSON, files; and practice judges a make-believe machine."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from smartos_wizard.boot.hardware import collect, read_facts, script
from smartos_wizard.cli.main import cli
from smartos_wizard.core.errors import WizardError
from smartos_wizard.practice.hardware import FACTS

MACHINES = Path(__file__).resolve().parents[2] / "machines" / "hardware"


def _doctor(*words: str, practice: bool = False, stdin: bytes = b"") -> Result:
    before = ["--practice"] if practice else []
    return CliRunner().invoke(cli, [*before, "doctor", *words], input=stdin, standalone_mode=False)


@pytest.mark.parametrize(
    ("name", "fitness", "code"),
    [
        ("hetzner-ax41", "fit", 0),
        ("dell-r720-perc", "fit with warnings", 0),
        ("macbook-intel", "unknown", 1),
        ("thinkpad-x1-gen9", "not fit", 4),
    ],
)
def test_the_exit_code_says_how_fit_a_machine_is(name, fitness, code):
    file = str(MACHINES / f"{name}.txt")
    shown = _doctor("--target", file, "--json")
    document = json.loads(shown.stdout)
    assert (document["fitness"], shown.return_value) == (fitness, code)
    assert {"name", "level", "found", "why", "todo"} <= set(document["verdicts"][0])
    said = _doctor("--target", file)
    assert said.return_value == code
    assert "what to do: " in said.stdout or fitness == "fit"


def test_what_is_not_known_is_never_called_fit():
    said = _doctor("--target", str(MACHINES / "macbook-intel.txt")).stdout
    assert "is not known, because this could not be seen: Network, Disk controllers." in said
    assert "machine is fit" not in said.replace("Whether this machine is fit", "")


def test_a_file_may_come_by_stdin_and_in_the_encoding_of_powershell():
    text = (MACHINES / "hetzner-ax41.txt").read_text(encoding="utf-8")
    assert _doctor("--target", "-", stdin=text.encode()).return_value == 0
    assert _doctor("--target", "-", stdin=text.encode("utf-16")).return_value == 0


@pytest.mark.parametrize("data", [b"", b"\x00\xff\xfe" * 99, b"\xff\xfe\x00", b"GIF89a", b"{}", b"smartos-wizard"])  # fmt: skip
def test_a_file_of_something_else_is_refused_without_a_crash(data, tmp_path):
    file = tmp_path / "odd"
    file.write_bytes(data)
    error = _doctor("--target", str(file)).exception
    assert isinstance(error, WizardError)
    assert (error.reference, int(error.exit_code)) == ("not-hardware-facts", 2)


@pytest.mark.parametrize("place", ["", "missing.txt"])
def test_a_directory_or_a_missing_file_is_named(place, tmp_path):
    error = _doctor("--target", str(tmp_path / place)).exception
    assert isinstance(error, WizardError)
    assert error.reference == "no-such-file" and str(tmp_path) in error.message


def test_without_a_file_this_machine_is_judged():
    assert json.loads(_doctor("--target", "--json").stdout)["facts"] == collect().to_json()


def test_what_is_collected_here_is_judged_elsewhere_as_here(tmp_path):
    file = tmp_path / "machine.txt"
    assert _doctor("--collect", "--out", str(file)).return_value == 0
    assert read_facts(file.read_text(encoding="utf-8")) == collect()
    here, there = (json.loads(_doctor(*w, "--json").stdout) for w in (("--target",), ("--target", str(file))))
    assert here["verdicts"] == there["verdicts"]
    assert read_facts(_doctor("--collect").stdout) == collect()


def test_a_device_is_no_place_for_the_file(tmp_path):
    for place in ("/dev/null", str(tmp_path)):
        error = _doctor("--collect", "--out", place).exception
        assert isinstance(error, WizardError)
        assert error.reference == "not-a-file"
    assert Path("/dev/null").is_char_device()


def test_practice_judges_a_make_believe_machine_not_this_one():
    shown = _doctor("--target", "--json", practice=True)
    document = json.loads(shown.stdout)
    assert document["practice"] is True
    assert document["facts"] == read_facts(FACTS).to_json()
    assert (document["fitness"], shown.return_value) == ("fit with warnings", 0)
    assert _doctor("--collect", practice=True).stdout.splitlines()[3:] == FACTS.splitlines()[2:]


def test_the_script_is_printed_whole():
    assert _doctor("--script").stdout == script()


@pytest.mark.parametrize("words", [("--target", "--collect"), ("--script", "--collect"), ("--target", "--network"), ("--out", "x")])  # fmt: skip
def test_questions_that_do_not_go_together_are_refused(words):
    assert isinstance(_doctor(*words).exception, click.UsageError)
