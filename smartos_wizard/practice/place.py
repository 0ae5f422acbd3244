"""The practice world's place on disk: its own settings, store, jobs, keys and mirror, below the user's cache.

Nothing of the user's real state is read or written. The directory's name carries the version of the program
and of the layout, so a newer program starts afresh and removes what no running one uses.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from smartos_wizard import __version__
from smartos_wizard.core.paths import Paths, below, private_directory
from smartos_wizard.practice.catalogue import practice_disks
from smartos_wizard.practice.control import Control, locked
from smartos_wizard.practice.devices import PracticeDisks, speed_factor
from smartos_wizard.practice.keys import PracticeDisk
from smartos_wizard.practice.opener import PracticeOpener
from smartos_wizard.practice.stamps import PREVIOUS

if TYPE_CHECKING:
    from smartos_wizard.practice.mirror_tree import PracticeTree
    from smartos_wizard.practice.server import MirrorServer

_LAYOUT = 4  # raised when anything built in the place changes
_NETWORK = 25_000_000  # bytes per second of the practice network


class PracticePlace:
    """A prepared place. `close` stops its server; the files stay for the next time."""

    def __init__(self, root: Path, in_use: int) -> None:
        self.root = root
        self.paths = below(root / "home")
        self.control = Control(root / "control.json")
        keys = practice_disks(PREVIOUS)
        self.disks = PracticeDisks(keys, self.control, root / "keys")
        self.opener = PracticeOpener(root, keys, self.disks, self.control, self._fill)
        self._in_use = in_use
        self._keys = keys
        self._tree: PracticeTree | None = None
        self._listener: socket.socket | None = None
        self._server: MirrorServer | None = None
        self._guard = threading.Lock()
        self._closed = threading.Event()

    @classmethod
    def prepare(cls, user_paths: Paths) -> PracticePlace:
        """The place below `user_paths.cache`, made where it is missing. Any number of processes may ask."""
        home = user_paths.cache / "practice"
        root = home / f"{__version__}-{_LAYOUT}"
        private_directory(root)
        # Held shared as long as the place is used: an unused one of another version may be removed.
        in_use = os.open(root / "in-use", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(in_use, fcntl.LOCK_SH)
        _sweep(home, root)
        return cls(root, in_use)

    @property
    def mirror_url(self) -> str:
        """The base of the practice mirror. The port is the same in every process and on the next day."""
        with self._guard:
            if self._listener is None:
                self._listener = _listen(self.root / "port")
                threading.Thread(target=self._serve, daemon=True, name="practice-mirror").start()
            port = self._listener.getsockname()[1]
        return f"http://127.0.0.1:{port}/Joyent_Dev/public/SmartOS/"

    @property
    def tree(self) -> PracticeTree:
        """What the mirror serves."""
        from smartos_wizard.practice.mirror_tree import PracticeTree

        if self._tree is None:
            self._tree = PracticeTree(self.root / "tree")
        return self._tree

    def plug(self, name: str) -> None:
        """Put the key `name` (“sdb”) into its port."""
        self.control.plug(self._known(name))

    def unplug(self, name: str, seconds: float | None = None) -> None:
        """Pull the key `name`; with `seconds` it comes back by itself after that time."""
        self.control.unplug(self._known(name), seconds)

    def reset(self) -> None:
        """Start over: every key as on the first day. What was downloaded stays."""
        self.control.reset()
        shutil.rmtree(self.root / "keys", ignore_errors=True)

    def close(self) -> None:
        """Stop the server and let go of the place."""
        self._closed.set()
        with self._guard:
            server, self._server = self._server, None
            listener, self._listener = self._listener, None
        if server is not None:
            server.close()
        elif listener is not None:
            listener.close()
        in_use, self._in_use = self._in_use, -1
        if in_use >= 0:
            os.close(in_use)

    def _known(self, name: str) -> str:
        if name not in {k.name for k in self._keys}:
            raise KeyError(name)
        return name

    def _serve(self) -> None:
        """Wait for the first caller, and only then load the server: most commands never ask the mirror."""
        listener = self._listener
        while listener is not None and not self._closed.is_set():
            if _called(listener):
                break
        with self._guard:
            if self._closed.is_set() or listener is None:
                return
            from smartos_wizard.practice.server import MirrorServer

            rate = _NETWORK * speed_factor()
            self._server = MirrorServer(self.tree, listener, rate=rate).start()
        self.tree.build_ahead(self._closed)

    def _fill(self, disk: PracticeDisk, path: Path) -> None:
        """Put onto the key the release it holds from the beginning, once."""
        if not path.exists():
            self.tree.lay_image(disk.holds, path)


def _called(listener: socket.socket) -> bool:
    import select

    try:
        return bool(select.select([listener], [], [], 0.2)[0])
    except (OSError, ValueError):  # closed meanwhile
        return True


def _listen(file: Path) -> socket.socket:
    """A listening socket on the port that `file` remembers, shared with every other practice process.

    Each may come and go; the system gives each call to one that lives, so that a download goes on when the
    interface that began it is closed.
    """
    with locked(file.with_suffix(".lock")):
        known = 0
        with contextlib.suppress(OSError, ValueError):
            known = int(file.read_text(encoding="ascii"))
        for port in (known, 0):
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if hasattr(socket, "SO_REUSEPORT"):
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                listener.bind(("127.0.0.1", port))
                listener.listen(64)
            except OSError:
                listener.close()
                if port == 0:
                    raise
                continue
            file.write_text(str(listener.getsockname()[1]), encoding="ascii")
            return listener
    raise AssertionError("unreachable")


def _sweep(home: Path, keep: Path) -> None:
    """Remove places of other versions that no process uses."""
    for other in home.iterdir():
        if other == keep or not other.is_dir() or other.is_symlink():
            continue
        try:
            fd = os.open(other / "in-use", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(other, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(fd)
