"""What cannot be is named before anything is made: each by the real command, as a script meets it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from smartos_wizard.cli.main import main
from smartos_wizard.practice.image import build_iso
from tests.unit.guests.parts import GIB, image
from tests.unit.guests.virtualbox.conftest import Fake, fake

__all__ = ["fake"]  # a fixture


@dataclass(frozen=True)
class Said:
    code: int
    out: str

    @property
    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return found

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = self.last["error"]
        return found

    @property
    def findings(self) -> list[str]:
        return [self.error["reference"], *self.error.get("findings", ())]


Create = Callable[..., Said]


@pytest.fixture(scope="module")
def iso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_iso(tmp_path_factory.mktemp("iso") / "smartos.iso", "20260903T001557Z")


@pytest.fixture
def home() -> Path:
    return Path(os.environ["SMARTOS_WIZARD_HOME"])


@pytest.fixture
def create(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, iso: Path) -> Create:
    """`guest create … --json` of a guest in VirtualBox from an ISO, with these words put in or over it."""
    digest = hashlib.sha256(iso.read_bytes()).hexdigest()

    def run(name: str = "lab", *words: str, medium: bool = True, hypervisor: str = "virtualbox") -> Said:
        argv = ["smartos-wizard", "guest", "create", "--hypervisor", hypervisor, "--json", *words]
        argv += ["--iso", str(iso), "--sha256", digest] if medium else []
        argv += ["--memory", "2GiB"] if "--memory" not in words else []
        argv += ["--cpus", "1"] if "--cpus" not in words else []
        argv += ["--", name]
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as left:
            main()
        assert isinstance(left.value.code, int)
        return Said(left.value.code, capsys.readouterr().out)

    return run


def files(home: Path) -> dict[str, int]:
    """All that lies in the program's home, with the time of its last change; what is only remembered to be quick is not."""
    return {
        str(path.relative_to(home)): path.lstat().st_mtime_ns
        for path in home.rglob("*")
        if path.relative_to(home).parts[0] != "cache" and path.is_file()
    }


@pytest.fixture
def free_hand() -> None:
    """This test makes a guest and looks for itself."""


@pytest.fixture
def nothing_made(home: Path, fake: Fake, request: pytest.FixtureRequest) -> Iterator[None]:
    """After the test there is nothing that was not there before, neither here nor in VirtualBox."""
    if "free_hand" in request.fixturenames:
        yield
        return
    before, known = files(home), fake.state
    yield
    assert files(home) == before
    for what in ("machines", "media"):
        assert fake.state[what] == known[what]
    verbs = {call[0] for call in fake.calls}
    assert verbs <= {"--version", "list", "showvminfo", "getextradata"}, "only questions were asked"


pytestmark = pytest.mark.usefixtures("nothing_made")


def refused(said: Said, reference: str, *words: str, code: int = 4) -> None:
    assert said.code == code, said.out
    assert reference in said.findings, said.out
    for word in words:
        assert word in said.error["message"] + said.error["hint"]
    assert said.error["hint"], "a refusal says what to do"


@pytest.mark.parametrize(
    "name",
    ["a/b", "../lab", "a\nb", "a\0b", "a\x1b[31mb", "lab\t", "", " ", ".", "-rf", "x" * 64, "lab.", "a:b", "$(rm)", "\u202ebal"],
)  # fmt: skip
def test_names_that_would_hurt(create: Create, name: str) -> None:
    said = create(name)
    refused(said, "bad-name", "Letters, digits, blanks")
    assert "\x1b" not in said.error["message"]
    assert "\0" not in said.error["message"]


@pytest.mark.parametrize(
    ("words", "reference"),
    [
        (["--memory", "64TiB"], "too-much-memory"),
        (["--memory", "512MiB"], "too-little-memory"),
        (["--cpus", "9999"], "bad-cpus"),
        (["--disk", "10GB"], "disk-too-small"),
        (["--disk", "17x40GB"], "bad-disks"),
        (["--sandbox", "lan"], "no-bridge"),
        (["--sandbox", "lan", "--bridge", "nosuch0"], "no-such-network"),
    ],
)
def test_sizes_and_networks(create: Create, words: list[str], reference: str) -> None:
    refused(create("lab", *words), reference)


@pytest.mark.parametrize(
    ("words", "reference"),
    [
        (["--memory", "much"], "bad-memory"),
        (["--disk", "big"], "bad-disk"),
        (["--ssh-port", "99999"], "usage"),
    ],
)
def test_what_makes_no_sense_is_a_matter_of_usage(create: Create, words: list[str], reference: str) -> None:
    said = create("lab", *words)
    assert said.code == 2
    assert said.error["reference"] == reference


def test_a_port_that_is_taken(create: Create) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused(create("lab", "--ssh-port", port), "port-taken", port)


def test_no_room_where_guests_lie(create: Create, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "disk_usage", lambda _path: SimpleNamespace(free=2 * GIB))
    refused(create(), "disk-full", "2.00 GiB", "Make room")


