"""`reinstall plan`: which way to take on a surveyed machine, what it destroys there, and every step of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.output import emit, json_option, plan_lines, say, tell
from smartos_wizard.cli.reinstall_reading import (
    answers_from,
    paragraph,
    plain,
    prepared_from,
    quoted,
    show_stops,
    survey_from,
)
from smartos_wizard.cli.wizard import wants_ascii
from smartos_wizard.core.errors import ExitCode, Refused, WizardError
from smartos_wizard.core.text import tame

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.reinstall.choices import Choices
    from smartos_wizard.reinstall.model import Stop, Survey
    from smartos_wizard.reinstall.recommend import Advice

EPILOG = """\b
Examples:
  smartos-wizard reinstall survey kestrel --save kestrel.json
  smartos-wizard reinstall plan --survey kestrel.json
  smartos-wizard reinstall plan --survey kestrel.json --way C --consent no-backup --save plan.json
  smartos-wizard reinstall plan --survey kestrel.json --backup kestrel-backup --save plan.json
\b
Ways: A marks the system pool and reboots; B tells the loader destroy_zpools=true; C destroys the one pool in
Rescue Mode. A and B take every pool that can be imported; --limit has only the system pool imported.
Without --way the recommended one is planned. Nothing is done.
\b
Exit codes: 0 planned, 2 the words of the command, or a file, make no sense, 4 refused, or a consent is
missing (both are listed).
"""
"""The help's end."""


@click.command(name="plan", epilog=EPILOG)
@click.option("--survey", "survey_file", metavar="FILE", required=True, help="The survey (- for stdin).")
@click.option("--way", type=click.Choice(["A", "B", "C"], case_sensitive=False), help="Which way; the recommended one otherwise.")  # fmt: skip
@click.option("--limit", is_flag=True, help="With A and B: import only the system pool (zpools= at the loader).")  # fmt: skip
@click.option("--consent", "consents", multiple=True, metavar="TOKEN", help="Agree to what the plan asks, by its token. May be repeated.")  # fmt: skip
@click.option("--answers", metavar="FILE", default="", help="The answers file that the next setup will use.")
@click.option("--prepared", metavar="FILE", default="", help="Proof of a medium to boot from: a receipt of `key write`, or what `key check --json` printed.")  # fmt: skip
@click.option("--backup", metavar="DIR", default="", help="A backup of this machine by `reinstall backup`; every file of it is read back.")  # fmt: skip
@click.option("--console", metavar="WHERE", default="", help="Its serial console, by which it is run: guest:NAME, the path of a socket, or HOST:PORT.")  # fmt: skip
@click.option("--save", metavar="FILE", default="", help="Keep the plan in a file, for `reinstall run`.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Write ASCII only.")
@json_option
@click.pass_obj
def plan_command(
    options: Options, survey_file: str, way: str | None, limit: bool, consents: tuple[str, ...], answers: str,
    prepared: str, backup: str, console: str, save: str, ascii_only: bool, as_json: bool,
) -> int:  # fmt: skip
    """Show what a re-install of the surveyed machine would do: which pools die, by name, what goes with them, what
    setup makes afterwards, and every step. Nothing is done, and nothing is planned where something speaks against it.
    """
    from smartos_wizard.reinstall.choices import Choices
    from smartos_wizard.reinstall.model import Way
    from smartos_wizard.reinstall.recommend import advise

    survey = survey_from(survey_file)
    now = options.world.now()
    proof = prepared_from(prepared)
    advice = advise(survey, now, proof)
    best = advice.recommended
    chosen = Way(way.upper()) if way else best.choices.way if best is not None else Way.RESCUE
    limited = limit or (not way and best is not None and best.choices.limited)
    kept = ""
    if backup:
        from smartos_wizard.reinstall.backup_proof import backup_words

        tell("Reading the backup back …")
        kept = backup_words(Path(backup), survey, now)
    choices = Choices(
        chosen,
        limited,
        tuple(dict.fromkeys(consents)),
        answers_from(answers),
        proof,
        backup=kept,
        console=console,
    )
    result = _planned(survey, choices, now, advice)
    if result.plan is not None and save:
        _save(result.plan, save)
    if as_json:
        emit(_document(result))
    else:
        _show(result, ascii_only=wants_ascii(ascii_only or options.ascii))
    return int(ExitCode.DONE if result.plan is not None else ExitCode.REFUSED)


