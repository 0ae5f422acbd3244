"""A console that asks who logs in and gives a real shell, until it is killed. Run on a terminal that is nobody's yet.

Words: host name, root's password, the shell and its words. Standard library only, for it runs in machines of the lab, too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import termios


def prompt(words: str, *, hidden: bool = False) -> str:
    """What is answered; as login does, what was typed before is forgotten where the answer does not show."""
    before = termios.tcgetattr(0)
    if hidden:
        silent = termios.tcgetattr(0)
        silent[3] &= ~termios.ECHO
        termios.tcsetattr(0, termios.TCSAFLUSH, silent)
    try:
        os.write(1, words.encode())
        said = b""
        while not said.endswith(b"\n"):
            more = os.read(0, 1)
            if not more:
                raise SystemExit
            said += more
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
    if hidden:
        os.write(1, b"\n")
    return said.decode("utf-8", "replace").strip()


def serve(host: str, password: str, shell: list[str]) -> None:
    """Ask, and let root in, again and again."""
    with contextlib.suppress(OSError):
        fcntl.ioctl(0, termios.TIOCSCTTY, 1)
    cooked = termios.tcgetattr(0)
    while True:
        termios.tcsetattr(0, termios.TCSAFLUSH, cooked)
        user = prompt(f"\n{host} console login: ")
        if not user:
            continue
        if prompt("Password: ", hidden=True) != password or user != "root":
            os.write(1, b"Login incorrect\n")
            continue
        os.write(1, b"Last login: Fri Nov 27 10:00:00 on console\nSmartOS (build: 20260903T001557Z)\n")
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            with contextlib.suppress(OSError):
                os.tcsetpgrp(0, os.getpid())
            os.environ["PS1"] = f"[root@{host} ~]# "
            os.execvp(shell[0], shell)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
        with contextlib.suppress(OSError):
            os.tcsetpgrp(0, os.getpgrp())


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    serve(sys.argv[1], sys.argv[2], sys.argv[3:])