def test_disks_that_may_outgrow_their_place_are_told_and_made(
    create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "disk_usage", lambda _path: SimpleNamespace(free=30 * GIB))
    assert create("lab", "--disk", "40GB", "--dry-run").code == 0


def test_a_folder_that_somebody_else_left(create: Create, home: Path) -> None:
    there = home / "state/guests/lab"
    there.mkdir(parents=True)
    refused(create(), "folder-left", str(there), "move it away")
    assert list(there.iterdir()) == []


def test_a_name_that_virtualbox_has(create: Create, fake: Fake) -> None:
    theirs = {"name": "lab", "file": "/home/x/lab.vbox", "state": "poweroff", "extra": {}}
    fake.set(machines={"8c72bfa1-4155-435b-a969-16f000bd6c34": theirs})
    before = fake.state["machines"]
    refused(create(), "name-taken", "VirtualBox has a guest called lab", "stays as it is")
    assert fake.state["machines"] == before
    fake.set(machines={})


@pytest.mark.usefixtures("free_hand")
def test_a_name_that_one_of_our_own_guests_has(create: Create, home: Path, fake: Fake) -> None:
    assert create("lab").code == 0
    before, known = files(home), fake.state["machines"]
    refused(create("LAB"), "name-taken", "guest called lab already", "guest delete")
    assert files(home) == before
    assert fake.state["machines"] == known


@pytest.mark.parametrize("given", ["--iso", "--image"])
def test_an_image_that_is_not_there(create: Create, tmp_path: Path, given: str) -> None:
    said = create("lab", given, str(tmp_path / "nowhere.img"), "--sha256", "0" * 64, medium=False)
    refused(said, "no-such-image", "nowhere.img", "Check the path", code=2)


def test_a_file_that_is_no_image(create: Create, tmp_path: Path) -> None:
    (tmp_path / "letter.img").write_text("Dear Ada, " * 1000)
    for given in ("--iso", "--image"):
        said = create("lab", given, str(tmp_path / "letter.img"), "--sha256", "0" * 64, medium=False)
        assert said.code == 4, said.out


def test_nobody_vouches_for_it(create: Create) -> None:
    said = create("lab", "--image", str(image().path), medium=False)
    refused(said, "no-digest", "--sha256", "--unverified", code=6)


def test_a_virtualbox_that_is_too_old(create: Create, fake: Fake) -> None:
    fake.set(version="6.0.24r139119")
    refused(create(), "virtualbox-too-old", "6.0.24", "6.1")


def test_a_virtualbox_that_is_newer_than_all_is_taken_with_a_warning(create: Create, fake: Fake) -> None:
    fake.set(version="8.1.0r199999")
    said = create("lab", "--dry-run")
    assert said.code == 0, said.out


def test_a_virtualbox_that_is_broken(create: Create, fake: Fake) -> None:
    fake.fault(broken=True)
    refused(create(), "virtualbox-broken", "Install VirtualBox again")
    fake.fault()


@pytest.fixture
def old_qemu(tmp_path: Path, fake: Fake) -> None:
    """A QEMU of before the sandbox, which would boot a sector."""
    program = tmp_path / "bin" / "qemu-system-x86_64"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && { echo "QEMU emulator version 2.8.1(Debian)"; exit 0; }\n'
        'for each; do case $each in file:*) echo "SmartOS Wizard probe" > "${each#file:}" ;; esac; done\nexec sleep 9\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IEXEC)


@pytest.mark.usefixtures("old_qemu")
def test_a_qemu_that_is_too_old(create: Create) -> None:
    refused(create(hypervisor="qemu"), "qemu-too-old", "2.8.1", "2.11")


def test_a_hypervisor_that_is_not_here_and_one_that_is_none(
    create: Create, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = create(hypervisor="xen")
    assert (said.code, said.error["reference"]) == (2, "no-such-hypervisor")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    refused(create(hypervisor="qemu"), "no-hypervisor", "apt install qemu-system-x86")


def test_paths_that_would_be_too_long(
    create: Create, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """A home so deep that the guest's folder could be made, and what VirtualBox puts into it could not."""
    deep = str(tmp_path)
    while (missing := os.pathconf(tmp_path, "PC_PATH_MAX") - 90 - len(deep)) > 0:
        deep += "/" + "d" * min(200, missing)
    monkeypatch.setenv("SMARTOS_WIZARD_HOME", deep)
    refused(create(), "path-too-long", "shorter name", "SMARTOS_WIZARD_HOME")
    assert not Path(deep).exists()


def test_all_that_is_wrong_is_said_at_once(create: Create) -> None:
    said = create("a/b", "--memory", "64TiB", "--disk", "10GB")
    assert said.code == 4
    assert {"bad-name", "too-much-memory", "disk-too-small"} <= set(said.findings)
