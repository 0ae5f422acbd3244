"""The way to a machine by ssh, against a server on loopback: keys, passwords, jump hosts, and everything that goes wrong."""

import socket
import threading
from dataclasses import replace

import asyncssh
import pytest

from smartos_wizard.core.errors import WizardError
from smartos_wizard.reinstall.connect import SHELL, SshHosts
from smartos_wizard.reinstall.known import KnownHosts
from smartos_wizard.reinstall.ports import Address
from smartos_wizard.reinstall.script import survey_script
from smartos_wizard.reinstall.survey import take
from tests.unit.reinstall.parts_survey import recorded
from tests.unit.reinstall.ssh_server import PASSWORD, SshServer, serving


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's home without keys, agent and config."""
    place = tmp_path / "user"
    (place / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return place


@pytest.fixture
def server():
    with serving(SshServer(recorded("plain"))) as running:
        yield running


@pytest.fixture
def hosts(home, paths):
    known = KnownHosts(paths, (home / ".ssh" / "known_hosts",))
    return SshHosts(paths, known, (home / ".ssh" / "config",))


def address(server, **more):
    return Address("127.0.0.1", port=server.port, password=PASSWORD, seconds=5.0, **more)


def refused(hosts, where):
    with pytest.raises(WizardError) as raised:
        hosts.open(where)
    return raised.value


def test_a_survey_sends_one_command_and_one_script_and_nothing_else(hosts, server, home):
    server.trust(home / ".ssh" / "known_hosts")
    host = hosts.open(address(server))
    survey = take(host, lambda: 5.0)
    host.close()
    assert (survey.hostname, survey.how, survey.host, survey.port) == (
        "kestrel",
        "ssh",
        "127.0.0.1",
        server.port,
    )
    assert survey.host_key == server.fingerprint
    assert survey.taken == 5.0
    assert survey.gaps == ()
    assert server.commands == [SHELL]
    assert server.scripts == [survey_script()]
    assert host.sent == [SHELL, survey_script()]
    assert server.users == ["root"]


def test_an_unknown_key_is_named_then_accepted_then_remembered_in_a_file_of_our_own(
    hosts, server, home, paths
):
    error = refused(hosts, address(server))
    assert (error.reference, int(error.exit_code)) == ("unknown-host-key", 4)
    assert error.details["fingerprint"] == server.fingerprint
    assert server.fingerprint in error.hint
    assert server.users == [], "nobody logged in"
    assert not (paths.state / "known_hosts").exists()
    hosts.open(address(server, accept=(server.fingerprint,))).close()
    assert (paths.state / "known_hosts").read_text().startswith(f"[127.0.0.1]:{server.port} ssh-ed25519 ")
    assert (paths.state / "known_hosts").stat().st_mode & 0o777 == 0o600
    hosts.open(address(server)).close()
    assert not (home / ".ssh" / "known_hosts").exists(), "the user's own file is not written"
    assert (paths.state / "known_hosts").read_text().count("\n") == 1


def test_a_key_accepted_for_once_is_not_remembered(hosts, server, paths):
    hosts.open(address(server, accept=(server.fingerprint,), remember=False)).close()
    assert not (paths.state / "known_hosts").exists()


def test_another_key_than_the_one_accepted_is_refused(hosts, server):
    other = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()
    assert refused(hosts, address(server, accept=(other,))).reference == "other-host-key"
    assert server.users == []


def test_a_changed_key_is_refused_even_where_it_was_accepted_before(hosts, server, home):
    server.trust(home / ".ssh" / "known_hosts", asyncssh.generate_private_key("ssh-ed25519"))
    error = refused(hosts, address(server))
    assert error.reference == "changed-host-key"
    assert "somebody in between" in error.message
    assert server.users == []


def test_a_broken_line_in_known_hosts_does_not_hide_the_others(hosts, server, home):
    file = home / ".ssh" / "known_hosts"
    file.write_bytes(b"nonsense\n\xff\xfe\n[127.0.0.1]:1 ssh-ed25519 AAAA\n# a comment\n")
    server.trust(file)
    hosts.open(address(server)).close()


def test_a_revoked_key_is_refused(hosts, server, home):
    file = home / ".ssh" / "known_hosts"
    server.trust(file)
    file.write_text("@revoked " + file.read_text())
    assert refused(hosts, address(server)).exit_code == 4
    assert server.users == []


def test_a_wrong_password_and_no_key_at_all(hosts, server):
    wrong = replace(address(server, accept=(server.fingerprint,)), password="wrong")
    error = refused(hosts, wrong)
    assert (error.reference, int(error.exit_code)) == ("wrong-password", 9)
    assert "wrong" not in repr(wrong).replace("wrong-", "")
    error = refused(hosts, replace(wrong, password=None))
    assert (error.reference, int(error.exit_code)) == ("login-refused", 9)
    assert server.commands == []


def test_a_key_file_and_the_users_config(hosts, server, home, paths):
    own = asyncssh.generate_private_key("ssh-ed25519")
    server.allowed = own
    own.write_private_key(str(home / "key"))
    server.trust(home / ".ssh" / "known_hosts")
    hosts.open(Address("127.0.0.1", port=server.port, identity=str(home / "key"), seconds=5.0)).close()
    (home / ".ssh" / "config").write_text(
        f"Host kestrel\n  HostName 127.0.0.1\n  Port {server.port}\n  User admin\n  IdentityFile {home}/key\n"
    )
    again = SshHosts(paths, KnownHosts(paths, (home / ".ssh" / "known_hosts",)), (home / ".ssh" / "config",))
    host = again.open(Address("kestrel", seconds=5.0))
    host.close()
    assert server.users == ["root", "admin"]
    assert (host.name, host.port) == ("kestrel", server.port)


def test_the_known_hosts_file_that_the_config_names_counts_instead(hosts, server, home, paths):
    server.trust(home / ".ssh" / "known_hosts", asyncssh.generate_private_key("ssh-ed25519"))
    server.trust(home / "mine")
    (home / ".ssh" / "config").write_text(f"UserKnownHostsFile {home}/mine\n")
    again = SshHosts(paths, KnownHosts(paths, (home / ".ssh" / "known_hosts",)), (home / ".ssh" / "config",))
    again.open(address(server)).close()


def test_a_key_that_cannot_be_read_is_named(hosts, server, home):
    for content in (None, "no key"):
        file = home / "key"
        if content:
            file.write_text(content)
        error = refused(hosts, Address("127.0.0.1", port=server.port, identity=str(file)))
        assert (error.reference, int(error.exit_code)) == ("bad-identity", 2)


def test_a_config_that_cannot_be_read_is_named(home, paths, server):
    (home / ".ssh" / "config").write_text("Port many\n")
    hosts = SshHosts(paths, KnownHosts(paths, ()), (home / ".ssh" / "config",))
    assert refused(hosts, Address("127.0.0.1")).reference == "bad-ssh-config"


def test_through_a_jump_host(hosts, server, home):
    with serving(SshServer()) as gate:
        gate.trust(home / ".ssh" / "known_hosts")
        server.trust(home / ".ssh" / "known_hosts")
        host = hosts.open(address(server, jump=f"root@127.0.0.1:{gate.port}"))
        assert take(host, lambda: 1.0).hostname == "kestrel"
        host.close()
        assert gate.forwarded == 1
        assert gate.commands == [], "nothing is executed on the way"


def test_the_key_of_a_jump_host_is_asked_about_too(hosts, server):
    with serving(SshServer()) as gate:
        where = address(server, jump=f"root@127.0.0.1:{gate.port}", accept=(server.fingerprint,))
        error = refused(hosts, where)
        assert error.details["fingerprint"] == gate.fingerprint
        hosts.open(replace(where, accept=(server.fingerprint, gate.fingerprint))).close()


def test_a_jump_host_that_makes_no_sense(hosts, server):
    for jump in ("gate:many", "gate:0", "user@", "gate:99999"):
        assert refused(hosts, address(server, jump=jump)).reference == "bad-address"


def test_a_closed_port_an_unknown_name_and_a_silent_port(hosts):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    error = refused(hosts, Address("127.0.0.1", port=port, seconds=3.0))
    assert (error.reference, int(error.exit_code)) == ("host-unreachable", 5)
    assert refused(hosts, Address("no-such-host.invalid", seconds=3.0)).reference == "host-unknown"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refused(hosts, Address("127.0.0.1", port=silent.getsockname()[1], seconds=0.5))
        assert error.reference == "connect-timeout"


def test_a_port_where_something_else_answers(hosts):
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer():
            line, _ = other.accept()
            line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            line.close()

        thread = threading.Thread(target=answer)
        thread.start()
        error = refused(hosts, Address("127.0.0.1", port=other.getsockname()[1], seconds=3.0))
        thread.join()
    assert (error.reference, int(error.exit_code)) == ("ssh-failed", 5)


@pytest.mark.parametrize(
    ("behaviour", "reference", "code"),
    [("drops", "connection-lost", 10), ("dies", "connection-lost", 10), ("hangs", "host-silent", 5)],
)
def test_a_survey_that_does_not_come_to_its_end_is_none(hosts, server, behaviour, reference, code):
    server.behaviour = behaviour
    host = hosts.open(address(server, accept=(server.fingerprint,)))
    with pytest.raises(WizardError) as raised:
        host.run(survey_script(), seconds=1.0)
    host.close()
    assert (raised.value.reference, int(raised.value.exit_code)) == (reference, code)
    assert raised.value.context == "nothing was changed there"


def test_no_thread_is_left_behind(hosts, server):
    for _ in range(3):
        hosts.open(address(server, accept=(server.fingerprint,))).close()
        refused(hosts, replace(address(server), password="wrong"))
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("ssh ")]
