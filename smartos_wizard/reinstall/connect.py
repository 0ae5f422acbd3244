"""Machines over ssh: the user's config, agent and keys, or a password; host keys known, asked about, or refused.

An asynchronous core (asyncssh) with a small synchronous front. Everything that is sent to be executed is listed in
`SshHost.sent`, and nothing else is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncssh

from smartos_wizard.core.errors import (
    DeviceLost,
    NetworkFailed,
    PrivilegeFailed,
    Refused,
    UsageProblem,
    WizardError,
)
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.answers import LIMIT
from smartos_wizard.reinstall.known import KnownHosts
from smartos_wizard.reinstall.loop import Loop
from smartos_wizard.reinstall.ports import Address

SHELL = "/bin/sh -s"
"""The one command that a survey sends; the script is what it reads."""
_ALIVE = 15
_NOTHING = "nothing was changed there"


class _Client(asyncssh.SSHClient):
    """Sees the host's key, and lets in the one that the user accepted."""

    def __init__(self, accept: tuple[str, ...]) -> None:
        self.key: asyncssh.SSHKey | None = None
        self._accept = accept

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        """Asked only where no known key matches."""
        self.key = key
        return key.get_fingerprint() in self._accept


@dataclass(slots=True)
class _Line:
    """An open connection, with those it goes through."""

    connection: asyncssh.SSHClientConnection
    below: tuple[asyncssh.SSHClientConnection, ...] = ()
    host: str = ""
    port: int = 22
    key: str = ""


@dataclass(slots=True)
class SshHost:
    """A machine at the other end of an ssh connection. Satisfies `Host`."""

    name: str
    port: int
    host_key: str
    _line: _Line
    _loop: Loop
    sent: list[str] = field(default_factory=list)

    def run(self, script: str, seconds: float = 600.0) -> str:
        """What the script prints. Raises NetworkFailed `host-silent` after `seconds`, DeviceLost `connection-lost`."""
        self.sent += [SHELL, script]
        return self._loop.call(self._run(script, seconds))

    async def _run(self, script: str, seconds: float) -> str:
        try:
            async with asyncio.timeout(seconds):
                async with self._line.connection.create_process(SHELL, encoding=None) as process:
                    process.stdin.write(script.encode())
                    process.stdin.write_eof()
                    said = await _read(process.stdout)
                    await process.wait_closed()
        except TimeoutError:
            raise NetworkFailed(
                "host-silent",
                f"{self.name} did not answer all questions within {round(seconds)} seconds.",
                hint="A pool that hangs can be the cause. Look at the machine's console, or try again.",
                context=_NOTHING,
            ) from None
        except (OSError, asyncssh.Error) as error:
            raise _lost(self.name, error) from error
        if process.exit_status is None or process.exit_status < 0:
            raise _lost(self.name, None)
        return said.decode("utf-8", "replace")

    @property
    def wire(self) -> tuple[Loop, asyncssh.SSHClientConnection]:
        """What `ssh_streams` works with."""
        return self._loop, self._line.connection

    def close(self) -> None:
        """Close the connection, and those it went through."""
        with contextlib.suppress(Exception):
            self._loop.call(_close(self._line))
        self._loop.close()


async def _read(stream: asyncssh.SSHReader[bytes]) -> bytes:
    said = bytearray()
    while piece := await stream.read(1 << 16):
        said += piece
        if len(said) > LIMIT:
            break
    return bytes(said)


async def _close(line: _Line) -> None:
    for connection in (line.connection, *line.below):
        connection.close()
    async with asyncio.timeout(3):
        await line.connection.wait_closed()


