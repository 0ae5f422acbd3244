"""A real terminal: tmux, driven as a person drives it, and read as a person reads it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.lab.rig.command import argv, environment

_NUMBERS = count()


class Terminal:
    """One tmux server of its own with one window, in which a shell waits."""

    def __init__(self, directory: Path, width: int, height: int, more: Mapping[str, str]) -> None:
        self._socket = str(directory / f"tmux{next(_NUMBERS)}")  # the server before may still be ending
        self.directory = directory
        env = {**environment(directory, **more), "TERM": "screen-256color", "LANG": "C.UTF-8", "PS1": "$ "}
        size = ["-x", str(width), "-y", str(height), "-c", str(directory)]
        subprocess.run(
            ["tmux", "-S", self._socket, "-f", "/dev/null", "new-session", "-d", *size, "bash --norc --noprofile"],
            check=True, env=env,
        )  # fmt: skip

    def tmux(self, *words: str) -> str:
        """One tmux command; what it printed."""
        line = ["tmux", "-S", self._socket, *words]
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout

    def type(self, text: str) -> None:
        """Literal text."""
        self.tmux("send-keys", "-l", text)

    def press(self, *names: str) -> None:
        """Keys by tmux's names: Enter, Down, BTab, C-c."""
        for name in names:
            self.tmux("send-keys", name)
            time.sleep(0.15)

    def resize(self, width: int, height: int) -> None:
        """Another size of the window."""
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def screen(self) -> str:
        """What is shown now."""
        return self.tmux("capture-pane", "-p")

    def wait(self, *texts: str, seconds: float = 60) -> str:
        """Until all the texts are shown; fails with the screen where they do not come."""
        deadline = time.monotonic() + seconds
        while True:
            seen = self.screen()
            if all(text in seen for text in texts):
                return seen
            if time.monotonic() > deadline:
                raise AssertionError(f"{texts} did not come; the screen:\n{seen}")
            time.sleep(0.1)

    def start(self, *words: str) -> None:
        """Run the program between two looks at the terminal's settings."""
        line = " ".join(argv(*words))
        self.type(
            f"cd {self.directory}; clear; stty -a > before; {line}; echo $? > code; stty -a > after; tty -s; echo EN''DED"
        )
        self.press("Enter")

    def ended(self, seconds: float = 30) -> int:
        """Wait for the end of the program; its exit code. The terminal must be as it was before."""
        self.wait("ENDED", seconds=seconds)
        before, after = ((self.directory / name).read_text() for name in ("before", "after"))
        assert before == after, f"the terminal is not as it was:\n{before}\n{after}"
        modes = self.tmux(
            "display", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{bracket_paste_flag}"
        )
        assert modes.split()[:3] == ["0", "1", "0"], f"alternate screen, cursor or mouse left behind: {modes}"
        return int((self.directory / "code").read_text())

    def close(self) -> None:
        """End the server; programs in it get SIGHUP, as when a terminal is closed."""
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], check=False, capture_output=True)


@contextmanager
def terminal(directory: Path, width: int = 80, height: int = 24, **more: str) -> Iterator[Terminal]:
    """A terminal in `directory`, which is also the home of the program's files."""
    made = Terminal(directory, width, height, more)
    try:
        yield made
    finally:
        made.close()
