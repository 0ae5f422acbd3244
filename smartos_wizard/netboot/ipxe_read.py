"""Reads an iPXE script far enough to know every file it may load, with which words. Ours, the official one, any other.

Facts: ipxe.org/scripting and /cmd (commands, labels, `${setting:type}`). Nothing is executed. Pure.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

_WORDS = """
autoboot boot certfree certstat certstore chain choose clear colour color config console cpair cpuid dhcp echo exit fcels
fcstat form goto gzip help ibmgmt ibstat ifclose ifconf iflinkwait ifopen ifstat imgargs imgdecrypt imgexec imgextract
imgfetch imgfree imgload imgmem imgselect imgstat imgtrust imgverify inc initrd iseq isset item iwstat iwlist kernel login
lotest menu module neighbour nslookup nstat ntp param params pciscan ping poweroff present profstat prompt pxebs read
reboot route sanboot sanhook sanunhook set shell shim show sleep startpxe stoppxe sync time usbscan vcreate vdestroy zext
"""
_COMMANDS = frozenset(_WORDS.split())
_LOADS = {
    "kernel": "kernel",
    "imgselect": "kernel",
    "module": "module",
    "initrd": "module",
    "imgfetch": "module",
    "chain": "chain",
}
_SETTING = re.compile(r"\$\{([^}:]+)(?::[^}]*)?\}")
_STAMPED = re.compile(r"(?:.+-)?\d{8}T\d{6}Z(?:_[A-Za-z0-9]+)?\Z")
_MOST = 4096


@dataclass(frozen=True, slots=True)
class Load:
    """A file that the script loads: `kernel`, `module` or `chain`; its address as written; the words behind it."""

    kind: str
    address: str
    words: tuple[str, ...]
    line: int


@dataclass(slots=True)
class Script:
    """What a script may load, what its settings may be, and what is wrong with it (line, sentence).

    `weak` is wrong only once something else fails: iPXE then stops with words of its own.
    """

    loads: list[Load] = field(default_factory=list)
    settings: dict[str, list[str]] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)
    weak: list[tuple[int, str]] = field(default_factory=list)

    def addresses(self, load: Load) -> tuple[str, ...]:
        """Every address this may mean; none where it holds a setting only a machine knows."""
        names = list(dict.fromkeys(_SETTING.findall(load.address)))
        values = [self._values(name, set()) for name in names]
        if not all(values):
            return ()
        found = []
        for chosen in itertools.islice(itertools.product(*values), _MOST):
            known = dict(zip(names, chosen, strict=True))
            found.append(_SETTING.sub(lambda m, known=known: known[m[1]], load.address))  # type: ignore[misc]
        return tuple(dict.fromkeys(found))

    def _values(self, name: str, within: set[str]) -> list[str]:
        found: list[str] = []
        for value in self.settings.get(name, []):
            whole = _SETTING.fullmatch(value)
            if whole and whole[1] not in within:
                found += self._values(whole[1], {*within, name})
            elif not whole and "${" not in value:
                found.append(value)
        return list(dict.fromkeys(found))


def read_script(text: str) -> Script:
    """The script in `text`. Never raises: what makes no sense is a problem of it."""
    script = Script()
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].strip() not in ("#!ipxe", "#!gpxe"):
        script.problems.append((1, "it does not begin with #!ipxe, so iPXE would not take it for a script"))
    labels: set[str] = set()
    gotos: list[tuple[int, str, bool]] = []
    items: list[str] = []
    options: set[str] = set()
    for number, line in enumerate(lines, 1):
        plain = line.strip()
        if plain.startswith(":"):
            labels.add(plain[1:].strip())
        elif plain and not plain.startswith("#"):
            for words, after_failure in _commands(plain):
                _one(script, words, number, gotos, items, options, after_failure=after_failure)
    for number, label, after_failure in gotos:
        if label in labels or "${" in label:
            continue
        if after_failure:
            script.weak.append(
                (number, f"where that fails it goes to :{label}, and there is no such place in it")
            )
        else:
            script.problems.append((number, f"it goes to :{label}, and there is no such place in it"))
    picks = [item for item in items if item not in options]
    stamped = [item for item in picks if _STAMPED.match(item)]
    for values in script.settings.values():
        if _CHOSEN in values:
            values[:] = [v for v in values if v != _CHOSEN] + (
                stamped or [i for i in picks if i not in labels]
            )
    return script


_CHOSEN = "${?chosen}"


def _commands(line: str) -> list[tuple[list[str], bool]]:
    """The commands of a line, each with whether it is for the failure of the one before."""
    found: list[tuple[list[str], bool]] = [([], False)]
    for word in line.split():
        if word in ("||", "&&"):
            found.append(([], word == "||"))
        else:
            found[-1][0].append(word)
    return [(words, after_failure) for words, after_failure in found if words]


def _one(
    script: Script, words: list[str], number: int, gotos: list[tuple[int, str, bool]], items: list[str], options: set[str],
    *, after_failure: bool,
) -> None:  # fmt: skip
    command, rest = words[0], words[1:]
    if command not in _COMMANDS:
        script.problems.append((number, f"iPXE has no command “{command[:40]}”"))
        return
    if command == "iseq" and len(rest) == 2:
        options.add(rest[1])
        return
    if command == "set":
        if rest and ":" not in rest[0]:
            script.settings.setdefault(rest[0], []).append(" ".join(rest[1:]))
        return
    plain = _without_options(command, rest)
    if command == "goto" and plain:
        gotos.append((number, plain[0], after_failure))
    elif command == "item" and plain and not any(word.startswith("--gap") or word == "-g" for word in rest):
        items.append(plain[0])
    elif command == "choose" and plain:
        script.settings.setdefault(plain[-1], []).append(_CHOSEN)
    elif command in _LOADS:
        if plain:
            script.loads.append(Load(_LOADS[command], plain[0], tuple(plain[1:]), number))
        else:
            script.problems.append((number, f"{command} names no file"))


_WITH_VALUE = {
    "--timeout",
    "-t",
    "--name",
    "-n",
    "--default",
    "-d",
    "--key",
    "-k",
    "--menu",
    "-m",
    "--arguments",
    "-a",
}
_FLAGS = {"chain": {"-a", "-r"}, "item": {"-d", "-g"}, "choose": {"-k"}}


def _without_options(command: str, words: list[str]) -> list[str]:
    """The words that are no options of iPXE's; behind the first of those, everything belongs to what is loaded."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        takes = words[at] in _WITH_VALUE and words[at] not in _FLAGS.get(command, set())
        if command == "item" and words[at] == "--default":
            takes = False
        at += 2 if takes else 1
    return words[at:]
