"""An ssh server on loopback (asyncssh's own), which answers a survey in the way a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from smartos_wizard.reinstall.loop import Loop

PASSWORD = "sesame"


@dataclass
class SshServer:
    """What it says, what it saw, and its keys."""

    answers: str = ""
    behaviour: str = "answers"
    allowed: asyncssh.SSHKey | None = None
    key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    port: int = 0
    commands: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    forwarded: int = 0
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        return self.key.get_fingerprint()

    def trust(self, file: Path, key: asyncssh.SSHKey | None = None) -> None:
        """Write its key, or another, into a known_hosts file."""
        words = (key or self.key).export_public_key("openssh").decode().split()
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as known:
            known.write(f"[127.0.0.1]:{self.port} {words[0]} {words[1]}\n")

    def factory(self) -> asyncssh.SSHServer:
        outer = self

        class _Server(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                outer.connections.append(conn)

            def begin_auth(self, username: str) -> bool:
                outer.users.append(username)
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return username == "root" and password == PASSWORD

            def public_key_auth_supported(self) -> bool:
                return outer.allowed is not None

            def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
                return outer.allowed is not None and key == outer.allowed.convert_to_public()

            def connection_requested(
                self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
            ) -> bool:
                outer.forwarded += 1
                return True

        return _Server()

    async def process(self, process: asyncssh.SSHServerProcess[str]) -> None:
        self.commands.append(process.command or "")
        self.scripts.append(await process.stdin.read())
        match self.behaviour:
            case "answers":
                process.stdout.write(self.answers)
                process.exit(0)
            case "drops":
                process.stdout.write(self.answers[: len(self.answers) // 2])
                await process.stdout.drain()
                process.channel.get_connection().abort()
            case "hangs":
                process.stdout.write(self.answers[:100])
                await asyncio.sleep(60)
            case "dies":
                process.stdout.write(self.answers[: len(self.answers) // 2])
                process.exit_with_signal("TERM")


@contextmanager
def listening(
    loop: Loop,
    start: Coroutine[Any, Any, asyncssh.SSHAcceptor],
    connections: list[asyncssh.SSHServerConnection],
) -> Iterator[int]:
    """A server in a loop of its own, until the block ends: its port."""
    acceptor = loop.call(start)

    async def stop() -> None:
        acceptor.close()
        for connection in connections:
            connection.abort()
        await acceptor.wait_closed()

    try:
        yield acceptor.get_port()
    finally:
        loop.call(stop())
        loop.close()


@contextmanager
def serving(server: SshServer) -> Iterator[SshServer]:
    """The server, until the block ends."""
    loop = Loop("test ssh server")

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            server.factory,
            "127.0.0.1",
            server.port,
            server_host_keys=[server.key],
            process_factory=server.process,
        )

    with listening(loop, start(), server.connections) as server.port:
        yield server
