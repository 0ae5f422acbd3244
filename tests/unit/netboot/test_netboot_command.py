"""The commands `netboot check` and `netboot serve`, on trees with faults, on web servers, and in the practice world."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.netboot.http_server import FileServer
from tests.unit.netboot.netboot_parts import ARCHIVE, NEW, OLD, Command, command, files, sha256, snapshot
from tests.unit.netboot.netboot_parts import tarball as make
from tests.unit.netboot.test_netboot_scripts import OFFICIAL

PLATFORM = f"os/{NEW}/platform"


@pytest.fixture
def netboot(capsys: pytest.CaptureFixture[str]) -> Command:
    return command(capsys)


@pytest.fixture
def tree(netboot: Command, tmp_path: Path) -> Path:
    path = make(tmp_path / "p.tgz")
    assert netboot("build", tmp_path / "tree", "--tarball", path, "--sha256", sha256(path)).code == 0
    return tmp_path / "tree"


@pytest.fixture
def served(tree: Path) -> Iterator[str]:
    server = FileServer(tree, "127.0.0.1", 0, lambda _: None)
    yield f"http://127.0.0.1:{server.port}"
    server.close()


def test_a_good_tree_is_good_here_and_on_a_server(netboot: Command, tree: Path, served: str):
    before = snapshot(tree)
    for words in (
        (tree,),
        (served,),
        (f"{served}/boot.ipxe", "--full"),
        (f"{served}/", "--quick"),
        (f"{served}/menu.ipxe",),
    ):
        done = netboot("check", *words, "--json")
        assert done.code == 0, done
        result = done.last["result"]
        assert result["findings"] == []
        full = words[-1] == "--full" or words[0] == tree
        assert (result["hashed"], result["not_hashed"]) == ((1, 0) if full else (0, 1))
    assert snapshot(tree) == before


def rot(tree: Path) -> None:
    (tree / PLATFORM / "i86pc/amd64/boot_archive").write_bytes(b"x" + ARCHIVE[1:])


def shorten(tree: Path) -> None:
    (tree / PLATFORM / "i86pc/amd64/boot_archive").write_bytes(ARCHIVE[:-1])


def lose(path: str):
    return lambda tree: (tree / path).unlink()


def put(path: str, data: bytes):
    return lambda tree: (tree / path).write_bytes(data)


def swap(path: str, old: str, new: str):
    def change(tree: Path) -> None:
        text = (tree / path).read_text()
        assert old in text
        (tree / path).write_text(text.replace(old, new))

    return change


FAULTS = {
    "one wrong byte": (rot, 6, "hash-mismatch"),
    "one byte too few": (shorten, 6, "hash-mismatch"),
    "no archive": (lose(f"{PLATFORM}/i86pc/amd64/boot_archive"), 8, "missing-file"),
    "no hash": (lose(f"{PLATFORM}/i86pc/amd64/boot_archive.hash"), 8, "missing-file"),
    "no kernel": (lose(f"{PLATFORM}/i86pc/kernel/amd64/unix"), 8, "missing-file"),
    "no menu": (lose("menu.ipxe"), 8, "missing-file"),
    "empty kernel": (put(f"{PLATFORM}/i86pc/kernel/amd64/unix", b""), 8, "empty-file"),
    "no kernel at all": (put(f"{PLATFORM}/i86pc/kernel/amd64/unix", b"<html>"), 8, "not-a-kernel"),
    "hash is a page": (
        put(f"{PLATFORM}/i86pc/amd64/boot_archive.hash", b"<html>404 not found, sorry</html>"),
        8,
        "no-hash",
    ),
    "a word iPXE does not know": (swap("menu.ipxe", "module ", "modul "), 8, "script-broken"),
    "a label that is not there": (swap("menu.ipxe", ":menu", ":many"), 8, "script-broken"),
    "no script": (swap("menu.ipxe", "#!ipxe", "#!/bin/sh"), 8, "script-broken"),
    "path rule": (swap("menu.ipxe", "platform/i86pc/kernel/amd64/unix", "unix"), 8, "path-rule"),
    "pxelinux": (swap("pxelinux.cfg/default", f"DEFAULT {NEW}", f"DEFAULT {OLD}"), 8, "script-broken"),
    "grub": (swap("grub/grub.cfg", NEW, OLD), 8, "missing-file"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found_and_named(fault: str, netboot: Command, tree: Path):
    change, code, reference = FAULTS[fault]
    change(tree)
    done = netboot("check", tree, "--json")
    assert done.code == code, done
    assert reference in [f["reference"] for f in done.last["result"]["findings"]], done.last


def test_a_hash_that_guards_nothing_is_a_warning(netboot: Command, tree: Path):
    swap("menu.ipxe", "type=hash", "type=file")(tree)
    done = netboot("check", tree, "--json")
    assert done.code == 0
    found = {f["reference"]: f["level"] for f in done.last["result"]["findings"]}
    assert found == {"hash-not-checked": "warning", "no-archive-hash": "warning"}


def test_the_official_shape_is_checked_file_by_file(netboot: Command, tmp_path: Path):
    """Whole addresses, images beside options, a label that is missing there too."""
    root = tmp_path / "official"
    for name, stamp in ((NEW, NEW), (f"exp-{OLD}", OLD)):
        for path, data in files(stamp).items():
            (root / f"os/{name}/platform/{path}").parent.mkdir(parents=True, exist_ok=True)
            (root / f"os/{name}/platform/{path}").write_bytes(data)
    server = FileServer(root, "127.0.0.1", 0, lambda _: None)
    try:
        base = f"http://127.0.0.1:{server.port}"
        text = OFFICIAL.replace("BASE", base).replace("NEW", NEW).replace("OLD", OLD)
        (root / "smartos.ipxe").write_text(text)
        done = netboot("check", f"{base}/smartos.ipxe", "--full", "--json")
        found = done.last["result"]
        assert done.code == 0, done.last
        assert [(f["level"], f["reference"]) for f in found["findings"]] == [
            ("warning", "fails-without-words")
        ] * 2
        assert (found["files"], found["hashed"]) == (6, 2)
        (root / "smartos.ipxe").write_text(text.replace("|| goto fail", "|| goto top"))
        done = netboot("check", base, "--json")
        assert (done.code, done.last["result"]["findings"]) == (0, [])
        (root / "smartos.ipxe").write_text(text.replace("|| goto fail", "|| goto top") + "\ngoto nowhere\n")
        assert netboot("check", base, "--json").code == 8
        (root / "smartos.ipxe").write_text(text)
        (root / f"os/exp-{OLD}/platform/i86pc/amd64/boot_archive").unlink()
        assert netboot("check", base, "--json").code == 8
    finally:
        server.close()


@pytest.mark.parametrize("where", ["/nowhere", "DIR", "http://127.0.0.1:1/", "ftp://x/", ""])
def test_where_no_tree_is_that_is_said(where: str, netboot: Command, tmp_path: Path):
    done = netboot("check", str(tmp_path) if where == "DIR" else where, "--json")
    assert done.code in (2, 5)
    assert done.reference in ("no-tree", "mirror-unreachable", "no-such-mirror")


def test_practice_serves_make_believe_machines_until_it_is_asked_to_stop(tmp_path: Path):
    environment = {**os.environ, "SMARTOS_WIZARD_PRACTICE_SPEED": "20"}
    line = [sys.executable, "-m", "smartos_wizard", "--practice", "netboot"]
    tree = str(tmp_path / "tree")
    subprocess.run(
        [*line, "build", tree, "--release", "latest"], env=environment, check=True, capture_output=True
    )
    serve = [*line, "serve", tree, "--interface", "practice0", "--json"]
    with subprocess.Popen(
        serve, env=environment, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        watchdog = threading.Timer(90, process.kill)
        watchdog.start()
        events = []
        for row in process.stdout:
            events.append(json.loads(row))
            data = events[-1].get("data") or {}
            if data.get("state") == "starting" and data["mac"].endswith("53:11"):
                process.send_signal(signal.SIGTERM)
        watchdog.cancel()
    assert process.returncode == 0
    states = [e["data"]["state"] for e in events if e.get("reference") == "machine"]
    assert {"asks", "menu", "kernel", "archive", "starting", "broke-off", "not-by-uefi"} <= set(states)
    assert events[-1]["result"]["starts"] >= 2


def test_the_plan_of_serving_is_shown_without_doing_anything(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    netboot = command(capsys, practice=True)
    for more, steps in (
        ((), ["tree", "wire", "http", "boot", "serve"]),
        (("--http-only",), ["tree", "http", "serve"]),
    ):
        plan = json.loads(
            netboot("serve", tmp_path, "--interface", "practice0", *more, "--dry-run", "--json").out
        )
        assert [s["id"] for s in plan["steps"]] == steps


@pytest.mark.parametrize(
    ("words", "reference"),
    [
        (("--interface", "none0"), "no-such-interface"),
        ((), "no-such-interface"),
        (("--interface", "practice0", "--dhcp", "192.0.2.1-x"), "bad-range"),
        (("--interface", "practice0", "--dhcp", "192.0.2.5-192.0.2.9", "--http-only"), "dhcp-or-not"),
        (("--interface", "practice0"), "no-tree"),
    ],
)
def test_serving_nonsense_is_named(words, reference, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    done = command(capsys, practice=True)("serve", tmp_path, *words, "--json")
    assert (done.code, done.reference) == (2, reference), done


def test_where_another_gives_addresses_none_are_given(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    netboot = command(capsys, practice=True)
    assert netboot("build", tmp_path / "t", "--release", "latest").code == 0
    done = netboot(
        "serve", tmp_path / "t", "--interface", "practice0", "--dhcp", "192.0.2.50-192.0.2.60", "--json"
    )
    assert (done.code, done.reference) == (4, "other-dhcp-server")
    assert "192.0.2.254" in done.last["message"]


def test_configuration_is_written_once_and_never_over_another(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    netboot = command(capsys, practice=True)
    words = ("serve", tmp_path, "--interface", "practice0", "--config-only", tmp_path / "conf", "--json")
    done = netboot(*words)
    assert done.code == 0, done
    assert sorted(p.name for p in (tmp_path / "conf").iterdir()) == sorted(
        Path(p).name for p in done.last["result"]["files"]
    )
    before = snapshot(tmp_path)
    assert netboot(*words).reference == "file-in-the-way"
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("name", ["build", "serve", "check"])
def test_help_has_an_example_and_the_exit_codes(name: str, netboot: Command):
    done = netboot(name, "--help")
    assert done.code == 0
    assert f"smartos-wizard netboot {name} " in done.out and "Exit codes" in done.out
