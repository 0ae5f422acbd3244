"""`dualboot plan`: how this Linux starts, whether SmartOS can stand beside it, and what that would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.boot_options import boot_options, choices_from
from smartos_wizard.cli.dualboot_choice import Made, make, root_option, way_options
from smartos_wizard.cli.key_image import image_options
from smartos_wizard.cli.output import emit, json_option, say, tell
from smartos_wizard.cli.reinstall_reading import paragraph
from smartos_wizard.cli.wizard import wants_ascii
from smartos_wizard.core.errors import ExitCode
from smartos_wizard.core.text import size

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.netboot.dualboot_model import Problem, Setup

EPILOG = """\b
Examples:
  smartos-wizard dualboot plan
  smartos-wizard dualboot plan --release latest --console ttya
  smartos-wizard dualboot plan --image smartos-20260903T001557Z.iso --sums sha256sums.txt --json
  smartos-wizard dualboot plan --chainload 1A2B-3C4D
  smartos-wizard --practice dualboot plan --release latest
\b
Without --release or --image the newest release in the store is taken, or an example where there is none.
Nothing is changed.
\b
Exit codes: 0 it can be done, 2 the words of the command make no sense, 4 something speaks against it,
5 the release cannot be looked up.
"""


@click.command(name="plan", epilog=EPILOG)
@image_options
@way_options
@boot_options
@root_option
@json_option
@click.pass_obj
def plan_command(
    options: Options, /, way: str | None, chainload: str, root: str, as_json: bool, boot: dict[str, Any], **source: Any
) -> int:  # fmt: skip
    """Show how this Linux starts (firmware, /boot, GRUB), and what SmartOS beside it would be.

    The entries of the menu, every file that is copied with its place, and the danger: SmartOS' setup takes every disk
    by default, this Linux's too. Nothing is changed.
    """
    from smartos_wizard.netboot.dualboot_planning import problems_of

    world = options.world
    choices = choices_from(world, boot, tell)
    made = make(world, root, source, way, chainload, choices, need=False)
    problems = problems_of(made.setup, made.draft.way, choices, made.draft.size or None, chainload)
    stopped = any(p.level == "stop" for p in problems)
    if as_json:
        emit(_document(made, problems, stopped))
    else:
        _show(made, problems, stopped, ascii_only=wants_ascii(options.ascii))
    return int(ExitCode.REFUSED if stopped else ExitCode.DONE)


def _show(made: Made, problems: tuple[Problem, ...], stopped: bool, *, ascii_only: bool) -> None:
    for line in setup_lines(made.setup):
        paragraph(line, ascii_only=ascii_only)
    say()
    heads = {"stop": "STOP     ", "warning": "DANGER   ", "note": "note     "}
    refused = {p.reference for p in problems if p.level == "stop"}
    for problem in problems if not stopped else [p for p in problems if p.reference in refused]:
        paragraph(f"{problem.text} ({problem.reference})", heads[problem.level], ascii_only=ascii_only)
        if problem.hint:
            paragraph(problem.hint, " " * 9, ascii_only=ascii_only)
    say()
    if stopped:
        say("So it is not set up. Nothing was changed.")
        return
    draft = made.draft
    if draft.files or draft.own:
        say(
            f"Copied to {draft.home}{f' ({size(draft.size)} in all)' if all(f.size for f in draft.files) else ''}:"
        )
        sizes = [(f.path, f.size) for f in draft.files] + [
            (path, len(data)) for path, data in draft.own.items()
        ]
        for path, count in sizes:
            say(f"  {path}  {size(count) if count else 'not downloaded yet'}")
    elif not made.known:
        say("No release was named and none is in the store; this is an example. Say --release latest.")
    from smartos_wizard.netboot.dualboot_model import SCRIPT

    say(f"\nGRUB's menu gets this, through {SCRIPT}:\n")
    say(draft.entries)
    source = (
        f"--chainload {draft.uuid}" if draft.uuid else f"--release {draft.stamp if made.known else 'latest'}"
    )
    paragraph(f"To do it: smartos-wizard dualboot install {source} --confirm {made.setup.hostname}")


def setup_lines(setup: Setup) -> list[str]:
    """How a Linux starts, in lines."""
    if setup.kernel != "Linux":
        return [f"{setup.hostname}: {setup.system}"]
    firmware = setup.firmware.upper()
    secure = {True: ", Secure Boot on", False: "", None: ", Secure Boot unknown"}[setup.secure_boot]
    lines = [f"{setup.hostname}: {setup.system}, starts by {firmware}{secure}"]
    if setup.grub_dir:
        style = ", entries of kernels in /boot/loader/entries" if setup.bls else ""
        lines.append(f"GRUB: {setup.grub_cfg}, made by {setup.by_hand}{style}")
    boot = setup.volumes[0]
    if boot is not None:
        own = "a partition of its own" if boot.point != "/" else "part of /"
        layers = f" on {', '.join(boot.layers)}" if boot.layers else ""
        free = f", {size(boot.free)} free" if boot.free is not None else ""
        inside = f", its directory {boot.inside}" if boot.inside != "/" else ""
        lines.append(f"/boot: {own}, {boot.fstype}{layers}{inside}{free}, UUID {boot.uuid or 'unknown'}")
    return lines


def _document(made: Made, problems: tuple[Problem, ...], stopped: bool) -> dict[str, Any]:
    draft = made.draft
    return {
        "setup": made.setup.to_json(),
        "possible": not stopped,
        "problems": [p.to_json() for p in problems],
        "way": draft.way.value,
        "home": draft.home,
        "stamp": draft.stamp if made.known else "",
        "files": [{"path": f"{draft.home}/{f.path}", "size": f.size} for f in draft.files]
        + [{"path": f"{draft.home}/{path}", "size": len(data)} for path, data in draft.own.items()],
        "size": draft.size,
        "titles": list(draft.titles),
        "entries": draft.entries,
        "exit_code": int(ExitCode.REFUSED if stopped else ExitCode.DONE),
    }
