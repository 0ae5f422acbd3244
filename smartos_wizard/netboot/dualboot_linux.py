"""The Linux this program runs on, or one whose root directory is mounted somewhere: its files and its programs."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from smartos_wizard.media.disks.reader import FileReader, Reader, words
from smartos_wizard.netboot.dualboot_ports import Ran

_PLACES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_PATIENCE = 600  # os-prober looks into every partition


class SystemLinux:
    """Satisfies `Linux`. With a `root` other than / its programs run in a chroot there."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root.resolve()
        self.reader: Reader = FileReader(self.root) if self._here else _Elsewhere(self.root)
        self.arch, self.kernel = platform.machine(), platform.system()
        named = words(self.reader, "/etc/hostname").split("\n")[0].strip()
        self.hostname = platform.node() if self._here else named or platform.node()

    @property
    def _here(self) -> bool:
        return self.root == Path("/")

    def at(self, path: str) -> Path:
        """See Linux."""
        return self.root / path.lstrip("/")

    def free(self, path: str) -> int | None:
        """See Linux. For a directory that is not there yet, of the one it will be in."""
        place = self.at(path)
        for each in (place, *place.parents):
            try:
                told = os.statvfs(each)
            except FileNotFoundError:
                continue
            except OSError:
                return None
            return told.f_bavail * told.f_frsize
        return None

    def may_change(self) -> bool:
        """See Linux."""
        return os.geteuid() == 0 or (not self._here and os.access(self.at("/etc/grub.d"), os.W_OK))

    def has(self, program: str) -> bool:
        """See Linux."""
        return any(self.at(f"{place}/{program}").exists() for place in _PLACES)

    def run(self, words: Sequence[str]) -> Ran:
        """See Linux."""
        inside = [] if self._here else ["chroot", str(self.root)]
        clean = {
            name: value for name, value in os.environ.items() if name not in ("LD_LIBRARY_PATH", "LD_PRELOAD")
        }
        environment = {**clean, "PATH": ":".join(_PLACES), "LC_ALL": "C.UTF-8"}
        try:
            done = subprocess.run(
                [*inside, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env=environment, check=False, timeout=_PATIENCE, start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError:
            return Ran(127, f"{words[0]} is not there")
        except (OSError, subprocess.TimeoutExpired) as error:
            return Ran(126, str(error))
        return Ran(done.returncode, done.stdout.decode("utf-8", "replace"))


class _Elsewhere(FileReader):
    """Files below another root. The kernel tells mounts as this process sees them: there the root is taken off again."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._prefix = str(root)

    def text(self, path: str) -> str | None:
        """See Reader."""
        said = super().text(path)
        if said is None or not path.startswith("/proc/") or not path.endswith("/mountinfo"):
            return said
        lines = [line.split(" ") for line in said.splitlines()]
        if not any(fields[4] == self._prefix for fields in lines if len(fields) > 4):
            return said  # a recorded machine, told from its own root
        inside = [
            f for f in lines if len(f) > 4 and (f[4] == self._prefix or f[4].startswith(f"{self._prefix}/"))
        ]
        return "\n".join(" ".join([*f[:4], f[4].removeprefix(self._prefix) or "/", *f[5:]]) for f in inside)
