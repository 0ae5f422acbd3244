"""The commands of a backup in the practice world, and a backup as the plan of a re-install takes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from smartos_wizard.cli.main import main
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Cancelled, DeviceLost, Refused
from smartos_wizard.reinstall.backup_proof import backup_words
from smartos_wizard.reinstall.ssh_streams import streaming
from smartos_wizard.reinstall.streams import CommandFailed
from tests.unit.reinstall.parts_backup import BackupWorld, address, backup_plan, found, good, machine, run
from tests.unit.reinstall.shell_server import serving


@pytest.fixture
def wizard(capsys):
    def command(*words):
        with pytest.raises(SystemExit) as left:
            main(["--practice", "reinstall", *words])
        out, err = capsys.readouterr()
        return left.value.code, out, err

    return command


@pytest.fixture
def server(tmp_path):
    with serving(machine(tmp_path / "machine")) as running:
        yield running


def test_there_and_back_in_the_practice_world(wizard, tmp_path):
    to = str(tmp_path / "kept")
    code, out, _ = wizard("backup", "plain", "--json")
    assert code == 0
    assert {row["keep"] for row in json.loads(out)} >= {"always", "instance", ""}
    code, out, err = wizard("backup", "plain", "--to", to, "--instance", "all", "--dry-run")
    assert code == 0, err
    assert "zfs send -R" in out
    assert not Path(to).exists()
    assert wizard("backup", "plain", "--to", to, "--instance", "all")[0] == 0
    assert wizard("backup", "plain", "--to", to, "--instance", "all")[0] == 4
    assert wizard("backup-check", to)[0] == 0
    assert wizard("restore", to, "wiped")[0] == 0
    assert wizard("restore", to, "wiped", "--instance", "all")[0] == 4
    assert wizard("restore", to, "wiped", "--instance", "all", "--config", "--confirm", "wiped")[0] == 0
    assert wizard("restore", to, "plain", "--instance", "all", "--confirm", "plain")[0] == 4
    stream = next(Path(to).glob("zones_*"))
    stream.write_bytes(stream.read_bytes()[:-1])
    code, out, _ = wizard("backup-check", to, "--json")
    assert (code, json.loads(out)["whole"]) == (8, False)


def test_what_was_put_back_on_a_make_believe_machine_is_there_for_the_next_command(wizard, tmp_path):
    to = str(tmp_path / "kept")
    assert wizard("backup", "plain", "--to", to, "--instance", "all")[0] == 0
    before = json.loads(wizard("restore", to, "wiped", "--json")[1])
    assert "opt/custom/smf/backup.xml" in before["missing"]
    assert wizard("restore", to, "wiped", "--config", "--place", "/somewhere", "--confirm", "wiped")[0] == 2
    assert wizard("restore", to, "wiped", "--config", "--place", "/opt/custom", "--confirm", "wiped")[0] == 0
    after = json.loads(wizard("restore", to, "wiped", "--json")[1])
    assert set(before["missing"]) - set(after["missing"]) == {"opt/custom/smf/backup.xml"}
    assert after["different"] == ["usbkey/config"]
    words = ("restore", to, "wiped", "--config", "--overwrite", "/usbkey/config", "--instance", "all")
    assert wizard(*words, "--confirm", "wiped")[0] == 0
    last = json.loads(wizard("restore", to, "wiped", "--json")[1])
    assert (last["missing"], last["different"]) == ([], [])
    survey = json.loads(wizard("survey", "wiped", "--json")[1])
    assert sorted(each["alias"] for each in survey["instances"]) == ["db", "web"]


def test_a_stream_that_breaks_is_taken_up_again(wizard, tmp_path):
    words = ("backup", "dropped-stream", "--to", str(tmp_path / "kept"), "--instance", "all")
    assert wizard(*words)[0] == 10
    assert wizard("backup-check", str(tmp_path / "kept"))[0] == 2
    assert wizard(*words)[0] == 0
    assert wizard("backup-check", str(tmp_path / "kept"))[0] == 0


def test_words_that_make_no_sense(wizard, tmp_path):
    to = str(tmp_path)
    for words in (
        ("backup",), ("backup", "plain", "--to", to), ("backup", "plain", "--to", to, "--config-only", "--instance", "all"),
        ("backup", "--survey", "x", "--to", to, "--config-only"), ("restore", to, "plain"), ("restore", to, "plain", "--overwrite", "x"),
        ("backup-check", to), ("backup", "plain", "--to", to, "--instance", "nobody"),
    ):  # fmt: skip
        assert wizard(*words)[0] == 2, words
    assert list(tmp_path.iterdir()) == []


def test_killed_in_the_middle_of_a_stream_and_given_again(tmp_path, server, paths):
    to, plan = tmp_path / "kept", tmp_path / "plan.json"
    server.dataset("zones/precious", os.urandom(40 << 20))
    plan.write_text(json.dumps(backup_plan(server, to).to_json()))
    code = (
        "import json, sys; from pathlib import Path; from smartos_wizard.core.plan import Plan\n"
        "from smartos_wizard.core.paths import below; from tests.unit.reinstall.parts_backup import run\n"
        "run(Plan.from_json(json.loads(Path(sys.argv[1]).read_text())), below(Path(sys.argv[2])))"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(plan), str(tmp_path / "child")])
    until = time.monotonic() + 60
    while not list(to.glob(".zones_precious*")) and child.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert list(to.glob(".*.part"))
    good(run(backup_plan(server, to), paths))
    assert not list(to.glob(".*.part"))


def test_the_words_of_a_backup_for_the_plan(tmp_path, server, paths):
    to = tmp_path / "kept"
    good(run(backup_plan(server, to), paths))
    words = backup_words(to, found(server), time.time())
    assert "of today" in words
    assert "web" in words
    assert "WITHOUT" not in words
    with pytest.raises(Refused, match="not of"):
        backup_words(to, found(server, hostid="1"), time.time())


def test_streams_stop_fail_and_break_in_words(server, paths):
    host = streaming(BackupWorld(paths).hosts.open(address(server)))
    cancel = Cancel()
    assert b"".join(host.stream("printf hello")) == b"hello"
    assert host.feed("cat", [b"a" * 100_000, b"b"]) == b"a" * 100_000 + b"b"
    with pytest.raises(CommandFailed, match="did not work") as failed:
        list(host.stream("echo much; echo trouble >&2; exit 3"))
    assert (failed.value.status, failed.value.complaint) == (3, "trouble\n")
    assert len(host.sent) == 3
    host.close()
    host = streaming(BackupWorld(paths).hosts.open(address(server)))
    with pytest.raises(CommandFailed):
        host.feed("exit 4", (b"x" * 100_000 for _ in range(100)))
    endless = host.stream("yes", lambda: cancel.requested)
    assert next(endless)
    cancel.request()
    with pytest.raises(Cancelled):
        list(endless)
    asked: list[int] = []
    with pytest.raises(Cancelled):
        list(host.stream("sleep 60", lambda: asked.append(1) or len(asked) > 4))  # type: ignore[func-returns-value]
    slow = host.stream("yes")
    next(slow)
    slow.close()
    for connection in server.connections:
        connection.abort()
    with pytest.raises(DeviceLost):
        list(host.stream("printf hello"))
    assert len(host.sent) == 5
    host.close()
    host.close()  # a second time, and without a word


def test_a_plan_takes_a_whole_backup_and_asks_for_consent_to_one_that_is_not(wizard, tmp_path):
    survey, whole, part = (str(tmp_path / name) for name in ("survey.json", "whole", "part"))
    assert wizard("survey", "plain", "--save", survey)[0] == 0
    assert wizard("backup", "plain", "--to", whole, "--instance", "all")[0] == 0
    assert wizard("backup", "plain", "--to", part, "--config-only")[0] == 0
    code, out, _ = wizard("plan", "--survey", survey, "--backup", whole, "--json")
    assert code == 0
    assert whole in json.loads(out)["plan"]["params"]["backup"]
    code, out, _ = wizard("plan", "--survey", survey, "--backup", part)
    assert code == 4
    assert "does not hold everything" in " ".join(out.split())
    assert wizard("plan", "--survey", survey, "--backup", part, "--consent", "no-backup")[0] == 0
    stream = next(Path(whole).glob("zones_*"))
    stream.write_bytes(stream.read_bytes()[:-1])
    assert wizard("plan", "--survey", survey, "--backup", whole)[0] == 8
    assert wizard("plan", "--survey", survey, "--backup", str(tmp_path / "none"))[0] == 2


def test_to_another_host_and_back_in_the_practice_world(wizard, tmp_path):
    to, words = str(tmp_path / "kept"), ("--to-host", "attic", "--to-dataset", "tank/plain")
    whole = ("backup", "plain", "--to", to, "--instance", "all", *words)
    code, out, err = wizard(*whole, "--dry-run")
    assert code == 0, err
    assert "zfs create -o canmount=off" in out
    assert not Path(to).exists()
    assert wizard(*whole)[0] == 0
    assert not list(Path(to).glob("*.zfs.gz"))
    code, out, _ = wizard("backup-check", to, "--json")
    found = json.loads(out)
    assert (code, found["there"], len(found["sent"])) == (0, "tank/plain on attic", 2)
    assert {each["problem"] for each in found["sent"]} == {None}
    code, out, _ = wizard("backup-check", to, "--there", "--json")
    assert (code, {each["problem"] for each in json.loads(out)["sent"]}) == (0, {""})
    assert wizard("restore", to, "wiped")[0] == 0
    assert wizard("restore", to, "wiped", "--instance", "all", "--confirm", "wiped")[0] == 0
    again = ("backup", "second-pool", "--to", str(tmp_path / "other"), "--instance", "all", *words)
    assert wizard(*again)[0] == 4, "never onto a dataset that is there"
    assert not (tmp_path / "other").exists()


def test_a_stream_to_another_host_that_breaks_is_taken_up_where_it_broke(wizard, tmp_path):
    words = ("backup", "dropped-stream", "--to", str(tmp_path / "kept"), "--instance", "all", "--to-host", "attic", "--to-dataset", "tank/x")  # fmt: skip
    assert wizard(*words)[0] == 10
    code, out, _ = wizard(*words, "--json")
    assert code == 0
    assert "stream-resumed" in out
    assert wizard("backup-check", str(tmp_path / "kept"), "--there")[0] == 0


def test_words_of_another_host_that_make_no_sense(wizard, tmp_path):
    to, good = str(tmp_path / "kept"), ("--instance", "all")
    for words in (
        ("--to-host", "attic"), ("--to-dataset", "tank/x"), ("--to-host", "attic", "--to-dataset", "tank"), ("--to-port", "22"),
        ("--to-host", "attic", "--to-dataset", "tank/x", "--rehearse"), ("--to-host", "attic", "--to-dataset", "tank/x y"),
    ):  # fmt: skip
        assert wizard("backup", "plain", "--to", to, *good, *words)[0] == 2, words
    assert wizard("backup", "plain", "--to-host", "attic", "--to-dataset", "tank/x")[0] == 2
    for code, words in ((4, ("--to-host", "attic", "--to-dataset", "pond/x")), (4, ("--to-host", "plain", "--to-dataset", "zones/x")), (5, ("--to-host", "nobody", "--to-dataset", "tank/x"))):  # fmt: skip
        assert wizard("backup", "plain", "--to", to, *good, *words)[0] == code, words
    assert not Path(to).exists()
