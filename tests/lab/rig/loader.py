"""The SmartOS loader played on a whole key: from the settings files that lie on it to what it hands to the kernel.

How one file is read is `tests/unit/boot/loader_reader.py`. Here are, after the same sources: which files are read
(illumos: boot/forth/support.4th), which flags that makes (loader.4th), and the kernel's line, its environment and
the words that go with a file (boot/common/multiboot2.c).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.unit.boot import loader_reader

FLAGS = {"boot_single": "s", "boot_verbose": "v", "boot_kmdb": "k", "boot_debug": "d"}
KERNEL = "/platform/i86pc/kernel/amd64/unix"


@dataclass
class Loader(loader_reader.Loader):
    """What it knows after reading: its environment, and the files it is to load, in the order they were named."""

    environment: dict[str, str] = field(default_factory=lambda: {"ISADIR": "amd64"})

    def start(self, read: Callable[[str], bytes | None], snippets: list[str]) -> Loader:
        """Read the defaults, the files they name, and `snippets` of boot/conf.d, with `read` giving a file's bytes."""
        self.read(read("/boot/defaults/loader.conf") or b"")
        for path in self.environment.pop("loader_conf_files", "").split() + sorted(snippets):
            self.read(read(path) or b"")
        return self

    def kernel_line(self) -> str:
        """The kernel's command line: its name, its flags, and the console for SmartOS."""
        said = {name: self.environment.get(name, "").upper() == "YES" for name in FLAGS}
        flags = "".join(letter for name, letter in FLAGS.items() if said[name])
        console = self.environment.get("os_console")
        line = f"{KERNEL} -{flags}" if flags else KERNEL
        return f"{line} -B console={console}" if console else line

    def handed_over(self) -> bytes:
        """The environment as the module `type=environment` holds it."""
        return b"".join(f"{name}={value}".encode() + b"\0" for name, value in self.environment.items())

    def files(self) -> list[tuple[str, str]]:
        """(file, the words that go with it) of every module that is to be loaded."""
        found = []
        for name, said in self.modules.items():
            if said.get("load", "").upper() != "YES":
                continue
            command = f"{said.get('name') or name} {self._arguments(name, said)}"
            words = [word.decode() for word in self._parsed(command.encode())]
            found.append((words[0], " ".join(["type=" + said.get("type", ""), *words[1:]])))
        return found

    def _arguments(self, name: str, said: dict[str, str]) -> str:
        own = said.get("flags", "")
        if said.get("type") == "hash":
            own = f"name={(said.get('name') or name).removesuffix('.hash')} {own}"
        return f"hash={said['hash']} {own}" if "hash" in said else own
