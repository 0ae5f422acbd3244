"""A machine that is reached by its serial console: logs in there, and runs one command at a time. Satisfies `StreamHost`.

A command is a file that arrived whole, is started exactly once, and goes on where the console is lost; its answer is fetched
when it has ended, so a slow line carries a MiB at most. What is read and written there lies in memory, below /tmp.
"""

from __future__ import annotations

import contextlib
import re
import time
import zlib
from collections.abc import Iterable, Iterator

from smartos_wizard.core.errors import (
    Cancelled,
    DeviceLost,
    NetworkFailed,
    WizardError,
)
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.console_login import LOGIN_WAITS, RESCUE_PASSWORD, let_in
from smartos_wizard.reinstall.console_port import Console
from smartos_wizard.reinstall.console_reading import RESTARTS, Reader, Seen, Stop, look
from smartos_wizard.reinstall.console_session import PATIENCE, NoAnswer, Session
from smartos_wizard.reinstall.streams import END, CommandFailed

LIMIT = 1 << 20
"""No answer may be longer, in bytes: at 115200 baud it takes minutes."""
FEED = 256 << 10
"""No more may be fed to a command."""
_PACK = 4096
_REBOOTS = re.compile(r"\b(?:reboot|poweroff|halt|shutdown|uadmin|sdc-factoryreset)\b")
_NEVER: Stop = lambda: False  # noqa: E731


