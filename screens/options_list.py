"""The rows of the step “Options”: what may be decided, in words. Pure; the full-screen and the line-by-line wizard share it."""

from __future__ import annotations

from dataclasses import dataclass

from smartos_wizard.boot.model import CONSOLES, SPEEDS, Kmdb

RELEASED = "as released"


@dataclass(frozen=True, slots=True)
class Offer:
    """One of a few values: what stands in the field for it, and what it leads to."""

    value: str
    words: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to decide. Without `offers` a text is typed; `example` shows what kind."""

    name: str
    title: str
    group: str
    help: str
    offers: tuple[Offer, ...] = ()
    example: str = ""


_PORTS = {
    "text": "A screen and a keyboard at the machine. That is how SmartOS is released.",
    "ttya": "The first serial port (COM1): servers without a screen.",
    "ttyb": "The second serial port (COM2): often the one behind IPMI.",
    "ttyc": "The third serial port: some IPMI cards.",
    "ttyd": "The fourth serial port.",
}
_DEBUGGER = {
    Kmdb.OFF: "Not loaded, even where your own lines on the key ask for it.",
    Kmdb.LOADED: "Loaded, and waits for a panic.",
    Kmdb.NMI: "Loaded; an NMI (a button of many servers) enters it.",
    Kmdb.BOOT: "Loaded, and stops at once at its prompt while SmartOS starts.",
    Kmdb.BOOT_NMI: "Both: stops at the start, and an NMI enters it.",
}
BESIDE = {
    "text": "screen and keyboard",
    "ttya": "first serial port, COM1",
    "ttyb": "COM2, often behind IPMI",
    "ttyc": "third serial port, COM3",
    "ttyd": "fourth serial port, COM4",
}
"""A console in as many words as fit beside its field."""
_SAME = Offer("", RELEASED, "The key says nothing of it.")

OPTIONS: tuple[Option, ...] = (
    Option(
        "console",
        "Console",
        "Often set",
        "Where SmartOS talks and where its setup asks. On the wrong one the machine seems to hang.",
        (Offer("", RELEASED, "On the screen."), *(Offer(n, n, _PORTS[n]) for n in CONSOLES)),
    ),
    Option(
        "speed",
        "Its speed",
        "Often set",
        "Bits per second of that serial console; both ends must have the same. Released: 115200.",
        (
            Offer("", RELEASED, "115200 bits per second."),
            *(Offer(str(s), str(s), f"{s:,} bits per second.") for s in SPEEDS),
        ),
    ),
    Option(
        "answers",
        "Answers",
        "Often set",
        "What setup shall not ask: network, disks, password. Enter opens the form.",
    ),
    Option(
        "root_shadow",
        "Root's password",
        "Often set",
        "Root's password in rescue. Released: root. Only its hash goes on the key.",
    ),
    Option(
        "hostname",
        "Host name",
        "Often set",
        "The name the kernel is given at boot. Setup asks for its own, or takes it from the answers.",
        example="as released",
    ),
    Option(
        "delay",
        "Menu waits",
        "At the start",
        "Seconds until SmartOS boots by itself: 0 boots at once, -1 waits for ever. Released: 10.",
        example="as released: 10",
    ),
    Option(
        "verbose",
        "Verbose",
        "At the start",
        "Whether the kernel shows what it does while it starts.",
        (
            _SAME,
            Offer("yes", "yes", "Every driver says what it finds."),
            Offer("no", "no", "It starts quietly."),
        ),
    ),
    Option(
        "kmdb",
        "Debugger",
        "At the start",
        "The kernel debugger, kmdb. Only for hunting a fault: a stopped machine waits for a person.",
        (_SAME, *(Offer(k.value, k.value, _DEBUGGER[k]) for k in Kmdb)),
    ),
    Option(
        "rescue",
        "Rescue",
        "At the start",
        "Imports no pool and runs no setup. For one job; make the key anew or change it afterwards.",
        (_SAME, Offer("yes", "yes", "SmartOS starts bare: no pool, no zones, no setup.")),
    ),
    Option(
        "pools",
        "Only these pools",
        "At the start",
        "Pools to import, with commas; no other is looked at. Released: every pool it can see, by force.",
        example="as released: all",
    ),
    Option(
        "etc_system",
        "/etc/system",
        "Files",
        "A file of yours that SmartOS reads as /etc/system, such as tunables of the kernel.",
    ),
    Option(
        "files",
        "Extra files",
        "Files",
        "Files of yours to be put on the key, for example local/notes.txt.",
    ),
    Option(
        "load",
        "Load a profile",
        "Profiles",
        "Take choices that were saved before, in the place of all these.",
    ),
    Option(
        "save",
        "Save as profile",
        "Profiles",
        "Keep these choices under a name, for other keys. What is secret is kept apart, for you only.",
    ),
)
BY_NAME = {option.name: option for option in OPTIONS}
TYPED = ("hostname", "delay", "pools")
"""Options that are typed as a text."""
OPENED = ("answers", "root_shadow", "etc_system", "files", "load", "save")
"""Options that open a box or a form of their own."""
