"""`answers new` and `answers check` from the outside: exit codes, files, and a password that is never shown."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from smartos_wizard.cli.main import cli
from smartos_wizard.core.errors import WizardError

PASSWORD = "hunter22 it is"


def run(*words: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(cli, ["answers", *words], input=stdin, standalone_mode=False)


def failed(result: Result) -> WizardError:
    assert isinstance(result.exception, WizardError), result.output
    return result.exception


def code(result: Result) -> int:
    assert result.exception is None, result.exception
    return int(result.return_value or 0)


def file(path: Path, answers: dict[str, Any] | str) -> str:
    path.write_text(answers if isinstance(answers, str) else json.dumps(answers))
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def good(tmp_path: Path) -> str:
    words = ("--unattended", "--ip", "192.168.1.10/24", "--gateway", "192.168.1.1", "--domain", "example.com")
    out = tmp_path / "good.json"
    assert code(run("new", *words, "--hostname", "sm1", "--nic", "52-54-0-2F-61-34", "--out", str(out))) == 0
    return str(out)


def test_what_new_makes_check_finds_nothing_wrong_with(good: str) -> None:
    result = run("check", good, "--json", "--strict")
    document = json.loads(result.stdout)
    assert (code(result), document["findings"], document["exit_code"]) == (0, [], 0)
    assert [stop["key"] for stop in document["asked"]] == ["root_password"]
    assert document["answers"]["admin_nic"] == "52:54:00:2f:61:34"
    assert document["answers"]["admin_netmask"] == "255.255.255.0"


def test_errors_are_exit_code_4_and_warnings_only_with_strict(tmp_path: Path, good: str) -> None:
    answers = json.loads(Path(good).read_text())
    wrong = file(tmp_path / "wrong.json", answers | {"admin_ip": "10.0.0.999"})
    odd = file(tmp_path / "odd.json", answers | {"zpool_layout": "raidz2"})
    assert code(run("check", wrong)) == 4
    assert code(run("check", odd)) == 0
    assert code(run("check", odd, "--strict")) == 4
    assert "builds the default layout all the same" in run("check", odd).stdout


def test_bad_json_is_exit_code_4_with_line_and_column(tmp_path: Path) -> None:
    result = run("check", file(tmp_path / "bad.json", '{\n  "hostname": "x",\n}'))
    assert code(result) == 4
    assert "line 2, column 18" in result.stdout
    document = json.loads(run("check", str(tmp_path / "bad.json"), "--json").stdout)
    assert (document["readable"], document["findings"][0]["line"]) == (False, 2)


def test_a_file_that_cannot_be_read_is_exit_code_1(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        error = failed(run("check", str(path)))
        assert (error.reference, error.exit_code) == ("answers-unreadable", 1)
    large = tmp_path / "large.json"
    large.write_bytes(b" " * (1 << 16) + b"{}")
    assert failed(run("check", str(large))).exit_code == 1


def test_stdin_can_be_checked(good: str) -> None:
    assert code(run("check", "-", stdin=Path(good).read_text())) == 0


def test_the_space_on_the_pool_is_judged(good: str) -> None:
    assert code(run("check", good, "--ram", "16G", "--pool-size", "16G")) == 4
    assert code(run("check", good, "--ram", "16G", "--pool-size", "1T")) == 0
    refused = run("check", good, "--ram", "much")
    assert "is no size" in str(refused.exception)


def test_the_console_is_not_reminded_of_once_it_is_set(good: str) -> None:
    assert "console-matters" in run("check", good).stdout
    assert "console-matters" not in run("check", good, "--console-set").stdout


def test_check_tells_where_setup_will_stop(tmp_path: Path) -> None:
    said = run("check", file(tmp_path / "a.json", {"hostname": "x"})).stdout
    assert "wait for Enter, and say nothing, before it begins (config_console)" in said
    assert "ask for root's password (root_password)" in said


def test_a_password_file_that_others_may_read_is_told(tmp_path: Path) -> None:
    path = file(tmp_path / "a.json", {"root_password": PASSWORD})
    assert "chmod 600" not in run("check", path).stdout
    Path(path).chmod(0o644)
    assert "chmod 600" in run("check", path).stdout


def test_the_password_is_never_shown(tmp_path: Path) -> None:
    path = file(tmp_path / "a.json", {"root_password": PASSWORD, "root_pasword": PASSWORD, "hostname": 1})
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD + "\nsecond line\n")
    out = str(tmp_path / "out.json")
    for result in (
        run("check", path),
        run("check", path, "--json"),
        run("new", "--root-password-file", str(secret), "--out", out),
        run("new", "--from", out, "--out", out, "--force", "--json"),
    ):
        assert PASSWORD not in result.output + str(result.exception)
    assert PASSWORD not in run("new", "--from", path).stderr
    assert json.loads(Path(out).read_text())["root_password"] == PASSWORD


def test_a_file_is_written_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    out = tmp_path / "answers.json"
    words = ("new", "--ip", "dhcp", "--out", str(out))
    assert code(run(*words)) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    before = out.read_bytes()
    assert failed(run(*words, "--domain", "example.com")).reference == "file-exists"
    assert out.read_bytes() == before
    assert code(run(*words, "--domain", "example.com", "--force")) == 0
    assert json.loads(out.read_text())["dns_search"] == "example.com"


def test_only_an_ordinary_file_is_replaced(tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "elsewhere.json")
    for out, reference in (
        (tmp_path, "no-file"),
        (link, "no-file"),
        (Path("/dev/null"), "no-file"),
        (tmp_path / "none" / "a.json", "no-directory"),
    ):
        refused = failed(run("new", "--ip", "dhcp", "--out", str(out), "--force"))
        assert (refused.reference, refused.exit_code) == (reference, 4)
    assert not (tmp_path / "elsewhere.json").exists()


def test_answers_that_would_not_work_are_not_written(tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    refused = failed(run("new", "--ip", "192.168.1.255/24", "--gateway", "192.168.1.1", "--out", str(out)))
    assert (refused.reference, refused.exit_code) == ("answers-wrong", 4)
    assert "for ever" in refused.message
    assert not out.exists()


def test_without_words_and_without_a_terminal_it_says_what_to_give() -> None:
    error = failed(run("new"))
    assert (error.reference, error.exit_code) == ("nothing-said", 2)
    assert "--ip dhcp" in error.hint


def test_stdout_is_the_file_and_what_to_know_goes_to_stderr() -> None:
    result = run("new", "--ip", "dhcp")
    assert json.loads(result.stdout)["admin_ip"] == "dhcp"
    assert "Setup will stop and" in result.stderr


def test_defaults_leave_the_dangerous_questions_to_a_person() -> None:
    answers = json.loads(run("new", "--ip", "dhcp").stdout)
    assert not {"zpool_confirm_layout", "skip_final_confirm", "root_password"} & set(answers)


def test_a_fixed_address_without_a_gateway_leaves_the_gateway_to_be_asked() -> None:
    result = run("new", "--ip", "192.168.1.10", "--unattended")
    answers = json.loads(result.stdout)
    assert "headnode_default_gateway" not in answers
    assert answers["admin_netmask"] == "255.255.255.0"
    assert "ask for the default gateway" in result.stderr
    told = json.loads(run("new", "--ip", "192.168.1.10", "--gateway", "none").stdout)
    assert told["headnode_default_gateway"] == "none"


def test_an_existing_file_is_changed_only_where_told(good: str) -> None:
    before = json.loads(Path(good).read_text())
    result = run(
        "new", "--from", good, "--set", "bootpool=zones", "--set", "pisource=media", "--unset", "hostname"
    )
    after = json.loads(result.stdout)
    assert after == {k: v for k, v in before.items() if k != "hostname"} | {
        "bootpool": "zones",
        "pisource": "media",
    }
    assert json.loads(run("new", "--from", good, "--ip", "dhcp").stdout) == {
        k: v for k, v in before.items() if k != "admin_netmask"
    } | {"admin_ip": "dhcp", "headnode_default_gateway": "none"}


def test_unattended_answers_what_would_stop_an_existing_file(tmp_path: Path) -> None:
    path = file(tmp_path / "a.json", {"hostname": "x", "skip_final_confirm": "no", "dns_search": "lan"})
    answers = json.loads(run("new", "--from", path, "--unattended").stdout)
    assert (answers["hostname"], answers["skip_final_confirm"]) == ("x", "true")
    assert answers["zpool_confirm_layout"] == "yes"


def test_a_file_that_is_no_json_is_no_beginning(tmp_path: Path) -> None:
    refused = failed(run("new", "--from", file(tmp_path / "a.json", "{,}")))
    assert (refused.reference, refused.exit_code) == ("bad-json", 4)
    assert "line 1, column 2" in refused.message


@pytest.mark.parametrize(
    ("words", "reference"),
    [
        (("--set", "admin_mac=52:54:00:2f:61:34"), "unknown-key"),
        (("--set", "nonsense=1"), "unknown-key"),
        (("--set", "hostname"), "bad-pair"),
        (("--set", "root_password=x"), "secret-on-the-command-line"),
        (("--unset", "hostnam"), "unknown-key"),
        (("--ip", "10.0.0.999/24"), "bad-address"),
        (("--ip", "10.0.0.1/33"), "bad-address"),
        (("--nic", "e1000g0"), "bad-mac"),
        (("--dns", "1.1.1.1", "--dns", "8.8.8.8", "--dns", "9.9.9.9"), "name-servers"),
        (("--one-time-password", "--root-password-prompt"), "two-passwords"),
        (("--root-password-prompt",), "no-terminal"),
        (("--root-password-file", "-"), "empty-password"),
    ],
)
def test_words_that_make_no_sense_are_a_usage_error(words: tuple[str, ...], reference: str) -> None:
    error = failed(run("new", *words))
    assert (error.reference, error.exit_code) == (reference, 2)


def test_a_wrong_key_is_answered_with_the_right_one() -> None:
    assert "admin_nic" in failed(run("new", "--set", "admin_mac=x")).hint


def test_a_one_time_password_is_shown_once_with_the_order_to_change_it(tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    result = run("new", "--unattended", "--domain", "lan", "--one-time-password", "--out", str(out))
    password = json.loads(out.read_text())["root_password"]
    assert result.stderr.count(password) == 1
    assert password not in result.stdout
    assert "change it at once" in result.stderr and "passwd root" in result.stderr
    assert "prompt-config.log" in result.stderr


def test_json_tells_the_one_time_password_in_a_field_of_its_own(tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    result = run("new", "--domain", "lan", "--one-time-password", "--out", str(out), "--json")
    document = json.loads(result.stdout)
    password = document.pop("one_time_password")
    assert password == json.loads(out.read_text())["root_password"]
    assert password not in json.dumps(document)
    assert document["path"] == str(out)


class Terminal:
    """The real command at a real terminal."""

    def __init__(self, cwd: Path, *words: str) -> None:
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "smartos_wizard", "answers", "new", *words]
        env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "TERM": "dumb"}
        self._process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=env)
        os.close(slave)
        self.said = ""
        self._heard = 0

    def until(self, words: str) -> None:
        end = time.monotonic() + 60
        while words not in self.said[self._heard :]:
            ready, _, _ = select.select([self._master], [], [], 1)
            if ready:
                self.said += os.read(self._master, 65536).decode()
            assert time.monotonic() < end, f"{words!r} was not said in: {self.said[self._heard :]}"
        self._heard = self.said.index(words, self._heard) + len(words)

    def answer(self, question: str, line: str) -> None:
        self.until(question)
        os.write(self._master, line.encode() + b"\n")

    def end(self) -> int:
        try:
            while True:
                self.said += os.read(self._master, 65536).decode()
        except OSError:  # the other side is closed
            pass
        os.close(self._master)
        return self._process.wait(30)


def test_at_a_terminal_it_asks_question_by_question(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.answer("unattended? yes or no [no]", "yes")
    terminal.answer("admin_nic [asked at the machine]", "52:54:00:2F:61:34")
    terminal.until("error: admin_nic is compared")
    terminal.answer("admin_nic [", "52:54:00:2f:61:34")
    terminal.answer("admin_ip [dhcp]", "192.168.1.10/24")
    terminal.answer("admin_netmask [255.255.255.0]", "<")
    terminal.answer("admin_ip [192.168.1.10]", "")
    terminal.answer("admin_netmask [", "?")
    terminal.until("With a bad value")
    terminal.answer("admin_netmask [", "")
    terminal.answer("headnode_default_gateway [none]", "192.168.2.1")
    terminal.until("outside the machine's network")
    terminal.answer("headnode_default_gateway [none]", "192.168.1.1")
    for name in ("dns_resolver1", "dns_resolver2"):
        terminal.answer(f"{name} [", "")
    terminal.answer("dns_search [asked at the machine]", "example.com")
    for name in ("ntp_host", "skip_ntp_check", "zpool_confirm_layout", "bootpool", "install_pkgsrc"):
        terminal.answer(f"{name} [", "")
    terminal.answer("root_password [asked at the machine]", PASSWORD)
    terminal.answer("once more", PASSWORD)
    terminal.answer("hostname [asked at the machine]", "sm1")
    terminal.answer("skip_final_confirm [true]", "-")
    terminal.answer("Save it as [answers.json]", "")
    assert terminal.end() == 0, terminal.said
    answers = json.loads((tmp_path / "answers.json").read_text())
    assert (tmp_path / "answers.json").stat().st_mode & 0o777 == 0o600
    assert (answers["root_password"], answers["headnode_default_gateway"]) == (PASSWORD, "192.168.1.1")
    assert answers["admin_netmask"] == "255.255.255.0"
    assert "skip_final_confirm" not in answers
    assert PASSWORD not in terminal.said


def test_q_leaves_without_writing_anything(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--out", "a.json")
    terminal.answer("unattended? yes or no [no]", "")
    terminal.answer("admin_nic [", "q")
    assert terminal.end() == 3
    assert "Nothing was written." in terminal.said
    assert list(tmp_path.iterdir()) == []


def test_a_password_does_not_go_to_the_screen_with_the_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD)
    terminal = Terminal(tmp_path, "--root-password-file", str(secret))
    assert terminal.end() == 2
    assert PASSWORD not in terminal.said and "--out FILE" in terminal.said


def test_what_a_file_loses_when_it_is_rewritten_is_told(tmp_path: Path) -> None:
    result = run("new", "--from", file(tmp_path / "a.json", {"hostname": None, "bootpool": "none"}))
    assert json.loads(result.stdout) == {"bootpool": "none"}
    assert "hostname is null" in result.stderr
