"""The SmartOS loader's reading of a key, played: its settings files into what it hands to the kernel.

Written from the loader's own source, and on purpose with nothing of the program under test (illumos:
boot/forth/support.4th and loader.4th read the files and build the flags, boot/common/interp_parse.c puts variables
in their places, boot/common/multiboot2.c makes the kernel's line and hands the environment over as a module).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

FLAGS = {"boot_single": "s", "boot_verbose": "v", "boot_kmdb": "k", "boot_debug": "d"}
KERNEL = "/platform/i86pc/kernel/amd64/unix"
LONGEST = 1023
_SUFFIXES = ("_load", "_name", "_type", "_hash", "_flags", "_before", "_after", "_error")
_VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|\(([^)]*)\)|(\S*))")


@dataclass
class Loader:
    """What it knows after reading: its environment, and the files it is to load, in the order they were named."""

    environment: dict[str, str] = field(default_factory=lambda: {"ISADIR": "amd64"})
    modules: dict[str, dict[str, str]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def start(self, read: Callable[[str], str | None], snippets: list[str]) -> Loader:
        """Read the defaults, the files they name, and `snippets` of boot/conf.d, with `read` giving a file's text."""
        self.take(read("/boot/defaults/loader.conf") or "")
        for path in self.environment.pop("loader_conf_files", "").split() + sorted(snippets):
            self.take(read(path) or "")
        return self

    def take(self, text: str) -> None:
        """One file: line by line, and no further than the first line that is none."""
        for line in text.split("\n"):
            try:
                found = assignment(line)
                if found is not None:
                    self._keep(*found)
            except ValueError as error:
                self.complaints.append(f"{line!r}: {error}")
                return

    def _keep(self, name: str, value: str) -> None:
        suffix = next((s for s in _SUFFIXES if name.endswith(s) and name != s), None)
        if suffix is None:
            words = self._words(f"{name}={value}")
            self.environment[name] = words[0].partition("=")[2]
            return
        bare = value[1:-1] if value.startswith('"') else value  # of single quotes only the parser knows
        self.modules.setdefault(name.removesuffix(suffix), {})[suffix] = bare

    def _words(self, text: str) -> list[str]:
        """Words of a command, with variables put in except between single quotes."""
        words: list[str] = []
        word, quote, i = "", "", 0
        while i < len(text):
            letter, i = text[i], i + 1
            if letter == "$" and quote != "'":
                match = _VARIABLE.match(text, i - 1)
                assert match is not None
                word, i = word + self.environment.get(match[1] or match[2] or match[3], ""), match.end()
            elif letter in "'\"" and quote in ("", letter):
                quote = "" if quote else letter
            elif letter.isspace() and not quote:
                words, word = ([*words, word] if word else words), ""
            else:
                word += letter
            if len(word) > LONGEST:
                raise ValueError("a word longer than the loader's buffer")
        if quote:
            raise ValueError("a quote that does not end")
        return [*words, word] if word else words

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
            if said.get("_load", "").upper() != "YES":
                continue
            words = self._words(f"{said.get('_name') or name} {self._arguments(name, said)}")
            found.append((words[0], " ".join(["type=" + said.get("_type", ""), *words[1:]])))
        return found

    def _arguments(self, name: str, said: dict[str, str]) -> str:
        own = said.get("_flags", "")
        if said.get("_type") == "hash":
            own = f"name={(said.get('_name') or name).removesuffix('.hash')} {own}"
        return f"hash={said['_hash']} {own}" if "_hash" in said else own


def assignment(line: str) -> tuple[str, str] | None:
    """Name and value (in its quotes) of a line, None for an empty line or a comment. Raises ValueError."""
    rest = line.lstrip(" \t")
    if not rest or rest.startswith("#"):
        return None
    match = re.match(r"[A-Za-z][A-Za-z0-9_.,/-]*", rest)
    if match is None:
        raise ValueError("no name")
    name, rest = match[0], rest[match.end() :].lstrip(" \t")
    if not rest.startswith("="):
        raise ValueError("no equals sign")
    value, rest = _value(rest[1:].lstrip(" \t"))
    rest = rest.lstrip(" \t")
    if rest and not rest.startswith("#"):
        raise ValueError("something behind the value")
    return name, value


def _value(text: str) -> tuple[str, str]:
    if text[:1] in ("'", '"'):
        i = 1
        while i < len(text) and text[i] != text[0]:
            i += 2 if text[i] == "\\" else 1
        if i >= len(text):
            raise ValueError("a quote that does not end")
        return text[: i + 1].replace("\\", ""), text[i + 1 :]
    match = re.match(r"[A-Za-z0-9/-][A-Za-z0-9_.,@/:-]*", text)
    if match is None:
        raise ValueError("no value")
    return match[0], text[match.end() :]
