"""`reinstall survey` by its command: over ssh to a server on loopback, from files, and in the practice world."""

import json
import stat

import pytest

from smartos_wizard.cli.main import main
from smartos_wizard.practice.hosts import MACHINES
from smartos_wizard.reinstall.as_json import survey_from_json
from smartos_wizard.reinstall.script import survey_script
from tests.unit.reinstall.parts_survey import DATA, RECORDED, recorded, surveyed
from tests.unit.reinstall.ssh_server import PASSWORD, SshServer, serving

PRACTICE = {"dropped-connection": 10, "zone": 4, "not-smartos": 4}


@pytest.fixture
def wizard(capsys, monkeypatch):
    """The command: exit code, stdout, stderr."""

    def run(*words):
        monkeypatch.setattr("sys.argv", ["smartos-wizard", *words])
        with pytest.raises(SystemExit) as left:
            main(list(words))
        out, err = capsys.readouterr()
        return left.value.code, out, err

    return run


@pytest.mark.parametrize("name", MACHINES)
def test_every_make_believe_machine_in_words_and_as_json(wizard, name):
    code, out, err = wizard("--practice", "reinstall", "survey", name, "--ascii")
    assert code == PRACTICE.get(name, 0), err
    assert out.isascii()
    if not code:
        assert out.startswith(f"{name} (")
        assert max(map(len, out.splitlines())) <= 80
        assert "not found out" not in out
    code, out, _ = wizard("--practice", "reinstall", "survey", name, "--json")
    document = json.loads(out)
    if code:
        assert document["exit_code"] == code == PRACTICE[name]
    else:
        assert survey_from_json(document).hostname == name


def test_what_the_make_believe_machines_are_for(wizard):
    said = {name: wizard("--practice", "reinstall", "survey", name)[1] for name in MACHINES}
    assert "would destroy tank too" in said["second-pool"]
    assert "backup too" in said["attached-backup"]
    assert "can start from zones" in said["bootable"]
    assert "zones is encrypted" in said["encrypted"]
    assert "2 are running" in said["running-vms"]
    assert "of Triton" in said["triton"]
    assert "destroy" not in said["plain"]


def test_an_unknown_make_believe_machine_names_those_there_are(wizard):
    code, _, err = wizard("--practice", "reinstall", "survey", "nobody")
    assert code == 5
    assert "second-pool" in err


def test_the_script_and_nothing_else_on_stdout(wizard):
    code, out, err = wizard("reinstall", "survey", "--script")
    assert (code, out, err) == (0, survey_script(), "")


@pytest.mark.parametrize("name", RECORDED)
def test_a_file_of_answers_kept_as_json_and_read_again(wizard, tmp_path, name):
    kept = tmp_path / "kept.json"
    code, out, err = wizard("reinstall", "survey", "--file", str(DATA / f"{name}.txt"), "--save", str(kept))
    if name in ("linux", "in-a-zone"):
        assert code == 4
        assert not kept.exists()
        return
    assert code == 0, err
    assert survey_from_json(json.loads(kept.read_text())) == surveyed(name)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert wizard("reinstall", "survey", "--file", str(kept))[1] == out


def test_files_that_are_none(wizard, tmp_path):
    for content, reference in (
        ("", "no-answers"), ("{", "not-a-survey"), ("{}", "not-a-survey"), ('{"schema": 99, "hostname": ""}', "other-survey-version"),
    ):  # fmt: skip
        file = tmp_path / "file"
        file.write_text(content)
        code, out, _ = wizard("reinstall", "survey", "--file", str(file), "--json")
        assert (code, json.loads(out)["reference"]) == (2, reference)
    assert wizard("reinstall", "survey", "--file", str(tmp_path / "none"))[0] == 2
    assert wizard("reinstall", "survey", "--file", str(tmp_path))[0] == 2
    answers = str(DATA / "plain.txt")
    assert wizard("reinstall", "survey", "--file", answers, "--save", str(tmp_path))[0] == 4


def test_words_that_make_no_sense(wizard):
    for words in ((), ("host", "--script"), ("host", "--file", "x"), ("host", "--port", "0"), ("host", "--accept-host-key", "MD5:aa")):  # fmt: skip
        assert wizard("reinstall", "survey", *words)[0] == 2, words


def test_over_ssh_with_a_password_and_a_key_that_is_accepted(wizard, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr("click.prompt", lambda *words, **more: PASSWORD)
    with serving(SshServer(recorded("second-pool"))) as server:
        words = ("reinstall", "survey", "127.0.0.1", "--port", str(server.port), "--ask-password")
        code, out, err = wizard(*words, "--json")
        assert code == 4
        error = json.loads(out)
        assert (error["reference"], error["fingerprint"]) == ("unknown-host-key", server.fingerprint)
        code, out, err = wizard(*words, "--accept-host-key", server.fingerprint)
        assert code == 0, err
        assert "tank: ONLINE" in out
        assert PASSWORD not in out + err
        code, out, err = wizard(*words, "--json")
        survey = survey_from_json(json.loads(out))
        assert wizard("reinstall", "survey", "admin@127.0.0.1", *words[3:])[0] == 9
        assert server.users[-1] == "admin"
        assert (survey.host_key, survey.port) == (server.fingerprint, server.port)
        server.answers = recorded("linux")
        assert wizard(*words)[0] == 4
        server.answers = recorded("plain").replace("? user\n| 0", "? user\n| 500")
        assert wizard(*words)[0] == 9
        monkeypatch.setattr("click.prompt", lambda *words, **more: "wrong")
        assert wizard(*words)[0] == 9
    code, out, _ = wizard(*words, "--json")
    assert (code, json.loads(out)["reference"]) == (5, "host-unreachable")
