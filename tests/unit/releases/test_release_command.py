"""The words of the command: JSON, exit codes, what is on stdout and what is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

NEW = "20260903T001557Z"
MD5 = "20250724T001011Z"
BZ2 = "20190328T002516Z"
PYTHON = [sys.executable, "-m", "smartos_wizard", "release"]


@pytest.fixture
def environment(world, served):
    return {
        **os.environ,
        "SMARTOS_WIZARD_HOME": str(world.paths.cache.parent),
        "SMARTOS_WIZARD_MIRROR": served.url,
    }


@pytest.fixture
def command(environment):
    def call(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PYTHON, *args], env={**environment, **(env or {})}, capture_output=True, text=True, timeout=60,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    return call


def test_list_is_one_json_array_newest_first(command):
    done = command("list", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [e["stamp"] for e in found] == [NEW, MD5, BZ2]
    assert [e["latest"] for e in found] == [True, False, False]
    assert [(e["sha256"], e["md5"]) for e in found] == [(True, True), (False, True), (False, True)]
    assert all(e["size"] and e["age_days"] >= 0 and e["published"] for e in found)
    assert [e["stamp"] for e in json.loads(command("list", "--json", "--limit", "1").stdout)] == [NEW]


def test_list_for_a_person_shows_age_size_and_checksums(command):
    done = command("list")
    lines = done.stdout.splitlines()
    assert NEW in lines[1]
    assert "sha256+md5" in lines[1]
    assert "latest" in lines[1]
    assert "3.01 MiB" in lines[1]


def test_list_works_without_the_mirror_and_says_so(command, served):
    command("list", "--json")
    served.site.fault = lambda h, path, body: not h.answer(503, b"")
    done = command("list", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["offline_since"]
    assert "could not be reached" in done.stderr


def test_list_of_a_dead_mirror_ends_with_five_and_a_hint(command):
    done = command("list", "--mirror", "http://localhost:9/", "--json")
    assert done.returncode == 5
    found = json.loads(done.stdout)
    assert found["reference"] == "mirror-unreachable"
    assert found["exit_code"] == 5
    assert "proxy" in found["hint"]


def test_show_tells_everything_and_the_password_only_on_request(command):
    plain = json.loads(command("show", "latest", "--json").stdout)
    assert plain["stamp"] == NEW
    assert {a["kind"] for a in plain["artifacts"]} >= {"usb", "iso", "platform", "vmware"}
    assert "root_password" not in plain
    full = json.loads(command("show", NEW, "--json", "--changelog", "--root-password").stdout)
    assert full["root_password"] == f"s3cret-{NEW}"
    assert "fixed things" in full["changelog"]
    assert "s3cret" not in command("show", "latest").stdout


def test_download_prints_events_and_the_result_last(command, served, tmp_path):
    done = command("download", "latest", "--artifact", "usb", "--to", str(tmp_path / "dl"), "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["event"] == "plan-finished"
    result = lines[-1]["result"]
    assert Path(result["path"]).read_bytes() == served.site.files[served.site.usb(NEW)]
    assert result["algorithm"] == "sha256"


@pytest.mark.parametrize("artifact", ["iso", "platform", "vmware"])
def test_every_artifact_can_be_downloaded(command, tmp_path, artifact):
    done = command("download", BZ2, "--artifact", artifact, "--to", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_a_dry_run_downloads_nothing(command, served):
    done = command("download", NEW, "--dry-run", "--json")
    plan = json.loads(done.stdout)
    assert plan["plan"] == "release-download"
    assert served.site.sent.get(served.site.usb(NEW), 0) == 0


@pytest.mark.parametrize(
    ("args", "code", "reference"),
    [
        (("download", "20200101T000000Z"), 5, "no-such-release"),
        (("download", "newest"), 2, "no-stamp"),
        (("download", NEW, "--artifact", "floppy"), 2, "usage"),
        (("show", NEW, "--mirror", "/no/such/dir"), 2, "no-such-mirror"),
    ],
)
def test_mistakes_end_with_their_exit_code(command, args, code, reference):
    done = command(*args, "--json")
    assert done.returncode == code
    assert json.loads(done.stdout)["reference"] == reference


def test_a_wrong_file_ends_with_six(command, served):
    served.site.files[served.site.usb(NEW)] = b"not it"
    done = command("download", NEW, "--json")
    assert done.returncode == 6
    assert json.loads(done.stdout.splitlines()[-1])["reference"] == "checksum-mismatch"


def test_a_republished_release_is_refused_and_show_warns(command, served):
    assert command("show", NEW).returncode == 0
    name = served.site.usb(NEW).partition("/")[2]
    served.site.release(NEW, {name: b"other"}, ("md5", "sha256"))
    done = command("download", NEW, "--json")
    assert done.returncode == 6
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["reference"] == "republished"
    assert last["first"] in last["message"]
    assert last["now"] in last["message"]
    assert "published again" in command("show", NEW).stderr


def test_verify_says_which_release_it_is(command, served, tmp_path):
    file = tmp_path / "smartos-latest-USB.img.gz"
    file.write_bytes(served.site.files[served.site.usb(NEW)])
    found = json.loads(command("verify", str(file), "--json").stdout)
    assert (found["ok"], found["stamp"], found["artifact"]) == (True, NEW, "usb")
    assert "OK" in command("verify", str(file)).stdout
    file.write_bytes(b"x")
    assert command("verify", str(file)).returncode == 6
    assert command("verify", str(tmp_path / "none")).returncode == 2


def test_prune_wants_its_word_and_removes_what_it_listed(command):
    for stamp in (NEW, MD5):
        assert command("download", stamp, "--artifact", "iso").returncode == 0
    listed = json.loads(command("prune", "--keep", "1", "--dry-run", "--json").stdout)
    assert len(listed["steps"]) == 1
    assert command("prune", "--keep", "1").returncode == 4
    assert command("prune", "--keep", "1", "--confirm", "prune").returncode == 0
    assert json.loads(command("prune", "--keep", "1", "--dry-run", "--json").stdout)["steps"] == []


@pytest.mark.parametrize("name", ["list", "show", "download", "verify", "prune"])
def test_help_has_an_example_and_the_exit_codes(command, name):
    text = command(name, "--help").stdout
    assert f"smartos-wizard release {name}" in text
    assert "Exit codes" in text
    assert "--json" in text


def test_ctrl_c_keeps_what_came_and_ends_with_three(environment, served):
    stop = threading.Event()

    def hangs(handler, path, body):
        if "USB" not in path:
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", '"e"')
        handler.end_headers()
        handler.body(body[:1048576], path)
        stop.wait(20)
        return True

    served.site.fault = hangs
    process = subprocess.Popen(
        [*PYTHON, "download", NEW, "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    part = Path(environment["SMARTOS_WIZARD_HOME"]) / "cache" / "releases" / (served.site.usb(NEW) + ".part")
    until = time.monotonic() + 20
    while time.monotonic() < until and not (part.exists() and part.stat().st_size == 1048576):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    stop.set()
    assert process.returncode == 3
    last = json.loads(out.splitlines()[-1])
    assert last["event"] == "plan-cancelled"
    assert "kept" in last["state"]


def test_two_commands_at_once_never_write_the_same_file(environment, served):
    gate = threading.Event()

    def waits(handler, path, body):
        if "USB" in path:
            gate.wait(20)
        return False

    served.site.fault = waits
    args = [*PYTHON, "download", NEW, "--json"]
    first = subprocess.Popen(
        args, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    until = time.monotonic() + 20
    while time.monotonic() < until and not any("USB" in r[1] for r in served.site.requests):
        time.sleep(0.02)
    second = subprocess.run(args, env=environment, capture_output=True, text=True, timeout=30, check=False)
    gate.set()
    first.communicate(timeout=30)
    assert second.returncode == 4
    last = json.loads(second.stdout.splitlines()[-1])
    assert last["reference"] == "being-downloaded"
    assert first.returncode == 0


def test_a_disk_that_takes_no_more_is_named_and_what_came_is_kept(environment, served):
    limited = ["bash", "-c", 'ulimit -f 1024; exec "$@"', "-", *PYTHON, "download", NEW, "--json"]
    done = subprocess.run(limited, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 5, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["reference"] == "cannot-save"
    assert "Too large" in last["message"] or "too large" in last["message"]
    part = Path(environment["SMARTOS_WIZARD_HOME"]) / "cache" / "releases" / (served.site.usb(NEW) + ".part")
    assert part.stat().st_size == 1024 * 1024


def test_show_and_a_stored_download_work_without_the_mirror(command, served):
    assert command("download", "latest").returncode == 0
    served.site.fault = lambda h, path, body: not h.answer(503, b"")
    shown = command("show", NEW, "--json")
    assert json.loads(shown.stdout)["offline"] is True
    assert "could not be reached" in shown.stderr
    again = command("download", NEW, "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout.splitlines()[-1])["result"]["fetched"] == 0
