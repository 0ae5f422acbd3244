"""`key configure`, `key upgrade`, `key rollback` and `key write` with choices, as a script meets them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.cli.main import main
from tests.unit.writing.small_keys import GRUB, NEW, OLD, as_file, small_image, tarball

SHADOW = "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA"
PASSWORD = "correct horse battery"


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return found

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Key = Callable[..., Said]


@pytest.fixture
def key(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Key:
    """The command in this process: the same code, half a second sooner."""

    def run(*words: str, top: tuple[str, ...] = ()) -> Said:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["smartos-wizard", *top, "key", *words])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Said(left.value.code, said.out, said.err)

    return run


def apart(*words: str, stdin: str = "") -> Said:
    """The command in a process of its own, without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "smartos_wizard", *words],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return as_file(tmp_path / "vm.img", small_image()).path


@pytest.fixture
def answers(tmp_path: Path) -> str:
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({"hostname": "sm1", "root_password": PASSWORD}))
    path.chmod(0o600)
    return str(path)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_configure_and_show_and_reset(key: Key, image: Path, answers: str) -> None:
    before = digest(image)
    words = ("configure", str(image), "--file", "--console", "ttya", "--answers", answers, "--json")
    said = key(*words, "--confirm", str(image))
    assert said.code == 0, said
    for line in said.out.splitlines():
        assert "event" in json.loads(line)
    row = said.last["result"]["keys"][0]
    assert (row["state"], row["error"]) == ("configured", None)
    assert sorted(row["files"]) == ["boot/loader.conf.local", "private/answers.json"]
    shown = key("show", str(image), "--file", "--json").document
    assert (shown["console"], shown["previous"], shown["unfinished"]) == ("ttya", "", False)
    assert sorted(shown["answers"]) == ["hostname", "root_password"]
    assert shown["asks"], "setup asks for the rest"
    assert PASSWORD not in json.dumps(shown)
    plain = key("show", str(image), "--file").out
    assert "answers   2: " in plain
    again = key(*words)
    assert (again.code, again.last["result"]["keys"][0]["state"]) == (0, "unchanged"), "and no --confirm"
    assert key("configure", str(image), "--file", "--reset", "--confirm", "vm.img").code == 0
    shown = key("show", str(image), "--file", "--json").document
    assert (shown["console"], shown["answers"], shown["extra_files"]) == ("text", None, [])
    assert digest(image) != before, "the bytes differ, the files do not"


def test_a_file_may_be_named_as_it_was_named_before(key: Key, image: Path) -> None:
    words = ("configure", "vm.img", "--file", "--console", "ttyb")
    for wrong in ((), ("--confirm", "other.img"), ("--confirm", "vm.img", "--confirm", "more")):
        said = key(*words, *wrong, "--json")
        assert said.code == 4
        assert said.last["reference"] in ("not-confirmed", "wrong-confirmation")
        assert said.last["exit_code"] == 4
    assert key(*words, "--confirm", "./vm.img").code == 0
    assert key("configure", "./vm.img", "--file", "--console", "ttyc", "--confirm", "vm.img").code == 0


def test_a_dry_run_changes_nothing_keeps_nothing_and_covers_secrets(
    key: Key, image: Path, answers: str
) -> None:
    before = digest(image)
    words = ("configure", "vm.img", "--file", "--root-shadow", SHADOW, "--answers", answers, "--dry-run")
    plain, document = key(*words), key(*words, "--json")
    assert (plain.code, document.code) == (0, 0)
    assert document.document["plan"] == "key-configure"
    for said in (plain.out + plain.err, document.out + document.err):
        assert PASSWORD not in said
        assert SHADOW not in said
        assert "sm1" in said
    assert "--confirm" in plain.out
    assert digest(image) == before
    assert not list(Path(os.environ["SMARTOS_WIZARD_HOME"]).rglob("vault/*"))


