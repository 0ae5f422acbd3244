"""An ssh server on loopback that runs what it is told in a real shell, with a ZFS played by a script on PATH.

`/` of the commands (`cd / &&`) is a directory of the test.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from smartos_wizard.reinstall.loop import Loop
from tests.unit.reinstall.ssh_server import listening

PLAYED_ZFS = Path(__file__).with_name("played_zfs.py")


@dataclass
class ShellServer:
    """Its root directory, what was run, and the troubles it makes.

    `cut`: so many bytes of a `zfs send`, or with `cut_in` into a `zfs recv`, and it hangs up. `more`: told to its commands.
    """

    place: Path
    key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    port: int = 0
    cut: int | None = None
    cut_in: int | None = None
    more: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root, self.state, self.bin = self.place / "root", self.place / "state", self.place / "bin"
        for folder in (self.root / "etc/zones", self.root / "usbkey/ssh", self.state, self.bin):
            folder.mkdir(parents=True)
        for name in ("zfs", "zpool", "hostid", "vmadm", "zonecfg", "imgadm"):
            (self.bin / name).symlink_to(PLAYED_ZFS)

    def put(self, path: str, text: str) -> None:
        """A file of the machine."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def dataset(self, name: str, data: bytes) -> None:
        """A dataset that holds these bytes."""
        (self.state / name.replace("/", "%")).write_bytes(data)

    @property
    def datasets(self) -> dict[str, bytes]:
        """All datasets and snapshots with what they hold."""
        return {path.name.replace("%", "/"): path.read_bytes() for path in self.state.iterdir()}

    async def process(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        command = process.command or ""
        self.commands.append(command)
        env = {
            **os.environ,
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "STATE": str(self.state),
            "ROOT": str(self.root),
            **self.more,
        }
        child = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", command.replace("cd / &&", f"cd {self.root} &&"), env=env,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert child.stdin and child.stdout and child.stderr
        cut = self.cut if "zfs send " in command and " -nP" not in command else None
        cut_in = self.cut_in if "zfs recv -s" in command else None
        tasks = [
            asyncio.ensure_future(_pump(process, child.stdin, cut_in)),
            asyncio.ensure_future(self._out(process, child.stdout, cut)),
            asyncio.ensure_future(_copy(child.stderr, process.stderr)),
        ]
        try:
            await asyncio.gather(*tasks[1:])
            tasks[0].cancel()
            process.exit(await child.wait())
        except (OSError, asyncssh.Error, asyncio.CancelledError):
            if (
                not child.stdin.is_closing()
            ):  # a receive keeps what came, as a real one does at the end of its input
                with suppress(ProcessLookupError):
                    child.kill()
            for task in tasks:
                task.cancel()
            await child.wait()
        finally:
            # The loop may end while this waits: take the process's end at once, whoever else wanted to.
            began = child._transport.get_extra_info("subprocess")  # type: ignore[attr-defined]
            if began is not None and began.poll() is None:
                began.kill()
                began.wait()
            child._transport.close()  # type: ignore[attr-defined]

    async def _out(
        self, process: asyncssh.SSHServerProcess[bytes], source: asyncio.StreamReader, cut: int | None
    ) -> None:
        sent = 0
        while piece := await source.read(1 << 15):
            process.stdout.write(piece)
            await process.stdout.drain()
            sent += len(piece)
            if cut is not None and sent >= cut:
                process.channel.get_connection().abort()
                return


async def _pump(
    process: asyncssh.SSHServerProcess[bytes], target: asyncio.StreamWriter, cut: int | None
) -> None:
    taken = 0
    with suppress(OSError, asyncssh.Error):
        while piece := await process.stdin.read(1 << 15):
            target.write(piece)
            await target.drain()
            taken += len(piece)
            if cut is not None and taken >= cut:
                process.channel.get_connection().abort()
                break
    target.close()


async def _copy(source: asyncio.StreamReader, target: asyncssh.SSHWriter[bytes]) -> None:
    while piece := await source.read(1 << 15):
        target.write(piece)
        await target.drain()


@contextmanager
def serving(server: ShellServer) -> Iterator[ShellServer]:
    """The server, until the block ends."""
    loop = Loop("test shell server")

    class _Server(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            server.connections.append(conn)

        def begin_auth(self, username: str) -> bool:
            return False

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            _Server, "127.0.0.1", server.port, server_host_keys=[server.key], process_factory=server.process, encoding=None
        )  # fmt: skip

    with listening(loop, start(), server.connections) as server.port:
        yield server
