"""`reinstall runbook`: the steps to type at a machine's console, on paper or a second screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.output import emit, json_option, say
from smartos_wizard.cli.reinstall_reading import answers_from, prepared_from, survey_from
from smartos_wizard.core.errors import ExitCode, Refused

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.reinstall.choices import Prepared
    from smartos_wizard.reinstall.model import Survey, Way

EPILOG = """\b
Examples:
  smartos-wizard reinstall survey --script > survey.sh       run it there: sh survey.sh > answers.txt
  smartos-wizard reinstall runbook --survey answers.txt --way C | less
  smartos-wizard reinstall runbook --survey answers.txt --format html > kestrel.html
\b
text comes in pages of 80x24; the HTML is one file, made to be printed. The survey may be old: the first
step of the runbook compares everything at the console.
\b
Exit codes: 0 printed, 2 the words of the command, or a file, make no sense, 4 something speaks against
this way (it is said).
"""
"""The help's end."""


@click.command(name="runbook", epilog=EPILOG)
@click.option("--survey", "survey_file", metavar="FILE", required=True, help="The survey, or what the script printed (- for stdin).")  # fmt: skip
@click.option("--way", type=click.Choice(["A", "B", "C"], case_sensitive=False), help="Which way; the recommended one otherwise.")  # fmt: skip
@click.option("--limit", is_flag=True, help="With A and B: import only the system pool.")
@click.option("--consent", "consents", type=click.Choice(["manual-layout"]), multiple=True, help="Make the new pool by hand in setup.")  # fmt: skip
@click.option("--answers", metavar="FILE", default="", help="The answers file that the next setup will use.")
@click.option("--prepared", metavar="FILE", default="", help="Proof of a medium to boot from, as for `reinstall plan`.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "markdown", "html"]), default="text", show_default=True)  # fmt: skip
@json_option
@click.pass_obj
def runbook_command(
    options: Options, survey_file: str, way: str | None, limit: bool, consents: tuple[str, ...], answers: str,
    prepared: str, form: str, as_json: bool,
) -> int:  # fmt: skip
    """Print what to type at the console of the surveyed machine, what must be seen after each step, and what to do
    otherwise. For machines without a network. Nothing is done.
    """
    from dataclasses import asdict

    from smartos_wizard.reinstall.choices import Choices
    from smartos_wizard.reinstall.model import Way
    from smartos_wizard.reinstall.runbook import runbook_of
    from smartos_wizard.reinstall.runbook_html import as_html
    from smartos_wizard.reinstall.runbook_text import as_markdown, as_text

    survey, proof, now = survey_from(survey_file), prepared_from(prepared), options.world.now()
    chosen, limited = (Way(way.upper()), limit) if way else _best(survey, now, proof)
    choices = Choices(chosen, limited, tuple(dict.fromkeys(consents)), answers_from(answers), proof)
    book = runbook_of(survey, choices, now, practice=options.practice)
    if as_json:
        emit(asdict(book))
    else:
        say({"text": as_text, "markdown": as_markdown, "html": as_html}[form](book).rstrip("\n"))
    return int(ExitCode.DONE)


def _best(survey: Survey, now: float, proof: Prepared | None) -> tuple[Way, bool]:
    """The recommended way. Raises Refused where there is none."""
    from smartos_wizard.reinstall.recommend import advise

    advice = advise(survey, now, proof, attended=True)
    best = advice.recommended
    if best is None:
        raise Refused("no-way", advice.summary, hint="With --way the reasons against one are said.")
    return best.choices.way, best.choices.limited
