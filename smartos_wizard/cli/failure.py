"""Turns whatever a command raised into words on stderr, JSON on stdout where asked, and an exit code."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import click

from smartos_wizard.core.errors import ErrorReport, ExitCode, WizardError, report_of


def wants_json() -> bool:
    """Whether the command line asked for JSON; read from it directly, since parsing may be what failed."""
    return "--json" in sys.argv[1:]


def quiet_logs() -> None:
    """Keep the log off the terminal: without `--log-file` it goes nowhere."""
    logging.getLogger("smartos_wizard").addHandler(logging.NullHandler())


def guarded(run: Callable[[], Any]) -> int:
    """Call `run`; return the exit code it means. Exceptions become reports, never tracebacks."""
    try:
        code = run()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.UsageError as error:
        if wants_json():
            show(ErrorReport("usage", error.format_message(), exit_code=int(ExitCode.USAGE)))
        else:
            error.show()
        return int(ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt):
        report = ErrorReport("interrupted", "Interrupted.", exit_code=int(ExitCode.INTERRUPTED))
        show(report)
        return report.exit_code
    except BrokenPipeError:
        sys.stdout = None  # nobody reads any more; keep the interpreter from complaining at exit
        return int(ExitCode.FAILED)
    except WizardError as error:
        show(error.report())
        return int(error.exit_code)
    except Exception as error:
        logging.getLogger("smartos_wizard").exception("internal error")
        report = report_of(error)
        show(report)
        return report.exit_code


def show(report: ErrorReport) -> None:
    """Print an error: one JSON document on stdout when JSON was asked for, words on stderr otherwise."""
    if wants_json():
        click.echo(json.dumps({**report.to_json(), "error": report.to_json()}))
        return
    click.echo(render(report), err=True)


def render(report: ErrorReport) -> str:
    """The error for a plain terminal: what, where, what to do, and the name to search for."""
    lines = [f"Error: {report.message}"]
    if report.context:
        lines.append(f"  where: {report.context}")
    if report.hint:
        lines.append(f"  what to do: {report.hint}")
    lines.append(f"  ({report.reference}, exit code {report.exit_code})")
    return "\n".join(lines)
