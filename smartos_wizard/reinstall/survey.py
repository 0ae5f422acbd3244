"""Take a survey: of a host that can be asked, or from a file of answers; and say whether it is one to go on with.

Imports nothing of the interface.
"""

from __future__ import annotations

from collections.abc import Callable

from smartos_wizard.core.errors import PrivilegeFailed, Refused, UsageProblem
from smartos_wizard.reinstall.answers import LIMIT, read_answers
from smartos_wizard.reinstall.model import Survey
from smartos_wizard.reinstall.parse import survey_of
from smartos_wizard.reinstall.ports import Host
from smartos_wizard.reinstall.script import survey_script

_HOW = "On the machine's console: sh survey.sh > answers.txt; `reinstall survey --script` prints the script."


def take(host: Host, clock: Callable[[], float]) -> Survey:
    """Ask the host everything. Nothing is changed there. Raises what `Host.run` raises."""
    text = host.run(survey_script())
    return survey_of(text, taken=clock(), how="ssh", host=host.name, host_key=host.host_key, port=host.port)


def from_answers(text: str) -> Survey:
    """The survey that a file of answers makes. Raises UsageProblem `no-answers` where it is no such file."""
    if not read_answers(text).framed:
        raise UsageProblem("no-answers", "This file holds no answers of the survey's script.", hint=_HOW)
    return survey_of(text, taken=None, how="file")


def read_file_text(data: bytes) -> str:
    """Bytes of a file of answers as text. Raises UsageProblem `answers-too-large`."""
    if len(data) > LIMIT:
        raise UsageProblem(
            "answers-too-large", f"The file is larger than {LIMIT >> 20} MiB; that is no survey."
        )
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")


def require_global_zone(survey: Survey) -> None:
    """Raise where the answers do not come from root in the global zone of a SmartOS machine. Nothing was changed there.

    Refused `not-smartos`, `not-the-global-zone`; PrivilegeFailed `not-root`; NetworkFailed is the connection's.
    """
    where = survey.host or survey.hostname
    if not survey.smartos:
        said = survey.missing("system", "version")
        raise Refused(
            "not-smartos",
            f"{where} did not say what system it runs." if said else f"{where} is no SmartOS machine.",
            hint="Only SmartOS machines can be re-installed this way. Is this the right address?",
            context="nothing was changed there",
        )
    if survey.zone or survey.missing("zone"):
        name = survey.zone or "a zone that could not be named"
        raise Refused(
            "not-the-global-zone",
            f"{where} is a zone ({name}) on a SmartOS machine, not the machine itself.",
            hint="Give the address of the machine's global zone.",
            context="nothing was changed there",
        )
    if not survey.root:
        raise PrivilegeFailed(
            "not-root",
            f"The questions on {where} were not asked by root, so not everything can be seen.",
            hint="Log in as root: --user root, or run the script as root.",
            context="nothing was changed there",
        )
