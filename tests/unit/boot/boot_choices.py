"""Boot choices for tests: every one that can be made, drawn by hypothesis; and the options of the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner, Result
from hypothesis import strategies as st

from smartos_wizard.boot.model import CONSOLES, BootChoices, Kmdb, Module
from smartos_wizard.cli.boot_options import NAMES as OPTIONS
from smartos_wizard.cli.boot_options import boot_options, choices_from
from smartos_wizard.core.errors import WizardError
from smartos_wizard.world import World

SHADOW = "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA"
SALT = st.text("./0123456789ABCxyz", max_size=16)
NAMES = st.lists(st.text("abcXYZ019._-@", min_size=1, max_size=8), min_size=1, max_size=3).map("/".join)


@st.composite
def modules(draw: st.DrawFn) -> tuple[Module, ...]:
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    return tuple(Module(name, f"boot/bootfs/{name}") for name in names)


@st.composite
def all_choices(draw: st.DrawFn) -> BootChoices:
    console = draw(st.sampled_from(("", *CONSOLES)))
    serial = console.startswith("tty")
    return BootChoices(
        console=console,
        speed=draw(st.none() | st.integers(300, 4_000_000)) if serial else None,
        verbose=draw(st.none() | st.booleans()),
        kmdb=draw(st.none() | st.sampled_from(list(Kmdb))),
        rescue=draw(st.none() | st.booleans()),
        pools=tuple(draw(st.lists(st.from_regex(r"[A-Za-z][A-Za-z0-9_.:\-]{0,12}", fullmatch=True), max_size=4))),
        delay=draw(st.none() | st.integers(-1, 3600)),
        root_shadow=draw(st.just("") | SALT.map(lambda salt: f"$5${salt}$" + "a.B/" * 10 + "xyz")),
        hostname=draw(st.just("") | st.from_regex(r"[a-z]([a-z0-9\-]{0,8}[a-z0-9])?", fullmatch=True)),
        modules=draw(modules()),
    )  # fmt: skip


HIS_LINES = st.sampled_from(
    [
        "",
        "# a comment of mine, with “quotes” and $5$",
        'autoboot_delay="7"',
        "loose=YES # why",
        "os_console='ttyd'",
        'path="${bootfile}/x"',
        "\tverbose_loading = yes",
        "#",
        "# \x0c form feed \x85 next line \u2028 separator",
        "efi/x,y-z.q=/a@b:c",
        'sw1_x_load="NO"',
    ]
)
"""Lines of a user that the loader takes."""


class Asked:
    """A command with nothing but these options: the choices it was given, and what it was told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.told: list[str] = []

    def invoke(self, *words: str, stdin: str | bytes = "") -> Result:
        made: list[BootChoices] = []
        self.told = []

        @click.command()
        @boot_options
        def command(boot: dict[str, Any]) -> None:
            assert set(boot) == set(OPTIONS)
            made.append(choices_from(self.world, boot, self.told.append))

        result = CliRunner().invoke(command, list(words), input=stdin, standalone_mode=False)
        result.return_value = made[0] if made else None
        return result

    def __call__(self, *words: str, stdin: str | bytes = "") -> BootChoices:
        result = self.invoke(*words, stdin=stdin)
        assert result.exception is None, (result.exception, result.output)
        choices: BootChoices = result.return_value
        return choices

    def refused(self, *words: str, stdin: str | bytes = "") -> WizardError:
        error = self.invoke(*words, stdin=stdin).exception
        assert isinstance(error, WizardError), repr(error)
        return error


def write(path: Path, content: object) -> str:
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)