class SshHosts:
    """The way to machines by ssh. Satisfies `Hosts`."""

    def __init__(
        self, paths: Paths, known: KnownHosts | None = None, config: tuple[Path, ...] | None = None
    ) -> None:
        self._known = known or KnownHosts(paths)
        own = Path.home() / ".ssh" / "config"
        self._config = [str(path) for path in (config if config is not None else (own,)) if path.is_file()]

    def open(self, address: Address) -> SshHost:
        """Connect and log in. Raises, and nothing was sent to be executed then:

        UsageProblem `bad-address`, `bad-identity`, `bad-ssh-config`; NetworkFailed `host-unknown`, `host-unreachable`,
        `connect-timeout`, `ssh-failed`; Refused `unknown-host-key` (with `fingerprint`), `changed-host-key`,
        `other-host-key`; PrivilegeFailed `wrong-password`, `login-refused`.
        """
        logging.getLogger("asyncssh").setLevel(logging.ERROR)
        loop = Loop(f"ssh {address.host}")
        try:
            line = loop.call(self._connect(address, ()))
        except BaseException:
            loop.close()
            raise
        return SshHost(address.host, line.port, line.key, line, loop)

    async def _connect(self, address: Address, through: tuple[str, ...]) -> _Line:
        options = self._options(address)
        jump = address.jump or str(options.config.get("ProxyJump") or "")
        below: _Line | None = None
        if jump and jump != "none":
            if len(through) >= 4 or jump in through:
                raise UsageProblem(
                    "bad-address", f"The jump hosts go round in a circle: {' → '.join((*through, jump))}"
                )
            below = await self._connect(_jump(jump, address), (*through, jump))
        try:
            return await self._log_in(address, options, below)
        except BaseException:
            if below is not None:
                with contextlib.suppress(Exception):
                    await _close(below)
            raise

    def _options(self, address: Address) -> asyncssh.SSHClientConnectionOptions:
        said = {
            "username": address.user or None, "port": address.port,
            "client_keys": [str(Path(address.identity).expanduser())] if address.identity else None, "password": address.password,
        }  # fmt: skip
        given = {name: value for name, value in said.items() if value is not None}
        try:
            options = asyncssh.SSHClientConnectionOptions(
                host=address.host, config=self._config, tunnel=None,
                connect_timeout=address.seconds, login_timeout=address.seconds,
                keepalive_interval=_ALIVE, keepalive_count_max=3, **given,
            )  # fmt: skip
            if not address.user and not options.config.get("User"):
                options = asyncssh.SSHClientConnectionOptions(options, username="root")
        except asyncssh.ConfigParseError as error:
            raise UsageProblem(
                "bad-ssh-config", f"Your ssh config cannot be read: {tame(str(error), 200)}"
            ) from error
        except (OSError, ValueError, asyncssh.Error) as error:
            raise UsageProblem(
                "bad-identity" if address.identity else "bad-address",
                f"{address.identity or address.host}: {tame(str(error), 200)}",
                hint="A key with a passphrase is used through the agent: ssh-add FILE."
                if address.identity
                else "",
            ) from error
        return options

    async def _log_in(
        self, address: Address, options: asyncssh.SSHClientConnectionOptions, below: _Line | None
    ) -> _Line:
        host, port = str(options.host_key_alias or options.host), int(options.port)
        named = options.config.get("UserKnownHostsFile")
        files = tuple(Path(str(each)).expanduser() for each in (named if isinstance(named, list) else []))
        trusted = ([], [], []) if address.only else self._known.match(host, port, files)
        client = _Client(address.accept)
        own_way = {"proxy_command": None} if below else {}
        try:
            async with asyncio.timeout(address.seconds + 5):
                connection = await asyncssh.connect(
                    options.host, port, tunnel=below.connection if below else None,
                    options=asyncssh.SSHClientConnectionOptions(options, known_hosts=trusted, client_factory=lambda: client, **own_way),
                )  # fmt: skip
        except asyncssh.HostKeyNotVerifiable as error:
            raise _key_problem(address, trusted, client.key) from error
        except (TimeoutError, OSError, asyncssh.Error) as error:
            raise _problem(address, error) from error
        key = connection.get_server_host_key()
        fingerprint = key.get_fingerprint() if key is not None else ""
        if client.key is not None and key is not None and address.remember:
            self._known.remember(host, port, key)
        through = (below.connection, *below.below) if below else ()
        return _Line(connection, through, host, port, fingerprint)


