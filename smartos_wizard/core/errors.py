"""One tree of errors, rendered once for the screen, the plain terminal and JSON.

WizardError
├── UsageProblem      2   the words of the command do not make sense
├── Cancelled         3   the user said stop
├── Refused           4   a safety check said no
├── NetworkFailed     5   the mirror or the way to it
├── ChecksumFailed    6   what arrived is not what was published
├── WriteFailed       7   the image or the device failed while writing
├── ProofFailed       8   what is on the device is not what was asked
├── PrivilegeFailed   9   the device could not be opened with the rights at hand
└── DeviceLost       10   the device or host went away

Imports nothing of this program.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """The exit codes of the command; documented in docs/commands.md and never re-used."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CANCELLED = 3
    REFUSED = 4
    NETWORK = 5
    CHECKSUM = 6
    WRITE = 7
    PROOF = 8
    PRIVILEGE = 9
    LOST = 10
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An error as data: what events, journals and `--json` carry."""

    reference: str
    message: str
    hint: str = ""
    context: str = ""
    exit_code: int = int(ExitCode.FAILED)
    details: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The report as one flat object; `details` (an `offset`, two digests) are keys of it."""
        known = {
            "reference": self.reference,
            "message": self.message,
            "hint": self.hint,
            "context": self.context,
            "exit_code": self.exit_code,
        }
        return {**self.details, **known}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ErrorReport:
        """The inverse of `to_json`; unknown keys become details."""
        known = ("reference", "message", "hint", "context", "exit_code")
        return cls(
            reference=str(data.get("reference", "unknown")),
            message=str(data.get("message", "")),
            hint=str(data.get("hint", "")),
            context=str(data.get("context", "")),
            exit_code=int(data.get("exit_code", ExitCode.FAILED)),
            details={k: v for k, v in data.items() if k not in known},
        )


class WizardError(Exception):
    """Anything this program says no to, or fails at, with words for the person in front of it.

    `reference` is a kebab-case name that never changes, `message` says what happened, `context` where,
    `hint` what to do next; keyword details (such as `offset=`) go into the JSON as they are.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(
        self, reference: str, message: str, *, hint: str = "", context: str = "", **details: Any
    ) -> None:
        super().__init__(message)
        self.reference = reference
        self.message = message
        self.hint = hint
        self.context = context
        self.details = details

    def report(self) -> ErrorReport:
        """This error as data."""
        return ErrorReport(
            self.reference, self.message, self.hint, self.context, int(self.exit_code), self.details
        )


class UsageProblem(WizardError):
    """The words of the command, or a file it names, do not make sense."""

    exit_code = ExitCode.USAGE


class Cancelled(WizardError):
    """The user said stop. `message` tells what state that leaves."""

    exit_code = ExitCode.CANCELLED


class Refused(WizardError):
    """A safety check said no. Nothing has been changed."""

    exit_code = ExitCode.REFUSED


class NetworkFailed(WizardError):
    """The mirror, or the way to it, did not give what was asked."""

    exit_code = ExitCode.NETWORK


class ChecksumFailed(WizardError):
    """What arrived is not what was published, or what was published cannot be checked."""

    exit_code = ExitCode.CHECKSUM


class WriteFailed(WizardError):
    """The image or the device failed while writing."""

    exit_code = ExitCode.WRITE


class ProofFailed(WizardError):
    """What is on the device is not what was asked. Carries `offset`, the first differing byte."""

    exit_code = ExitCode.PROOF


class PrivilegeFailed(WizardError):
    """The device could not be opened with the rights at hand."""

    exit_code = ExitCode.PRIVILEGE


class DeviceLost(WizardError):
    """The device or the host went away."""

    exit_code = ExitCode.LOST


_BY_CODE: dict[int, type[WizardError]] = {
    int(kind.exit_code): kind
    for kind in (
        UsageProblem,
        Cancelled,
        Refused,
        NetworkFailed,
        ChecksumFailed,
        WriteFailed,
        ProofFailed,
        PrivilegeFailed,
        DeviceLost,
    )
}


def error_of(report: ErrorReport) -> WizardError:
    """The exception a report came from, of the right class, for raising it in another process."""
    kind = _BY_CODE.get(report.exit_code, WizardError)
    return kind(report.reference, report.message, hint=report.hint, context=report.context, **report.details)


def report_of(error: BaseException) -> ErrorReport:
    """Any exception as a report; what is not a WizardError is a fault of this program and says so."""
    if isinstance(error, WizardError):
        return error.report()
    if isinstance(error, KeyboardInterrupt):
        return ErrorReport("interrupted", "Interrupted.", exit_code=int(ExitCode.INTERRUPTED))
    return ErrorReport(
        "internal-error",
        f"{type(error).__name__}: {error}",
        hint="This is a fault of SmartOS Wizard. Run again with --log-file FILE and report it with that file.",
    )