class ConsoleShell:
    """A machine at the other end of a serial console. `log_in` comes first. `close` logs out, and closes the console unless it is to `keep`."""

    def __init__(
        self, console: Console, name: str = "", patience: float = PATIENCE, *, keep: bool = False
    ) -> None:
        self._console, self._keep = console, keep
        self._name = tame(name or console.name, 80)
        self._reader = Reader(console)
        self._patience = patience
        self._session: Session | None = None
        self._logged_in = False
        self._sent: list[str] = []
        self._count = 0
        self._reboots = False

    # ------------------------------------------------------------------ what it is

    @property
    def name(self) -> str:
        """How the user called it."""
        return self._name

    @property
    def console(self) -> Console:
        """What it is reached by; a `Loader` goes on with it after `leave`."""
        return self._console

    @property
    def port(self) -> int:
        """None: it was reached by no port of ssh."""
        return 0

    @property
    def host_key(self) -> str:
        """A console has none."""
        return ""

    @property
    def sent(self) -> list[str]:
        """Every command that was run, in order; a script stands after its command."""
        return self._sent

    def look(self, seconds: float = 5.0, *, probe: bool = True) -> Seen:
        """What the console shows. With `probe` it is asked where it is silent (`console_reading.PROBES`). Raises DeviceLost."""
        if self._session is not None:
            return Seen.SHELL
        return look(self._reader, seconds, probe=probe)

    # ------------------------------------------------------------------ in and out

    def log_in(
        self,
        password: str = RESCUE_PASSWORD,
        user: str = "root",
        *,
        seconds: float = LOGIN_WAITS,
        stop: Stop = _NEVER,
    ) -> None:
        """Log in, or take the shell that is there already. A machine that boots is waited for, `seconds` at most.

        Raises NetworkFailed `console-at-setup`, `console-at-loader`, `console-silent`; PrivilegeFailed `login-refused`;
        NoAnswer, DeviceLost, Cancelled. In every case nothing was changed there.
        """
        self._logged_in = let_in(self._reader, self._name, user, password, seconds, stop)
        session = Session(self._reader, self._name, self._patience)
        session.begin(stop)
        self._session, self._reboots = session, False

    def close(self) -> None:
        """Log out where this logged in, and close the console. Nothing is raised.

        After a command that reboots nothing more is typed: it may be the loader that reads it.
        """
        session, self._session = self._session, None
        if session is not None and self._reboots:
            self._console.note(RESTARTS)
        elif session is not None:
            with contextlib.suppress(WizardError):
                session.line(f"rm -f $D/?{self._count};rmdir $D/b{self._count};r # $?", tries=1)
            session.end()
            if self._logged_in:
                with contextlib.suppress(WizardError):
                    self._reader.send(b" exit\r")
                    self._reader.settle(2.0)
        if not self._keep:
            self._console.close()

    # ------------------------------------------------------------------ commands

    def run(self, script: str, seconds: float = 600.0) -> str:
        """As `Host.run`: what the script prints, whatever it returns. Raises NetworkFailed `host-silent`, DeviceLost."""
        self._sent += ["/bin/sh -s", script]
        until = time.monotonic() + seconds
        try:
            self._start(script, b"", lambda: time.monotonic() > until)
            self._ended(lambda: time.monotonic() > until)
            return self._answer("o", "/bin/sh -s", _NEVER).decode("utf-8", "replace")
        except Cancelled:
            raise NetworkFailed("host-silent", f"{self._name} did not answer all questions within {round(seconds)} seconds.",
                                hint="A pool that hangs can be the cause. Look at the machine's console, or try again.") from None  # fmt: skip
        except NoAnswer as error:
            raise _lost(self._name, error) from error

    def stream(self, command: str, stop: Stop = _NEVER) -> Iterator[bytes]:
        """As `StreamHost.stream`; what it says comes when it has ended, LIMIT at most."""
        self._sent.append(command)
        said, failed = self._run(command, b"", stop)
        if said:
            yield said
        if failed is not None:
            raise failed

    def feed(self, command: str, chunks: Iterable[bytes], stop: Stop = _NEVER) -> bytes:
        """As `StreamHost.feed`; FEED at most goes in, before the command is started."""
        self._sent.append(command)
        given = bytearray()
        for chunk in chunks:
            given += chunk
            if len(given) > FEED:
                raise CommandFailed(
                    self._name,
                    command,
                    None,
                    f"a serial console carries {FEED >> 10} KiB at most; it was not started",
                )
        said, failed = self._run(command, bytes(given), stop)
        if failed is not None:
            raise failed
        return said

    def leave(self, command: str) -> None:
        """Start a command that ends the session, `reboot` above all, and return once it was started, which happens once at most.

        What the console says from then on is left to whoever reads it next: a `Loader`, or `log_in` again.
        Raises NoAnswer, DeviceLost where it was not started.
        """
        self._sent.append(command)
        session = self._prepare(command, b"", _NEVER)
        self._session, self._logged_in = None, False
        try:
            self._begin(
                session, tries=1
            )  # a line without answer is not typed again: the loader may read it then
        except NoAnswer:
            pass  # too late to answer
        except DeviceLost as error:
            if error.reference != "connection-lost":  # this one says that it restarts
                raise
        if self._reboots:
            self._console.note(RESTARTS)
        self._reader.give_back()

    def _need(self) -> Session:
        if self._session is None:
            raise WizardError(
                "console-not-logged-in",
                f"Nobody is logged in on the console of {self._name}.",
                hint="Log in first.",
            )
        return self._session

    def _run(self, command: str, given: bytes, stop: Stop) -> tuple[bytes, CommandFailed | None]:
        try:
            self._start(command, given, stop)
            status = self._ended(stop)
            said = self._answer("o", command, stop)
            if status == 0:
                return said, None
            complaint = self._answer("e", command, stop)[-END:].decode("utf-8", "replace")
            return said, CommandFailed(self._name, command, status, complaint)
        except NoAnswer as error:
            raise _lost(self._name, error) from error

    def _prepare(self, command: str, given: bytes, stop: Stop) -> Session:
        session = self._need()
        self._reboots = _REBOOTS.search(command) is not None
        if self._count:
            session.line(f"rm -f $D/?{self._count};rmdir $D/b{self._count} 2>/dev/null;r # $?", stop)
        self._count += 1
        session.put(f"i{self._count}", given, stop)
        session.put(f"k{self._count}", command.encode() + b"\n", stop)
        return session

    def _start(self, command: str, given: bytes, stop: Stop) -> None:
        self._begin(self._prepare(command, given, stop))

    def _begin(self, session: Session, tries: int = 4) -> None:
        """Start what was prepared; once, however often the line arrives, and surely, should its number get lost."""
        for _ in range(4):
            session.line(f"sh $D/w {self._count}& P=$!;r # go", tries=tries)
            for pause in (0.05, 0.2, 0.5, 1.0):
                if session.line(f'r # "$(cat $D/p{self._count} 2>/dev/null)"', tries=tries).isdigit():
                    return
                time.sleep(pause)
        raise NoAnswer("console-no-start", f"A command could not be started on the console of {self._name}.",
                       hint="Look at the console.", context=f"last said: {self._reader.last}")  # fmt: skip

    def _ended(self, stop: Stop) -> int:
        """What it returned. Raises Cancelled after it was told to end."""
        session, pause = self._need(), 0.05
        while True:
            said = session.line(f'r # "$(cat $D/s{self._count} 2>/dev/null)"')
            if said.isdigit():
                return int(said)
            if stop():
                session.line(f"kill -15 -$P 2>/dev/null||kill -15 $(cat $D/p{self._count});r # $?")
                raise Cancelled("cancelled", f"Stopped; the command on {self._name} was told to end.")
            pause = min(1.0, pause * 1.5)
            time.sleep(pause)

    def _answer(self, name: str, command: str, stop: Stop) -> bytes:
        session, name = self._need(), f"{name}{self._count}"
        _, size = session.size(name, stop)
        if size > LIMIT:
            raise CommandFailed(
                self._name,
                command,
                None,
                f"it says {size:,} bytes, and a serial console carries {LIMIT >> 20} MiB at most",
            )
        if (
            size > _PACK
            and session.line(f"gzip -c <$D/{name} >$D/z{self._count} 2>/dev/null;r # $?", stop) == "0"
        ):
            try:
                said = zlib.decompressobj(wbits=31).decompress(session.get(f"z{self._count}", stop), LIMIT)
            except zlib.error:
                said = b""
            if len(said) == size:
                return said
        return session.get(name, stop)


def _lost(name: str, error: NoAnswer) -> DeviceLost:
    return DeviceLost(
        "connection-lost",
        f"{name} does not answer on its console any more.",
        hint=error.hint,
        context=error.context,
    )
