"""`doctor --target` and `doctor --collect`: is a machine fit for SmartOS, and what it has, in a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from smartos_wizard.boot.hardware import (
    Fitness,
    HardwareFacts,
    Level,
    Verdict,
    judge_hardware,
    overall,
    read_facts,
    write_facts,
)
from smartos_wizard.boot.hardware_facts import HOW_TO_COLLECT, LIMIT
from smartos_wizard.boot.hardware_verdict import sentence
from smartos_wizard.cli.output import emit, say, tell
from smartos_wizard.core.errors import ExitCode, Refused, UsageProblem, WizardError
from smartos_wizard.core.files import replace_file

if TYPE_CHECKING:
    from smartos_wizard.world import World

_WORDS = {Level.OK: "ok     ", Level.WARNING: "warning", Level.NO: "NO     ", Level.UNKNOWN: "unknown"}
_CODES = {
    Fitness.FIT: ExitCode.DONE,
    Fitness.WARNINGS: ExitCode.DONE,
    Fitness.UNKNOWN: ExitCode.FAILED,
    Fitness.NOT_FIT: ExitCode.REFUSED,
}


def judge(world: World, file: str, *, as_json: bool) -> int:
    """Judge this machine, or the one `file` tells of; return the exit code. Raises UsageProblem for a bad file."""
    facts = read_facts(_text(file)) if file else world.hardware()
    verdicts = judge_hardware(facts)
    whole = overall(verdicts)
    if as_json:
        emit({
            "fitness": whole.value,
            "practice": world.practice and not file,
            "verdicts": [v.to_json() for v in verdicts],
            "facts": facts.to_json(),
        })  # fmt: skip
        return int(_CODES[whole])
    name = " ".join(filter(None, [facts.maker, facts.product])) or "machine of unknown make"
    say(f"{name}{', collected elsewhere' if file else ''}")
    say()
    for verdict in verdicts:
        _tell(verdict)
    say()
    say(sentence(verdicts))
    return int(_CODES[whole])


def _tell(verdict: Verdict) -> None:
    say(f"{_WORDS[verdict.level]}  {verdict.name}: {verdict.found}")
    if verdict.why:
        say(f"         {verdict.why}")
    if verdict.todo:
        say(f"         what to do: {verdict.todo}")


def _text(file: str) -> str:
    """The file's text. Raises UsageProblem `not-hardware-facts` or `unreadable-file`."""
    try:
        if file == "-":
            data = sys.stdin.buffer.read(LIMIT + 1)
        else:
            if not Path(file).is_file():
                what = f"{file} is no ordinary file." if Path(file).exists() else f"No such file: {file}"
                raise UsageProblem("no-such-file", what, hint=HOW_TO_COLLECT)
            with Path(file).open("rb") as stream:
                data = stream.read(LIMIT + 1)
    except OSError as error:
        raise UsageProblem("unreadable-file", f"{file}: {error.strerror}") from error
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
    except UnicodeDecodeError:
        raise UsageProblem(
            "not-hardware-facts", f"{file} is no text, so no hardware file.", hint=HOW_TO_COLLECT
        ) from None


def write(world: World, out: str | None, *, as_json: bool) -> int:
    """Write what this machine has. Raises Refused `not-a-file` where `out` is a device or a directory."""
    facts = world.hardware()
    if out is None:
        _show(facts, as_json=as_json)
        return 0
    path = Path(out)
    if path.exists() and not path.is_file():
        raise Refused("not-a-file", f"{out} is no ordinary file; nothing was written.")
    try:
        replace_file(path, write_facts(facts).encode(), 0o644)
    except OSError as error:
        raise WizardError("cannot-write", f"{out}: {error.strerror}") from error
    if as_json:
        emit({"out": str(path), "facts": facts.to_json()})
    tell(f"Written: {out}. On any machine: smartos-wizard doctor --target {out}")
    return 0


def _show(facts: HardwareFacts, *, as_json: bool) -> None:
    if as_json:
        emit(facts.to_json())
    else:
        sys.stdout.write(write_facts(facts))
