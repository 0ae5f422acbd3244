"""The dualboot commands as a person or a script gives them, in the practice world."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
NAME = "practice-linux"


def command(home: Path, *words: str, practice: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SMARTOS_WIZARD_HOME": str(home), "SMARTOS_WIZARD_PRACTICE_SPEED": "0"}
    first = ["--practice"] if practice else []
    return subprocess.run(
        [sys.executable, "-m", "smartos_wizard", *first, "dualboot", *words],
        cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def test_the_whole_way_in_practice(home):
    planned = command(home, "plan", "--release", "latest", "--json")
    document = json.loads(planned.stdout)
    assert (planned.returncode, document["possible"], document["way"]) == (0, True, "unpacked")
    assert document["problems"][0]["reference"] == "takes-all-disks"
    unconfirmed = command(home, "install", "--release", "latest", "--json")
    assert (unconfirmed.returncode, json.loads(unconfirmed.stdout)["reference"]) == (4, "not-confirmed")
    dry = command(home, "install", "--release", "latest", "--dry-run", "--json")
    assert json.loads(dry.stdout)["plan"] == "dualboot-install"
    assert json.loads(dry.stdout)["before"][0]["plan"] == "release-download"
    done = command(home, "install", "--release", "latest", "--confirm", NAME, "--json")
    last = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, last["event"], last["exit_code"]) == (0, "plan-finished", 0)
    assert last["result"]["dualboot"]["script"] == "/etc/grub.d/42_smartos-wizard"
    refused = command(home, "plan")
    assert refused.returncode == 4
    assert "already-installed" in refused.stdout
    again = command(home, "install", "--release", "latest", "--confirm", NAME)
    assert (again.returncode, again.stdout) == (4, "")
    assert "already-installed" in again.stderr
    assert command(home, "remove", "--dry-run").returncode == 0
    assert command(home, "remove").returncode == 4
    assert command(home, "remove", "--confirm", NAME).returncode == 0
    nothing = command(home, "remove", "--confirm", NAME, "--json")
    assert (nothing.returncode, json.loads(nothing.stdout)["result"]) == (0, "nothing")


def test_a_plan_needs_no_release_and_says_that_it_is_an_example(home):
    shown = command(home, "plan", "--console", "ttya", "--way", "iso")
    assert shown.returncode == 0, shown.stderr
    assert "loopback" in shown.stdout
    assert "console=ttya" in shown.stdout
    assert "DANGER" in shown.stdout


@pytest.mark.parametrize(
    ("words", "code", "reference"),
    [
        (["install"], 2, "which-image"),
        (["install", "--release", "latest", "--chainload", "1A2B-3C4D"], 2, "nothing-to-copy"),
        (["install", "--way", "iso", "--chainload", "1A2B-3C4D"], 2, "two-ways"),
        (["install", "--chainload", "nonsense"], 2, "bad-uuid"),
        (["install", "--chainload", "1A2B-3C4D"], 4, "bios-needs-no-chainloading"),
        (["plan", "--rescue"], 2, "not-beside-linux"),
        (["plan", "--boot-delay", "3"], 2, "not-beside-linux"),
        (["plan", "--speed", "9600"], 2, "speed-without-port"),
        (["plan", "--image", "/nowhere/x.tgz"], 2, "no-such-image"),
        (["plan", "--image", __file__], 2, "not-a-platform"),
        (["install", "--release", "20990101T000000Z"], 5, None),
        (["plan", "--sha256", "00"], 2, "which-image"),
    ],
)
def test_words_that_make_no_sense_end_with_their_reason(home, words, code, reference):
    said = command(home, *words, "--json")
    assert said.returncode == code, said
    if reference:
        assert json.loads(said.stdout)["reference"] == reference


@pytest.mark.parametrize("name", ["plan", "install", "remove"])
def test_help_has_an_example_and_the_exit_codes(home, name):
    said = command(home, name, "--help").stdout
    assert f"smartos-wizard dualboot {name}" in said
    assert "Exit codes:" in said
    assert "--root " not in said