def test_no_byte_below_the_home_holds_a_secret(image: Path, answers: str, tmp_path: Path) -> None:
    home = Path(os.environ["SMARTOS_WIZARD_HOME"])
    secrets = [PASSWORD.encode(), SHADOW.encode(), SHADOW.rsplit("$", 1)[1].encode(), b"S3CRET"]
    (tmp_path / "key.pem").write_bytes(b"S3CRET")
    choices = ("--root-shadow", SHADOW, "--answers", answers, "--add-file", "private/key.pem=key.pem")
    top = ("--log-file", str(home / "log"))
    release = as_file(tmp_path / f"smartos-{OLD}-USB.img", small_image())
    vouched = ("--image", str(release.path), "--sha256", release.digest)
    outputs = [
        apart(*top, "key", "configure", "vm.img", "--file", *choices, "--confirm", "no"),
        apart(*top, "key", "configure", "vm.img", "--file", *choices, "--confirm", "vm.img", "--json"),
        apart(*top, "key", "configure", "vm.img", "--file", "--reset", "--confirm", "vm.img", "--json"),
        apart(*top, "key", "write", "new.img", "--file", *vouched, *choices, "--dry-run", "--json"),
        apart(*top, "key", "write", "new.img", "--file", *vouched, *choices, "--json"),
        apart(*top, "key", "show", "new.img", "--file", "--json"),
    ]
    assert [said.code for said in outputs] == [4, 0, 0, 0, 0, 0], outputs
    assert PASSWORD.encode() in (tmp_path / "new.img").read_bytes()
    seen = [path for path in home.rglob("*") if path.is_file()]
    assert (home / "log") in seen
    assert any("jobs" in path.parts for path in seen)
    assert any("receipts" in path.parts for path in seen)
    for secret in secrets:
        assert [path for path in seen if secret in path.read_bytes()] == []
        assert [said for said in outputs if secret.decode() in said.out + said.err] == []
    assert not [path for path in seen if "vault" in path.parts]


def test_write_with_choices_says_which_files(key: Key, image: Path, tmp_path: Path) -> None:
    vouched = ("--image", str(image), "--sha256", digest(image))
    said = key("write", "new.img", "--file", *vouched, "--console", "ttya", "--json")
    assert said.code == 0, said
    row = said.last["result"]["keys"][0]
    assert (row["state"], row["files"]) == ("proven", ["boot/loader.conf.local"])
    assert json.loads(Path(row["receipt"]).read_text())["options"] == row["files"]
    assert key("write", "other.img", "--file", *vouched, "--hostname", "no host name").code == 2
    assert not (tmp_path / "other.img").exists()


def test_upgrade_rollback_and_what_show_says_of_them(key: Key, image: Path, tmp_path: Path) -> None:
    platform = tarball(tmp_path / f"platform-{NEW}.tgz")
    vouched = ("--image", str(platform.path), "--sha256", platform.digest)
    before = digest(image)
    dry = key("upgrade", "vm.img", "--file", *vouched, "--dry-run", "--json")
    assert (dry.code, dry.document["plan"]) == (0, "key-upgrade")
    assert key("upgrade", "vm.img", "--file", *vouched).code == 4
    assert key("upgrade", "vm.img", "--file", *vouched, "--confirm", "wrong").code == 4
    assert digest(image) == before
    said = key("upgrade", "vm.img", "--file", *vouched, "--confirm", "vm.img", "--json")
    assert said.code == 0, said
    row = said.last["result"]["keys"][0]
    assert (row["state"], row["platform"], row["kept"]) == ("upgraded", NEW, OLD)
    shown = key("show", "vm.img", "--file", "--json").document
    assert (shown["stamp"], shown["previous"]) == (NEW, OLD)
    assert f"kept      {OLD}" in key("show", "vm.img", "--file").out
    again = key("upgrade", "vm.img", "--file", *vouched, "--json")
    assert (again.code, again.last["result"]["keys"][0]["state"]) == (0, "proven")
    assert key("rollback", "vm.img", "--file").code == 4
    assert key("rollback", "vm.img", "--file", "--to", "20200101T000000Z", "--confirm", "vm.img").code == 4
    back = key("rollback", "vm.img", "--file", "--confirm", "vm.img", "--json")
    assert (back.code, back.last["result"]["keys"][0]["state"]) == (0, "rolled-back")
    assert key("show", "vm.img", "--file", "--json").document["previous"] == NEW


def test_what_nobody_vouches_for_and_what_is_no_platform_is_refused(
    key: Key, image: Path, tmp_path: Path
) -> None:
    platform = tarball(tmp_path / f"platform-{NEW}.tgz")
    words = ("upgrade", "vm.img", "--file", "--confirm", "vm.img", "--json")
    before = digest(image)
    for more, code, reference in (
        (("--image", str(platform.path)), 6, "no-digest"),
        (("--image", str(platform.path), "--unverified"), 6, "unverified-not-confirmed"),
        (("--image", str(platform.path), "--sha256", "0" * 64), 6, "image-changed"),
        (("--image", str(image), "--sha256", before), 2, "not-a-platform"),
        (("--image", str(tmp_path / "none")), 2, "no-such-image"),
        ((), 2, "which-image"),
    ):
        said = key(*words, *more)
        assert (said.code, said.last.get("reference") or said.last["error"]["reference"]) == (code, reference)
    assert digest(image) == before
    unverified = ("--image", str(platform.path), "--unverified", "--confirm", "unverified")
    assert key(*words, *unverified).code == 0


