"""A survey through OpenSSH's own sshd, ssh-agent and ssh-keygen. SmartOS's commands are played by scripts on PATH."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.paths import Paths
from smartos_wizard.reinstall.connect import SHELL, SshHosts
from smartos_wizard.reinstall.known import KnownHosts
from smartos_wizard.reinstall.ports import Address
from smartos_wizard.reinstall.script import survey_script
from smartos_wizard.reinstall.survey import require_global_zone, take
from tests.lab.rig import parts
from tests.unit.reinstall.parts_survey import fake_smartos, surveyed

pytestmark = pytest.mark.lab

PROGRAMS = ["sshd", "ssh", "ssh-keygen", "ssh-agent", "ssh-add", "pgrep"]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Daemon:
    """One sshd with its own key, config and log; PATH of a login is `path`."""

    def __init__(self, place: Path, path: str) -> None:
        place.mkdir()
        self.place = place
        self.port = _free_port()
        self.key = place / "host_key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        self.authorized = place / "authorized_keys"
        self.authorized.touch(0o600)
        config = {
            "Port": self.port, "ListenAddress": "127.0.0.1", "HostKey": self.key, "PidFile": "none", "UsePAM": "no",
            "AuthorizedKeysFile": self.authorized, "StrictModes": "no", "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no", "PermitRootLogin": "yes", "SetEnv": f"PATH={path}",
            "LogLevel": "VERBOSE", "AllowTcpForwarding": "yes", "Subsystem": "sftp internal-sftp",
        }  # fmt: skip
        self.config = place / "sshd_config"
        self.config.write_text("".join(f"{name} {value}\n" for name, value in config.items()))
        self.log = (place / "log").open("wb")
        sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert sshd
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.process = subprocess.Popen([sshd, "-D", "-e", "-f", self.config], stdin=subprocess.DEVNULL, stderr=self.log)  # fmt: skip
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise AssertionError((place / "log").read_text())

    @property
    def fingerprint(self) -> str:
        out = subprocess.run(["ssh-keygen", "-l", "-f", self.key], capture_output=True, text=True, check=True)
        return out.stdout.split()[1]

    def trusted_in(self, file: Path, *, hashed: bool = False) -> None:
        kind, words = (self.place / "host_key.pub").read_text().split()[:2]
        with file.open("a") as known:
            known.write(f"[127.0.0.1]:{self.port} {kind} {words}\n")
        if hashed:
            subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(5)
        self.log.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    parts.need_programs(PROGRAMS)
    place = tmp_path / "user"
    (place / ".ssh").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return place


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    log = tmp_path / "calls"
    log.touch()
    return log


@pytest.fixture
def daemon(tmp_path: Path, home: Path, calls: Path) -> Iterator[Daemon]:
    place = fake_smartos(tmp_path / "bin", "plain", calls)
    running = Daemon(tmp_path / "sshd", f"{place}:/usr/bin:/bin")
    yield running
    running.stop()


@pytest.fixture
def key(home: Path, daemon: Daemon) -> Path:
    """A key that the machine lets in."""
    file = home / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    daemon.authorized.write_text((home / "key.pub").read_text())
    return file


@pytest.fixture
def hosts(paths: Paths, home: Path) -> SshHosts:
    return SshHosts(paths, KnownHosts(paths, (home / ".ssh" / "known_hosts",)), (home / ".ssh" / "config",))


def at(daemon: Daemon, key: Path | None = None, **more: object) -> Address:
    user = os.environ.get("USER") or "root"
    return Address("127.0.0.1", user=user, port=daemon.port, identity=str(key or ""), **more)  # type: ignore[arg-type]


def refused(hosts: SshHosts, address: Address) -> WizardError:
    with pytest.raises(WizardError) as raised:
        hosts.open(address)
    return raised.value


def test_a_survey_through_a_real_sshd_finds_the_machine_and_leaves_no_file(
    hosts: SshHosts, daemon: Daemon, key: Path, home: Path, calls: Path
) -> None:
    daemon.trusted_in(home / ".ssh" / "known_hosts", hashed=True)
    host = hosts.open(at(daemon, key))
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    survey = take(host, time.time)
    host.close()
    require_global_zone(survey)
    meant = surveyed("plain")
    for what in (
        "pools",
        "datasets",
        "instances",
        "disks",
        "nics",
        "stamp",
        "mode",
        "medium",
        "hostname",
        "hostid",
    ):
        if what != "nics":
            assert getattr(survey, what) == getattr(meant, what), what
    assert survey.host_key == daemon.fingerprint
    assert host.sent == [SHELL, survey_script()]
    asked = calls.read_text().splitlines()
    assert "zpool import" in asked
    assert not [call for call in asked if call.split()[0] == "zpool" and call.split()[1] not in ("list", "status", "import")]  # fmt: skip
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


def test_the_key_is_unknown_then_accepted_then_known_and_ssh_itself_agrees(
    hosts: SshHosts, daemon: Daemon, key: Path, paths: Paths
) -> None:
    error = refused(hosts, at(daemon, key))
    assert error.reference == "unknown-host-key"
    assert error.details["fingerprint"] == daemon.fingerprint
    hosts.open(at(daemon, key, accept=(daemon.fingerprint,))).close()
    hosts.open(at(daemon, key)).close()
    said = subprocess.run(
        ["ssh", "-F", "none", "-o", f"UserKnownHostsFile={paths.state}/known_hosts", "-o", "StrictHostKeyChecking=yes",
         "-o", "BatchMode=yes", "-i", key, "-p", str(daemon.port), f"{at(daemon).user}@127.0.0.1", "zonename"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.stdout.strip() == "global", said.stderr


def test_a_changed_key_is_refused(
    hosts: SshHosts, daemon: Daemon, key: Path, home: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    kind, words = Path(f"{other}.pub").read_text().split()[:2]
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{daemon.port} {kind} {words}\n")
    assert refused(hosts, at(daemon, key)).reference == "changed-host-key"


def test_the_agent_is_used(
    hosts: SshHosts, daemon: Daemon, key: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.trusted_in(home / ".ssh" / "known_hosts")
    assert refused(hosts, at(daemon)).reference == "login-refused"
    socket_file = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket_file], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if socket_file.exists():
                break
            time.sleep(0.05)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket_file))
        subprocess.run(["ssh-add", "-q", key], check=True)
        hosts.open(at(daemon)).close()
    finally:
        agent.terminate()
        agent.wait(5)


def test_a_jump_host_and_the_config_file(
    hosts: SshHosts, daemon: Daemon, key: Path, home: Path, tmp_path: Path, paths: Paths
) -> None:
    gate = Daemon(tmp_path / "gate", "/usr/bin:/bin")
    try:
        gate.authorized.write_text(daemon.authorized.read_text())
        for each in (gate, daemon):
            each.trusted_in(home / ".ssh" / "known_hosts")
        user = at(daemon).user
        hosts.open(at(daemon, key, jump=f"{user}@127.0.0.1:{gate.port}")).close()
        (home / ".ssh" / "config").write_text(
            f"Host gate\n  HostName 127.0.0.1\n  Port {gate.port}\nHost kestrel\n  HostName 127.0.0.1\n"
            f"  Port {daemon.port}\n  ProxyJump gate\nHost *\n  User {user}\n  IdentityFile {key}\n"
        )
        again = SshHosts(
            paths, KnownHosts(paths, (home / ".ssh" / "known_hosts",)), (home / ".ssh" / "config",)
        )
        host = again.open(Address("kestrel"))
        assert take(host, time.time).hostname == "kestrel"
        host.close()
        assert (tmp_path / "gate" / "log").read_text().count("Accepted publickey") == 2
        own = home / "proxy_config"
        own.write_text(
            f"Host kestrel\n  HostName 127.0.0.1\n  Port {daemon.port}\n  User {user}\n  IdentityFile {key}\n"
            f"  ProxyCommand ssh -F none -i {key} -o UserKnownHostsFile={home}/.ssh/known_hosts"
            f" -p {gate.port} -W %h:%p {user}@127.0.0.1\n"
        )
        host = SshHosts(paths, KnownHosts(paths, (home / ".ssh" / "known_hosts",)), (own,)).open(
            Address("kestrel")
        )
        assert take(host, time.time).hostname == "kestrel"
        host.close()
        assert (tmp_path / "gate" / "log").read_text().count("Accepted publickey") == 3
    finally:
        gate.stop()


def test_a_server_that_is_killed_in_mid_survey_is_a_lost_connection(
    hosts: SshHosts, daemon: Daemon, key: Path, home: Path, tmp_path: Path, calls: Path
) -> None:
    daemon.trusted_in(home / ".ssh" / "known_hosts")
    slow = tmp_path / "bin" / "zpool"
    slow.write_text(f"#!/bin/sh\necho zpool >> {calls}\nkill -9 $(cat {tmp_path}/session)\nsleep 30\n")
    host = hosts.open(at(daemon, key))
    children = subprocess.run(
        ["pgrep", "-P", str(daemon.process.pid)], capture_output=True, text=True, check=True
    )
    (tmp_path / "session").write_text(children.stdout)
    with pytest.raises(WizardError) as raised:
        host.run(survey_script(), seconds=20)
    host.close()
    assert (raised.value.reference, int(raised.value.exit_code)) == ("connection-lost", 10)


def test_this_very_machine_is_no_smartos(hosts: SshHosts, home: Path, tmp_path: Path, calls: Path) -> None:
    plain = Daemon(tmp_path / "linux", "/usr/bin:/bin")
    try:
        key = home / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        plain.authorized.write_text((home / "key.pub").read_text())
        plain.trusted_in(home / ".ssh" / "known_hosts")
        host = hosts.open(at(plain, key))
        survey = take(host, time.time)
        host.close()
        with pytest.raises(WizardError) as raised:
            require_global_zone(survey)
        assert raised.value.reference == "not-smartos"
    finally:
        plain.stop()
