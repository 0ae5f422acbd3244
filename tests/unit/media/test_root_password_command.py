"""`--root-password` of `key show` and `release show`: where it is read, what is said, and where it never goes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from smartos_wizard.cli.main import cli
from smartos_wizard.core.errors import WizardError
from smartos_wizard.practice.catalogue import practice_disks
from smartos_wizard.practice.image import build_iso, build_platform_tarball, build_usb_image, compress_gzip
from smartos_wizard.practice.release_files import release_password
from smartos_wizard.practice.stamps import PREVIOUS

STAMP = "20260903T001557Z"
WORD = release_password(STAMP)
OTHER = "Published1234567"
TXT = "SINGLE_USER_ROOT_PASSWORD.txt"
TGZ = f"platform-release-20260903-{STAMP}.tgz"
ISO = f"smartos-{STAMP}.iso"


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words), standalone_mode=False)


def error_of(result: Result) -> WizardError:
    assert isinstance(result.exception, WizardError), result.output
    return result.exception


def document(result: Result) -> dict[str, Any]:
    assert result.exception is None, result.exception
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("media")
    raw = build_usb_image(place / "key.img", STAMP, boot_archive_size=200_000)
    changed = {"boot/loader.conf.local": b"root_shadow='$5$abc$def'\n"}
    return {
        "raw": raw,
        "changed": build_usb_image(place / "own.img", STAMP, boot_archive_size=1000, extra=changed),
        "grub": build_usb_image(place / "old.img", "20190328T002516Z", boot_archive_size=1000, legacy=True),
        "gzip": compress_gzip(raw, place / "key.img.gz"),
        "iso": build_iso(place / ISO, STAMP),
        "platform": build_platform_tarball(place / TGZ, STAMP),
    }


@pytest.fixture
def mirror(tmp_path: Path, made: dict[str, Path]) -> Path:
    """A directory as a mirror, whose published password differs from the one in its files, to tell them apart."""
    folder = tmp_path / "mirror" / STAMP
    folder.mkdir(parents=True)
    (folder / TXT).write_text(f"{OTHER}\n")
    (folder / TGZ).write_bytes(made["platform"].read_bytes())
    (folder / ISO).write_bytes(made["iso"].read_bytes())
    sums(folder)
    return tmp_path / "mirror"


def sums(folder: Path) -> None:
    files = sorted(p for p in folder.iterdir() if p.name != "sha256sums.txt")
    lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()} {p.name}\n" for p in files]
    (folder / "sha256sums.txt").write_text("".join(lines))


# key show


@pytest.mark.parametrize("kind", ["raw", "gzip", "iso", "platform"])
def test_key_show_reads_it_from_every_kind_of_file(made: dict[str, Path], kind: str) -> None:
    path = str(made[kind])
    found = document(run("key", "show", path, "--file", "--root-password", "--json"))
    assert (found["root_password"], found["stamp"], found["path"]) == (WORD, STAMP, path)
    assert found["root_password_from"]["path"] == path
    assert [r["reference"] for r in found["root_password_rules"]][:3] == ["set-up", "not-set-up", "rescue"]
    said = run("key", "show", path, "--file", "--root-password").stdout
    assert f"built into release {STAMP}: {WORD}\n" in said
    assert "no SmartOS is on it" not in said
    assert "  A machine that is set up, started as usual:\n" in said


def test_key_show_tells_it_only_when_asked(made: dict[str, Path]) -> None:
    for words in ((), ("--json",)):
        assert WORD not in run("key", "show", str(made["raw"]), "--file", *words).output
    plain = document(run("key", "show", str(made["raw"]), "--file", "--json"))
    asked = document(run("key", "show", str(made["raw"]), "--file", "--json", "--root-password"))
    assert {k: v for k, v in asked.items() if not k.startswith("root_password")} == plain


def test_the_rules_are_of_the_key_that_was_shown(made: dict[str, Path]) -> None:
    def rules(kind: str) -> dict[str, str]:
        found = document(run("key", "show", str(made[kind]), "--file", "--root-password", "--json"))
        return {rule["reference"]: rule["password"] for rule in found["root_password_rules"]}

    assert rules("raw")["rescue"] == "root"
    assert rules("changed")["rescue"].startswith("the one you set for this key")
    assert "rescue" not in rules("grub")
    assert rules("grub")["recovery"].startswith("root")


def test_several_keys_are_a_list(made: dict[str, Path]) -> None:
    words = ("key", "show", str(made["raw"]), str(made["iso"]), "--file", "--root-password", "--json")
    result = run(*words)
    assert [d["root_password"] for d in json.loads(result.stdout)] == [WORD, WORD]


@pytest.mark.parametrize(
    ("content", "code", "reference"),
    [
        (b"", 2, "not-a-medium"),
        (b"\x1f\x8b\x08\0junk", 2, "damaged-medium"),
        (bytes(1 << 20), 2, "not-a-medium"),
    ],
)
def test_other_files_end_with_words(tmp_path: Path, content: bytes, code: int, reference: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    error = error_of(run("key", "show", str(path), "--file", "--root-password"))
    assert (error.exit_code, error.reference) == (code, reference)


def test_a_practice_key_tells_it_too() -> None:
    name = next(key.name for key in practice_disks(PREVIOUS) if key.holds)
    found = document(run("--practice", "key", "show", f"/practice/{name}", "--root-password", "--json"))
    assert (found["stamp"], found["root_password"]) == (PREVIOUS, release_password(PREVIOUS))


def test_the_log_holds_no_password(made: dict[str, Path], mirror: Path, tmp_path: Path) -> None:
    logs = []
    for number, words in enumerate((
        ("key", "show", str(made["gzip"]), "--file", "--root-password"),
        ("release", "show", STAMP, "--mirror", str(mirror), "--root-password"),
    )):  # fmt: skip
        logs.append(tmp_path / f"log{number}")
        tool = [sys.executable, "-m", "smartos_wizard", "--log-file", str(logs[-1]), *words]
        out = subprocess.run(tool, capture_output=True, text=True, check=True).stdout
        assert WORD in out or OTHER in out
    kept = [p for p in (*logs, *Path(home()).rglob("*")) if p.is_file()]
    assert set(logs) <= set(kept)
    assert not [p for p in kept if WORD.encode() in p.read_bytes() or OTHER.encode() in p.read_bytes()]


# release show


def show(mirror: Path, *words: str) -> Result:
    return run("release", "show", STAMP, "--mirror", str(mirror), "--root-password", *words)


def download(mirror: Path, kind: str) -> Path:
    done = run("release", "download", STAMP, "--artifact", kind, "--mirror", str(mirror))
    assert done.exception is None, done.exception
    found = [p for p in Path(home()).rglob("*") if p.name == {"iso": ISO, "platform": TGZ}[kind]]
    assert len(found) == 1
    return found[0]


def home() -> str:
    return os.environ["SMARTOS_WIZARD_HOME"]


def test_without_a_stored_file_the_published_one_is_shown_and_nothing_else_fetched(mirror: Path) -> None:
    found = document(show(mirror, "--json"))
    assert found["root_password"] == OTHER
    assert found["root_password_from"]["path"].endswith(f"{STAMP}/{TXT}")
    assert found["root_password_from"]["verified"] == "sha256"
    assert not [p for p in Path(home()).rglob("*") if p.name in (ISO, TGZ)]
    said = show(mirror).stdout
    assert f": {OTHER}\n" in said
    assert "verified by sha256" in said


@pytest.mark.parametrize("kind", ["iso", "platform"])
def test_a_verified_file_of_the_store_comes_first_and_is_named(mirror: Path, kind: str) -> None:
    path = download(mirror, kind)
    found = document(show(mirror, "--json"))
    assert found["root_password"] == WORD
    assert found["root_password_from"]["path"] == str(path)
    assert found["root_password_from"]["verified"] == "sha256"
    assert str(path) in show(mirror).stdout


def test_key_show_says_whether_the_file_was_verified(mirror: Path, made: dict[str, Path]) -> None:
    path = download(mirror, "iso")
    for file, verified in ((path, "sha256"), (made["iso"], None)):
        words = ("key", "show", str(file), "--file", "--root-password")
        assert document(run(*words, "--json"))["root_password_from"]["verified"] == verified
        assert ("not verified" in run(*words).stdout) is (verified is None)
    path.write_bytes(path.read_bytes())
    again = run("key", "show", str(path), "--file", "--root-password", "--json")
    assert document(again)["root_password_from"]["verified"] is None


def test_a_stored_file_that_was_touched_since_is_not_believed(mirror: Path) -> None:
    path = download(mirror, "platform")
    path.write_bytes(path.read_bytes() + b"\0")
    assert document(show(mirror, "--json"))["root_password"] == OTHER


def test_a_stored_file_without_one_is_told_and_passed_over(mirror: Path, tmp_path: Path) -> None:
    with tarfile.open(mirror / STAMP / TGZ, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo(f"platform-{STAMP}/nothing"))
    sums(mirror / STAMP)
    download(mirror, "platform")
    result = show(mirror, "--json")
    assert document(result)["root_password"] == OTHER
    assert "There is no root.password" in result.stderr


def test_with_neither_the_file_to_fetch_is_named_with_its_size(mirror: Path) -> None:
    (mirror / STAMP / TXT).unlink()
    sums(mirror / STAMP)
    error = error_of(show(mirror))
    assert (error.exit_code, error.reference) == (4, "no-release-file")
    size = (mirror / STAMP / TGZ).stat().st_size
    assert TGZ in error.hint
    assert f"{size / 1024:.0f} KiB" in error.hint
    assert f"release download {STAMP} --artifact platform" in error.hint
    assert not [p for p in Path(home()).rglob("*") if p.name in (ISO, TGZ)]
    download(mirror, "platform")
    assert document(show(mirror, "--json"))["root_password"] == WORD


def test_a_published_password_that_was_changed_is_not_shown(mirror: Path) -> None:
    (mirror / STAMP / TXT).write_text("Wrong12345678901\n")
    result = show(mirror)
    assert error_of(result).exit_code == 6
    assert "Wrong123" not in result.output + str(error_of(result).report())


def test_a_published_password_that_cannot_be_shown_is_refused(mirror: Path) -> None:
    (mirror / STAMP / TXT).write_bytes(b"\x1b]0;secret\x07\n")
    sums(mirror / STAMP)
    error = error_of(show(mirror))
    assert error.reference == "odd-root-password"
    assert "secret" not in str(error.report())


def test_without_the_mirror_the_store_still_tells_it(mirror: Path) -> None:
    path = download(mirror, "platform")
    dead = ("release", "show", STAMP, "--mirror", "http://localhost:9/", "--root-password")
    result = run(*dead, "--json")
    found = document(result)
    assert (found["root_password"], found["root_password_from"]["path"]) == (WORD, str(path))
    assert "Only the root password is shown" in result.stderr
    path.unlink()
    assert error_of(run(*dead)).exit_code == 5
