"""Streams over an ssh connection. ssh itself makes the other side wait where this side is slow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any, TypeVar, cast

import asyncssh

from smartos_wizard.core.errors import Cancelled, DeviceLost
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.connect import SshHost
from smartos_wizard.reinstall.ports import Host
from smartos_wizard.reinstall.streams import CHUNK, END, SMALL, CommandFailed, Stop, StreamHost

_ASK_EVERY = 0.5
"""So often, in seconds, it is asked whether to stop while nothing comes."""
T = TypeVar("T")


def streaming(host: Host) -> StreamHost:
    """The host with streams; one that has them already is returned as it is."""
    return SshStreams(host) if isinstance(host, SshHost) else cast(StreamHost, host)


class SshStreams:
    """A machine at the other end of an ssh connection. Satisfies `StreamHost`."""

    def __init__(self, host: SshHost) -> None:
        self._host = host
        self._loop, self._connection = host.wire

    @property
    def name(self) -> str:
        """How the user called it."""
        return self._host.name

    @property
    def port(self) -> int:
        """The port it was reached at."""
        return self._host.port

    @property
    def host_key(self) -> str:
        """The fingerprint of its key."""
        return self._host.host_key

    @property
    def sent(self) -> list[str]:
        """Every command that was sent."""
        return self._host.sent

    def run(self, script: str, seconds: float = 300.0) -> str:
        """What a script prints."""
        return self._host.run(script, seconds)

    def close(self) -> None:
        """Let go of the connection."""
        self._host.close()

    def stream(self, command: str, stop: Stop = lambda: False) -> Iterator[bytes]:
        """As `StreamHost.stream`."""
        talk = self._begin(command, stop)
        try:
            talk.process.stdin.write_eof()
            while chunk := self._until(talk.process.stdout.read(CHUNK), stop):
                yield chunk
            self._end(talk, command, stop)
        finally:
            self._close(talk)

    def feed(self, command: str, chunks: Iterable[bytes], stop: Stop = lambda: False) -> bytes:
        """As `StreamHost.feed`."""
        talk = self._begin(command, stop)
        try:
            self._loop.call(talk.listen())
            for chunk in chunks:
                if not self._until(talk.write(chunk), stop):
                    break
            self._until(talk.no_more(), stop)
            self._end(talk, command, stop)
            return bytes(talk.said)
        finally:
            self._close(talk)

    def _begin(self, command: str, stop: Stop) -> _Talk:
        self.sent.append(command)
        return self._until(_begun(self._connection, command), stop)

    def _until(self, work: Coroutine[Any, Any, T], stop: Stop) -> T:
        """What the work gives; meanwhile it is asked whether to stop."""
        if stop():
            work.close()
            raise _stopped(self.name)
        try:
            task, done = self._loop.call(_started(work))
            while not done:
                if stop():
                    raise _stopped(self.name)
                done = self._loop.call(_waited(task))
            return task.result()
        except (OSError, asyncssh.Error) as error:
            raise _lost(self.name, error) from error

    def _end(self, talk: _Talk, command: str, stop: Stop) -> None:
        """Raise where the command did not end well."""
        self._until(talk.ended(), stop)
        status, signal = talk.process.exit_status, talk.process.exit_signal
        if signal is not None or (status is not None and status != 0):
            complaint = bytes(talk.complaint).decode("utf-8", "replace")
            raise CommandFailed(self.name, command, None if signal is not None else status, complaint)
        if status is None:
            raise _lost(self.name, None)

    def _close(self, talk: _Talk) -> None:
        with contextlib.suppress(Exception):
            self._loop.call(talk.close())


class _Talk:
    """One command that runs there. What it says on stderr, and on stdout while it is fed, is kept up to a limit."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self.process = process
        self.said, self.complaint = bytearray(), bytearray()
        self._tasks = [asyncio.ensure_future(_keep(process.stderr, self.complaint, END, last=True))]

    async def listen(self) -> None:
        self._tasks.append(asyncio.ensure_future(_keep(self.process.stdout, self.said, SMALL, last=False)))

    async def write(self, chunk: bytes) -> bool:
        """Whether it still takes more. It waits while the other side is slow."""
        try:
            self.process.stdin.write(chunk)
            await self.process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return False
        return not self.process.stdin.is_closing()

    async def no_more(self) -> None:
        with contextlib.suppress(OSError):
            self.process.stdin.write_eof()

    async def ended(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.process.wait_closed()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.process.close()
        async with asyncio.timeout(3):
            await self.process.wait_closed()


async def _begun(connection: asyncssh.SSHClientConnection, command: str) -> _Talk:
    return _Talk(await connection.create_process(command, encoding=None))


async def _keep(stream: asyncssh.SSHReader[bytes], into: bytearray, most: int, *, last: bool) -> None:
    while piece := await stream.read(CHUNK):
        into += piece
        if len(into) > most:
            if last:
                del into[: len(into) - most]
            else:
                del into[most:]


async def _started(work: Coroutine[Any, Any, T]) -> tuple[asyncio.Task[T], bool]:
    task = asyncio.ensure_future(work)
    return task, await _waited(task)


async def _waited(task: asyncio.Task[T]) -> bool:
    done, _ = await asyncio.wait({task}, timeout=_ASK_EVERY)
    return bool(done)


def _stopped(name: str) -> Cancelled:
    return Cancelled("cancelled", f"Stopped; the command on {name} was ended.")


def _lost(name: str, error: Exception | None) -> DeviceLost:
    said = f": {tame(str(error), 120)}" if error is not None and str(error) else ""
    return DeviceLost(
        "connection-lost",
        f"The connection to {name} was lost in the middle{said}.",
        hint="Give the same command again: what is finished and proven is not done a second time.",
    )
