"""A re-install key: what its machine is told at boot, read by readers of their own; and what is said of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.boot.model import ANSWERS, LOADER_CONF_LOCAL, BootChoices
from smartos_wizard.boot.reinstall_key import reinstall_choices, reinstall_words
from smartos_wizard.cli.main import main
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.media.fat import FatVolume
from smartos_wizard.media.fat_check import check_volume
from tests.unit.boot.loader_reader import Loader
from tests.unit.writing.small_keys import FIRST, GRUB, GRUB_FIRST, VOLUME, as_file, small_image

Key = Callable[..., tuple[int, str, str]]


@pytest.fixture
def key(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Key:
    def run(*words: str, top: tuple[str, ...] = ()) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["smartos-wizard", *top, "key", *words])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return as_file(tmp_path / "vm.img", small_image()).path


@pytest.fixture
def answers(tmp_path: Path) -> str:
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({"hostname": "kestrel", "zpool_confirm_layout": "yes"}))
    return str(path)


def files_on(image: Path, first: int = FIRST) -> dict[str, bytes]:
    """Path to content, by dissect.fat; the file system has to be sound."""
    data = image.read_bytes()
    assert not check_volume(lambda at, length: data[at : at + length], first, VOLUME)
    volume = FatVolume(lambda at, length: data[at : at + length], first, VOLUME)
    return {each.path: b"".join(volume.chunks(each)) for each in volume.files() if not each.directory}


def told(image: Path) -> dict[str, str]:
    """What the loader tells the kernel, by a reader written after the loader's own source."""
    found = files_on(image)
    loader = Loader().read(found["boot/loader.conf"]).read(found.get(LOADER_CONF_LOCAL, b""))
    assert loader.stopped is None
    return loader.environment


RESCUE = {"noimport": "true", "standalone": "true", "smartos": "false"}


def in_rescue(environment: dict[str, str]) -> bool:
    assert "destroy_zpools" not in environment
    return {name: environment.get(name) for name in RESCUE} == RESCUE


def test_configure_makes_a_key_that_starts_rescue_mode_and_takes_it_back(key: Key, image: Path) -> None:
    before = files_on(image)
    code, _, err = key("configure", "vm.img", "--file", "--reinstall", "--confirm", "vm.img")
    assert code == 0, err
    assert in_rescue(told(image)) and ANSWERS not in files_on(image)
    for words in ("Rescue Mode: no pool is imported", "nothing is destroyed by booting it", "--no-rescue"):
        assert words in err
    back = key("configure", "vm.img", "--file", "--no-rescue", "--confirm", "vm.img")
    assert back[0] == 0 and told(image)["smartos"] == "true" and "noimport" not in told(image)
    assert {p: d for p, d in files_on(image).items() if p != LOADER_CONF_LOCAL} == before


def test_with_answers_it_carries_them_and_loses_rescue_mode(key: Key, image: Path, answers: str) -> None:
    assert key("configure", "vm.img", "--file", "--reinstall", "--confirm", "vm.img")[0] == 0
    code, _, err = key(
        "configure", "vm.img", "--file", "--reinstall", "--answers", answers, "--confirm", "vm.img"
    )
    assert code == 0, err
    assert "noimport" not in told(image) and told(image)["smartos"] == "true"
    assert json.loads(files_on(image)[ANSWERS])["hostname"] == "kestrel"
    assert "every disk that is not on USB" in err and "Boot it in no other machine" in err
    assert "Setup will still" in err


def test_both_where_both_are_asked_for(key: Key, image: Path, answers: str) -> None:
    words = ("--reinstall", "--rescue", "--answers", answers)
    code, _, err = key("configure", "vm.img", "--file", *words, "--confirm", "vm.img")
    assert code == 0 and in_rescue(told(image)) and ANSWERS in files_on(image)
    assert "Switch it off again" in err and "takes its answers from the key" in err


def test_write_makes_one_in_the_same_run_and_the_plan_says_so(key: Key, image: Path, tmp_path: Path) -> None:
    source = ("--image", str(image), "--unverified")
    code, out, _ = key("write", "new.img", "--file", *source, "--reinstall", "--dry-run", "--json")
    assert code == 0 and not (tmp_path / "new.img").exists()
    (step,) = [step for step in json.loads(out)["steps"] if step["action"] == "options"]
    assert any("nothing is destroyed by booting it" in line for line in step["details"])
    assert any("key configure new.img --no-rescue" in line for line in step["details"])
    code, _, err = key("write", "new.img", "--file", *source, "--reinstall", "--confirm", "unverified")
    assert code == 0, err
    assert in_rescue(told(tmp_path / "new.img")) and "This is a re-install key now." in err


def test_a_key_of_the_days_of_grub_starts_rescue_mode_too(key: Key, tmp_path: Path, image: Path) -> None:
    path = as_file(tmp_path / "old.img", small_image(GRUB, legacy=True), GRUB).path
    code, _, err = key("configure", str(path), "--file", "--reinstall", "--confirm", str(path))
    assert code == 0, err
    menu = files_on(path, GRUB_FIRST)["boot/grub/menu.lst"].decode()
    first = next(line for line in menu.splitlines() if line.strip().startswith("kernel"))
    assert "noimport=true" in first and "smartos=true" not in first


def test_a_dry_run_says_it_and_changes_nothing(key: Key, image: Path) -> None:
    before = image.read_bytes()
    code, out, err = key("configure", "vm.img", "--file", "--reinstall", "--dry-run")
    assert code == 0 and "nothing is destroyed by booting it" in out and "re-install key now" not in err
    assert image.read_bytes() == before


def test_it_is_confirmed_like_any_change(key: Key, image: Path) -> None:
    before = image.read_bytes()
    code, _, err = key("configure", "vm.img", "--file", "--reinstall")
    assert code == 4 and "re-install key now" not in err and image.read_bytes() == before


def test_without_rescue_and_without_answers_it_would_be_no_such_key(key: Key, image: Path) -> None:
    code, out, _ = key("configure", "vm.img", "--file", "--reinstall", "--no-rescue", "--json")
    assert code == 2 and json.loads(out)["reference"] == "no-reinstall-key"


def test_json_keeps_to_stdout(key: Key, image: Path) -> None:
    code, out, _ = key("configure", "vm.img", "--file", "--reinstall", "--json", "--confirm", "vm.img")
    lines: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and lines[-1]["exit_code"] == 0


def test_a_practice_key(key: Key) -> None:
    code, out, err = key("configure", "/practice/sdi", "--reinstall", "--dry-run", top=("--practice",))
    assert code == 0 and 'noimport="true"' in out, err


@pytest.mark.parametrize("words", ["yes", "manual", ""])
def test_the_words_say_who_takes_the_disks(words: str) -> None:
    given = {"zpool_confirm_layout": words} if words else {}
    said = " ".join(reinstall_words(reinstall_choices(BootChoices(answers=given)), "KEY"))
    assert ("without asking" in said) == (words == "yes")
    assert ("by hand" in said) >= (words == "manual")
    with pytest.raises(UsageProblem):
        reinstall_choices(BootChoices(rescue=False))