def _jump(words: str, address: Address) -> Address:
    """`[user@]host[:port]`; of several with commas the last is nearest to the machine, and is reached through the others."""
    rest, _, last = words.rpartition(",")
    user, _, place = last.strip().rpartition("@")
    host, port = place, None
    if place.count(":") == 1:
        host, _, said = place.partition(":")
        if not (said.isascii() and said.isdigit() and len(said) <= 5 and 0 < int(said) < 65536):
            raise UsageProblem("bad-address", f"No port: {tame(said)!r} of the jump host.")
        port = int(said)
    if not host:
        raise UsageProblem("bad-address", f"No host to jump through: {tame(words)!r}.")
    return replace(address, host=host.strip("[]"), user=user, port=port, jump=rest, only=False)


def _key_problem(
    address: Address, trusted: tuple[list[asyncssh.SSHKey], ...], key: asyncssh.SSHKey | None
) -> WizardError:
    found = key.get_fingerprint() if key is not None else ""
    kind = key.get_algorithm() if key is not None else ""
    if trusted[0]:
        return Refused(
            "changed-host-key",
            f"{address.host} shows another key than the one remembered for it. It may be another machine, or somebody in between.",
            hint="If it was re-installed, compare the fingerprint on its console, then take the old line out of the known_hosts file.",
            context=f"{kind} {found}; nothing was sent",
            fingerprint=found,
        )  # fmt: skip
    if address.accept:
        return Refused(
            "other-host-key",
            f"{address.host} shows another key than the one accepted.",
            hint="Compare the fingerprint with the one on the machine's console.",
            context=f"{kind} {found}; nothing was sent",
            fingerprint=found,
        )
    return Refused(
        "unknown-host-key",
        f"The key of {address.host} is not known here: {kind} {found}",
        hint="Compare it on the machine's console (ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub), then accept it: "
        f"--accept-host-key {found}",
        context="nothing was sent",
        fingerprint=found,
        algorithm=kind,
        host=address.host,
    )


def _problem(address: Address, error: Exception) -> WizardError:
    where = address.host
    if isinstance(error, asyncssh.PermissionDenied):
        if address.password is not None:
            return PrivilegeFailed("wrong-password", f"{where} does not accept this user with this password.", context=_NOTHING)  # fmt: skip
        return PrivilegeFailed(
            "login-refused", f"{where} accepts none of your keys for this user.",
            hint="Log in with a password (--ask-password), another user (--user) or another key (--identity).", context=_NOTHING,
        )  # fmt: skip
    if isinstance(error, TimeoutError):
        return NetworkFailed("connect-timeout", f"{where} did not answer within {round(address.seconds)} seconds.", hint="Is it switched on, and is this its address?", context=_NOTHING)  # fmt: skip
    if isinstance(error, asyncssh.ChannelOpenError):
        return NetworkFailed("host-unreachable", f"{where} cannot be reached from the jump host: {tame(str(error), 120)}", context=_NOTHING)  # fmt: skip
    if isinstance(error, OSError) and not isinstance(error, ConnectionResetError | BrokenPipeError):
        unknown = type(error).__name__ == "gaierror"
        return NetworkFailed(
            "host-unknown" if unknown else "host-unreachable",
            f"No machine is known by the name {where}." if unknown else f"{where} cannot be reached: {tame(str(error), 120)}",
            hint="Is the name right?" if unknown else "Is it switched on, is sshd running there, and is this its port?", context=_NOTHING,
        )  # fmt: skip
    return NetworkFailed("ssh-failed", f"No ssh connection to {where} came about: {tame(str(error), 200)}", context=_NOTHING)  # fmt: skip


def _lost(name: str, error: Exception | None) -> WizardError:
    said = f": {tame(str(error), 120)}" if error is not None and str(error) else ""
    return DeviceLost("connection-lost", f"The connection to {name} was lost before all answers were there{said}.", hint="Try again; asking changes nothing there.", context=_NOTHING)  # fmt: skip
