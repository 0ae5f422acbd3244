"""A shell on a serial console that programs talk to: lines that are answered, and files that arrive whole or not at all.

What is typed may lose letters, and what is printed may have the kernel's words in it. So every line is answered with a number
and a word that nobody else knows, whatever is sent or fetched is compared by length and checksum, and only lines that
may be repeated are typed again when no answer comes. No line may do harm if letters of it are lost, whichever they are:
so nothing is removed but named files, and commands are never typed, but sent as files and started by a number.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import time

from smartos_wizard.core.errors import DeviceLost, WizardError
from smartos_wizard.reinstall.console_frames import LINE, PIECE, TURN_BACK, cksum, printed, reply, typed
from smartos_wizard.reinstall.console_reading import Reader, Seen, Stop

PATIENCE = 15.0
"""Seconds until a line without an answer is typed again. A machine that is busy answers late."""
_TRIES = 4
_BREAK, _ENTER = b"\x03", b"\r"
_GONE = frozenset((Seen.MENU, Seen.OPTIONS, Seen.PROMPT, Seen.BOOTING, Seen.LOGIN, Seen.SETUP))
"""What a shell that is still there does not show."""
_WRAPPER = """D={place}
mkdir $D/b$1 2>/dev/null || exit
trap '' 1
sh $D/k$1 <$D/i$1 >$D/o$1 2>$D/e$1 &
echo $! >$D/p$1
wait $!
echo $? >$D/t$1
mv $D/t$1 $D/s$1
"""
"""Starts the command of a number once, however often it is called; it outlives the console."""
_SUM = re.compile(r"\d{1,10} \d{1,15}")


class NoAnswer(WizardError):
    """What was typed at a shell was not answered, or came back broken, however often; the console is there."""


class Session:
    """A quiet `sh` below whatever shell was there, with a directory of its own in memory (/tmp)."""

    def __init__(self, reader: Reader, name: str, patience: float = PATIENCE) -> None:
        self._reader, self._name, self._patience = reader, name, patience
        self._nonce = secrets.token_hex(4)
        self._number = self._depth = 0
        self.place = f"/tmp/.smartos-wizard-{self._nonce}"

    def begin(self, stop: Stop = lambda: False) -> None:
        """Start it. Raises NoAnswer `console-no-shell`, `console-garbled`, DeviceLost, Cancelled."""
        reader = self._reader
        for _ in range(_TRIES):
            self._depth += 1
            for words in (
                "ENV= PS1= PS2= sh", "stty -echo;PS1=;PS2=;cd /", f"N={self._nonce};D={self.place}",
                "r(){ printf '\\n~%s:%s:%s~\\n' \"$N\" \"$1\" \"$2\";}",
            ):  # fmt: skip
                reader.forget()
                reader.send(f" {words}\r".encode())
                reader.settle(5.0)
            with contextlib.suppress(NoAnswer):
                if self.line("mkdir -m 700 $D 2>/dev/null;r # $D", stop, tries=1) == self.place:
                    self.put("w", _WRAPPER.format(place=self.place).encode(), stop)
                    return
            reader.send(_BREAK)
            reader.settle()
        raise self._none("console-no-shell", "no shell answers", "Is somebody else at it, or a program still running there?")  # fmt: skip

    def line(self, words: str, stop: Stop = lambda: False, *, tries: int = _TRIES) -> str:
        """Type a line; what its answer says. In the line ` # ` stands for its number.

        Raises NoAnswer `console-no-answer`, DeviceLost `connection-lost` where the shell has gone, Cancelled.
        """
        for left in reversed(range(tries)):
            self._number += 1
            text = " " + words.replace(" # ", f" {self._number} ")
            assert len(text) <= LINE, text
            self._reader.forget()
            self._reader.send(text.encode() + _ENTER)
            answer = reply(self._nonce, self._number)
            said = self._answered(answer, stop)
            if said is not None:
                return said
            if left:
                self._reader.send(_BREAK)  # a quote may have lost its end
                self._reader.settle(2.0)
        raise self._none("console-no-answer", "its shell does not answer", "Look at the console.")

    def put(self, name: str, data: bytes, stop: Stop = lambda: False) -> None:
        """Make the file `$D/name` hold these bytes. Raises NoAnswer `console-garbled`, DeviceLost, Cancelled."""
        whole = cksum(data)
        room = LINE - len(" printf %b ''>>$D/x;r 1000000 $?")
        for _ in range(_TRIES):
            if self.line(": >$D/x;r # $?", stop) != "0":
                raise self._none(
                    "console-garbled", "nothing can be written to its /tmp", "Is the memory full?"
                )
            for word in typed(data, room):
                try:  # a second time would write it twice
                    self.line(f"printf %b '{word}'>>$D/x;r # $?", stop, tries=1)
                except NoAnswer:
                    self._reader.send(_BREAK)
                    self._reader.settle(2.0)
                    break
            if self.line(f'{TURN_BACK} <$D/x >$D/{name};r # "$(cksum <$D/{name})"', stop) == whole:
                return
        raise self._none("console-garbled", "what is typed does not arrive as it was typed", "Is the line's speed right, and does it use flow control?")  # fmt: skip

    def size(self, name: str, stop: Stop = lambda: False) -> tuple[str, int]:
        """The checksum of `$D/name` as `cksum` prints it, and how many bytes it has. Raises as `get`."""
        for _ in range(_TRIES):
            said = self.line(f'r # "$(cksum <$D/{name})"', stop)
            if _SUM.fullmatch(said):
                return said, int(said.split()[1])
        raise self._none("console-garbled", "its answers come back broken", "Look at the console.")

    def get(self, name: str, stop: Stop = lambda: False) -> bytes:
        """What is in the file `$D/name`. Raises NoAnswer `console-garbled`, `console-no-answer`, DeviceLost, Cancelled."""
        for _ in range(_TRIES):
            whole, size = self.size(name, stop)
            said = b"".join(self._piece(name, number, stop) for number in range(-(-size // PIECE)))
            if cksum(said) == whole:
                return said
        raise self._none(
            "console-garbled", "what it prints comes back broken", "Do other programs write to it?"
        )

    def _piece(self, name: str, number: int, stop: Stop) -> bytes:
        cut = f"dd if=$D/{name} bs={PIECE} skip={number} count=1 2>/dev/null"
        said = b""
        for _ in range(_TRIES):
            whole = self.line(f'echo;{cut}|od -A n -v -t x1;r # "$({cut}|cksum)"', stop)
            said = printed(self._reader.text)
            if cksum(said) == whole:
                break
        return said

    def end(self) -> None:
        """Remove the directory, and leave the shell that was there before. Nothing is raised."""
        with contextlib.suppress(WizardError):
            self.line("rm -f $D/w $D/x;rmdir $D;stty echo;r # $?", tries=1)
            for _ in range(self._depth):
                self._reader.send(b" exit\r")
                self._reader.settle(2.0)

    def _answered(self, answer: re.Pattern[str], stop: Stop) -> str | None:
        reader, until = self._reader, time.monotonic() + self._patience

        def gone() -> bool:
            return reader.seen in _GONE

        while True:
            left = until - time.monotonic()
            reader.until(lambda: answer.search(reader.text) is not None or gone(), left, stop)
            found = answer.search(reader.text)
            if found is not None:
                return found["words"]
            if not gone():
                return None
            reader.settle(1.0)  # half a line of syslog may look like it
            if gone() and answer.search(reader.text) is None:
                seen = reader.seen
                reader.give_back()
                raise DeviceLost(
                    "connection-lost", f"The shell on the console {self._name} has gone: it shows {seen} now.",
                    hint="The machine restarted, or somebody logged out there.", seen=str(seen),
                )  # fmt: skip

    def _none(self, reference: str, what: str, hint: str) -> NoAnswer:
        return NoAnswer(
            reference,
            f"On the console {self._name} {what}.",
            hint=hint,
            context=f"last said: {self._reader.last}",
        )