def test_keys_of_other_kinds_are_refused_by_name(key: Key, tmp_path: Path, image: Path) -> None:
    grub = as_file(tmp_path / "old.img", small_image(GRUB, legacy=True)).path
    (tmp_path / "empty.img").write_bytes(bytes(1 << 20))
    platform = tarball(tmp_path / f"platform-{NEW}.tgz")
    vouched = ("--image", str(platform.path), "--sha256", platform.digest)
    for words, code, reference in (
        (("upgrade", str(grub), *vouched), 4, "legacy-key"),
        (("rollback", str(grub)), 4, "legacy-key"),
        (("rollback", str(image)), 4, "nothing-kept"),
        (("configure", "empty.img", "--console", "ttya"), 4, "no-smartos"),
        (("configure", str(platform.path), "--console", "ttya"), 4, "compressed-image"),
        (("configure", "missing.img", "--console", "ttya"), 4, "no-such-file"),
        (("configure", str(grub), "--boot-delay", "-1"), 2, "no-endless-wait"),
        (("configure", str(image)), 2, "nothing-asked"),
    ):
        said = key(*words, "--file", "--json", "--confirm", words[1])
        assert (said.code, said.last["reference"]) == (code, reference), said
        assert said.last["exit_code"] == code
    assert key("configure", str(grub), "--file", "--console", "ttyb", "--confirm", str(grub)).code == 0
    assert key("show", str(grub), "--file", "--json").document["console"] == "ttyb"


def test_an_unfinished_change_is_shown_with_what_to_do(key: Key, image: Path) -> None:
    with image.open("r+b") as file:
        file.seek((1 << 20) + 20 * 512)
        file.write(b"SMARTOS-WIZARD-1")
    shown = key("show", "vm.img", "--file", "--json").document
    assert shown["unfinished"] is True
    assert any("cut short" in line for line in shown["problems"])
    assert "cut short" in key("show", "vm.img", "--file").out


@pytest.mark.parametrize("name", ["configure", "upgrade", "rollback", "write"])
def test_help_has_examples_and_exit_codes(key: Key, name: str) -> None:
    said = key(name, "--help")
    assert said.code == 0
    assert f"smartos-wizard key {name} /dev/sdX" in said.out
    assert "Exit codes: 0" in said.out
    assert "--confirm" in said.out


def test_a_password_is_never_asked_for_without_a_terminal(image: Path) -> None:
    words = ("key", "configure", str(image), "--file", "--json")
    said = apart(*words, "--root-password-prompt")
    assert (said.code, said.last["reference"]) == (2, "no-terminal")
    said = apart(*words, "--root-password-file", "-", "--confirm", str(image), stdin="hunter2 and more\n")
    assert said.code == 0, said
    assert "hunter2" not in said.out + said.err
    assert b"$5$" in image.read_bytes()


def test_a_practice_key_of_true_size_is_told_and_its_upgrade_is_planned(key: Key) -> None:
    top = ("--practice",)
    missing = key("configure", "/practice/none", "--console", "ttya", "--json", top=top)
    assert (missing.code, missing.last["reference"]) == (4, "no-such-disk")
    told = key("configure", "/practice/sda", "--console", "ttya", "--json", top=top)
    assert (told.code, told.last["reference"]) == (4, "withheld")
    serial = key("show", "/practice/sdi", "--json", top=top).document["serial"]
    assert key("configure", "/practice/sdi", "--console", "ttya", top=top).code == 4
    assert (
        key("configure", "/practice/sdi", "--console", "ttya", "--confirm", "/practice/sdi", top=top).code
        == 4
    )
    assert key("configure", "/practice/sdi", "--console", "ttya", "--confirm", serial, top=top).code == 0
    was = key("show", "/practice/sdi", "--json", top=top).document["stamp"]
    dry = key("upgrade", "/practice/sdi", "--release", "latest", "--dry-run", "--json", top=top)
    assert [plan["plan"] for plan in dry.document["before"]] == ["release-download"]
    shown = key("show", "/practice/sdi", "--json", top=top).document
    assert (shown["stamp"], shown["console"], shown["problems"]) == (was, "ttya", [])
    assert key("rollback", "/practice/sdi", "--confirm", serial, top=top).code == 4