@dataclass(frozen=True, slots=True)
class _Result:
    survey: Survey
    choices: Choices
    advice: Advice
    stops: tuple[Stop, ...]
    left: tuple[Stop, ...]
    plan: Plan | None


def _planned(survey: Survey, choices: Choices, now: float, advice: Advice) -> _Result:
    """The plan, or all that is missing for it. Raises UsageProblem for a consent that nothing asks for."""
    from smartos_wizard.reinstall.judging import judge, open_stops
    from smartos_wizard.reinstall.planning import plan_reinstall

    _, _, stops = judge(survey, choices, now)
    try:
        plan = plan_reinstall(survey, choices, now)
    except Refused:
        plan = None
    return _Result(survey, choices, advice, stops, open_stops(stops, choices), plan)


def _show(result: _Result, *, ascii_only: bool) -> None:
    for opinion in result.advice.opinions:
        paragraph(f"Way {opinion.title}: {opinion.verdict}. {opinion.why}", ascii_only=ascii_only)
    say()
    paragraph(result.advice.summary, ascii_only=ascii_only)
    say()
    if result.plan is None:
        _show_missing(result, ascii_only=ascii_only)
        return
    for line in plan_lines(result.plan)[:-1]:
        _step_line(line, ascii_only=ascii_only)
    asked = result.plan.confirmation
    if asked is not None:
        say()
        paragraph(f"{asked.prompt}:", ascii_only=ascii_only)
        for token in asked.tokens:
            say(f"  --confirm {quoted(token)}")


def _step_line(line: str, *, ascii_only: bool) -> None:
    """A line of the plan, folded below where its words begin; commands stay whole, to be copied."""
    words = line.lstrip()
    indent = 14 if not line[:1].isalpha() else 0
    head = line[: len(line) - len(words)] if len(line) - len(words) >= indent else line[:indent]
    if "by hand: " in line or "in setup's shell: " in line or not words:
        say(plain(line) if ascii_only else line)
    else:
        paragraph(line[len(head) :], head, ascii_only=ascii_only)


def _show_missing(result: _Result, *, ascii_only: bool) -> None:
    refused = any(stop.level == "stop" for stop in result.left)
    said = "is refused" if refused else "can be planned once you have agreed to this"
    say(f"Way {result.choices.way.value} {said}:")
    show_stops(result.left, ascii_only=ascii_only)
    notes = [stop for stop in result.stops if stop.level == "note"]
    show_stops(notes, ascii_only=ascii_only)


def _document(result: _Result) -> dict[str, Any]:
    from smartos_wizard.reinstall.planning import stop_to_json

    best = result.advice.recommended
    return {
        "way": result.choices.way.value,
        "limited": result.choices.limited,
        "recommended": best.choices.way.value if best is not None else "",
        "advice": result.advice.summary,
        "ways": [
            {
                "way": o.choices.way.value, "limited": o.choices.limited, "verdict": o.verdict, "why": o.why,
                "destroys": [{"name": f.pool.name, "guid": f.pool.guid, "fate": f.fate.value} for f in o.outcome.dying],
                "stops": [stop_to_json(stop) for stop in o.stops],
            }
            for o in result.advice.opinions
        ],
        "stops": [stop_to_json(stop) for stop in result.stops],
        "missing": [stop_to_json(stop) for stop in result.left],
        "plan": None if result.plan is None else result.plan.to_json(),
        "exit_code": int(ExitCode.DONE if result.plan is not None else ExitCode.REFUSED),
    }  # fmt: skip


def _save(plan: Plan, save: str) -> None:
    from smartos_wizard.core.files import replace_file

    path = Path(save)
    if path.exists() and not path.is_file():
        raise Refused("not-a-file", f"{tame(save, 255)} is no ordinary file; nothing was written.")
    try:
        replace_file(path, (json.dumps(plan.to_json(), indent=2) + "\n").encode(), 0o600)
    except OSError as error:
        raise WizardError("cannot-write", f"{tame(save, 255)}: {error.strerror}") from error
    tell(f"Kept in {tame(save, 255)}.")
