"""`answers new`: make an answers file, from options or question by question."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.boot.answers_check import check_answers, check_file, has_errors, render, trap_warnings
from smartos_wizard.boot.answers_make import begin, known, put_ip, put_nic, put_pair, put_servers
from smartos_wizard.boot.answers_text import HOW_TO_CHANGE, ordered
from smartos_wizard.cli.answers_keep import keep, may_keep
from smartos_wizard.cli.answers_said import document, finding_line, read_file, stop_lines, trap_lines
from smartos_wizard.cli.output import emit, json_option, tell
from smartos_wizard.core.errors import Refused, UsageProblem, WizardError
from smartos_wizard.core.text import tame

if TYPE_CHECKING:
    from smartos_wizard.boot.answers_finding import Finding

EPILOG = """\b
Examples:
  smartos-wizard answers new                          asks question by question
  smartos-wizard answers new --ip 192.168.1.10/24 --gateway 192.168.1.1 --domain example.com --out answers.json
  smartos-wizard answers new --unattended --ip dhcp --domain example.com --hostname sm1 \\
      --one-time-password --out answers.json
  smartos-wizard answers new --from answers.json --set bootpool=zones --set pisource=media --out new.json
\b
The password is asked for, read from a file or made, never given on the command line. A file with a password is
written with mode 0600. What setup will still ask, and what to know before, is told on stderr.
\b
Exit codes: 0 done, 1 the file cannot be read or written, 2 usage, 3 left with q, 4 the answers would not work
or the file is there already.
"""


@dataclass(frozen=True, slots=True)
class _Wishes:
    """The options as given."""

    start_file: str
    pairs: tuple[str, ...]
    drop: tuple[str, ...]
    ip: str
    gateway: str
    dns: tuple[str, ...]
    domain: str
    ntp: str
    hostname: str
    nic: str
    unattended: bool
    prompt: bool
    password_file: str
    one_time: bool

    @property
    def none(self) -> bool:
        """Whether nothing was said about the content."""
        return self == _Wishes("", (), (), "", "", (), "", "", "", "", False, False, "", False)


@click.command(name="new", epilog=EPILOG)
@click.option("--from", "start_file", default="", metavar="FILE", help="Begin with this answers file.")
@click.option("--out", default="", metavar="FILE", help="Write there (mode 0600) instead of to stdout.")
@click.option("--force", is_flag=True, help="Replace --out where it is there already.")
@click.option("--ask", is_flag=True, help="Ask question by question, also with --from.")
@click.option("--unattended", is_flag=True, help="Answer what would stop setup; disks are erased unasked.")
@click.option("--ip", default="", metavar="dhcp|ADDR/PREFIX", help="Address of the admin network.")
@click.option("--gateway", default="", metavar="ADDR|none", help="Default gateway.")
@click.option("--dns", multiple=True, metavar="ADDR", help="Name server; at most two.")
@click.option("--domain", default="", help="Search domain; setup insists on one.")
@click.option("--ntp", default="", metavar="HOST", help="Time server.")
@click.option("--hostname", default="", help="Name of the machine.")
@click.option("--nic", default="", metavar="MAC", help="Network card of the admin network.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Any other answer.")
@click.option("--unset", "drop", multiple=True, metavar="KEY", help="Leave an answer out: setup asks.")
@click.option("--root-password-prompt", "prompt", is_flag=True, help="Ask here for root's password.")
@click.option(
    "--root-password-file", "password_file", default="", metavar="FILE", help="Its first line; - is stdin."
)
@click.option("--one-time-password", "one_time", is_flag=True, help="Make one, and show it once.")
@json_option
def new_command(out: str, force: bool, ask: bool, as_json: bool, **options: Any) -> None:
    """Make an answers file for SmartOS's setup. It begins with sane defaults, or with the file --from names.

    Without --unattended setup still asks for the storage layout and before it erases the disks.
    """
    wishes = _Wishes(**options)
    if out:
        may_keep(out, force=force)
    if ask or wishes.none:
        answers, password = _asked(wishes, ask)
        out = out or _where()
        if out:
            may_keep(out, force=force)
    else:
        answers, password = _wished(wishes)
    findings = check_answers(answers)
    _refuse_errors(findings)
    text = render(answers)
    if out:
        keep(out, text)
    elif answers.get("root_password") and sys.stdout.isatty():
        raise UsageProblem(
            "password-on-screen",
            "The file holds a password, which would stay on the screen.",
            hint="Give --out FILE.",
        )
    _tell(answers, findings, out, text, password, as_json)


def _wished(wishes: _Wishes) -> tuple[dict[str, str], str]:
    """The answers, and the one-time password where one was made."""
    answers = _begin(wishes)
    if wishes.ip:
        put_ip(answers, wishes.ip, gateway=wishes.gateway)
    elif wishes.gateway:
        answers["headnode_default_gateway"] = wishes.gateway
    if wishes.dns:
        put_servers(answers, wishes.dns)
    if wishes.nic:
        put_nic(answers, wishes.nic)
    named = {"dns_search": wishes.domain, "ntp_host": wishes.ntp, "hostname": wishes.hostname}
    answers |= {name: value for name, value in named.items() if value}
    for pair in wishes.pairs:
        put_pair(answers, pair)
    for name in wishes.drop:
        if name not in answers:
            known(name)
        answers.pop(name, None)
    password = _password(wishes)
    if password:
        answers["root_password"] = password
    return ordered(answers), password if wishes.one_time else ""


def _begin(wishes: _Wishes) -> dict[str, str]:
    if not wishes.start_file:
        return begin(None, unattended=wishes.unattended)
    checked = check_file(read_file(wishes.start_file))
    if not checked.parsed.readable:
        first = checked.findings[0]
        raise Refused(
            first.reference,
            f"{tame(wishes.start_file, 200)}, line {first.line}, column {first.column}: {first.text}",
            hint="Put that right first; `answers check` shows the place.",
        )
    for finding in checked.parsed.findings:
        tell(finding_line(finding))
    return begin(checked.parsed.answers, unattended=wishes.unattended)


def _password(wishes: _Wishes) -> str:
    if sum((wishes.prompt, bool(wishes.password_file), wishes.one_time)) > 1:
        raise UsageProblem("two-passwords", "Give one way to a password, not several.")
    if wishes.one_time:
        from smartos_wizard.boot.shadow import one_time_password

        return one_time_password()
    if wishes.prompt:
        if not sys.stdin.isatty():
            raise UsageProblem(
                "no-terminal",
                "There is no terminal to ask for the password.",
                hint="Use --root-password-file.",
            )
        said: str = click.prompt("Root's password", hide_input=True, confirmation_prompt=True, err=True)
        return said
    if wishes.password_file:
        return _first_line(wishes.password_file)
    return ""


def _first_line(path: str) -> str:
    try:
        line = read_file(path).decode("utf-8").split("\n", maxsplit=1)[0].rstrip("\r")
    except UnicodeDecodeError as problem:
        raise WizardError("answers-unreadable", f"{tame(path, 200)} is not UTF-8.") from problem
    if not line:
        raise UsageProblem(
            "empty-password", f"The first line of {tame(path, 200)} is empty; the password stands there."
        )
    return line


def _asked(wishes: _Wishes, ask: bool) -> tuple[dict[str, str], str]:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageProblem(
            "nothing-said",
            "There is no terminal to ask at, and no option says what the file shall hold."
            if not ask
            else "There is no terminal to ask at.",
            hint="For example: smartos-wizard answers new --unattended --ip dhcp --domain example.com --out answers.json",
        )
    from smartos_wizard.cli.answers_ask import Asker

    return Asker(_wished(wishes)[0] if not wishes.none else None).run()


def _where() -> str:
    """Where to keep what was answered: asked on a terminal, stdout otherwise."""
    if not sys.stdout.isatty():
        return ""
    said: str = click.prompt("Save it as", default="answers.json", err=True)
    return said


def _refuse_errors(findings: tuple[Finding, ...]) -> None:
    if not has_errors(findings):
        return
    wrong = [f for f in findings if f.level == "error"]
    raise Refused(
        "answers-wrong",
        " ".join(f.text for f in wrong),
        hint="Nothing was written. Put that right and try again.",
        findings=[f.to_json() for f in wrong],
    )


def _tell(
    answers: dict[str, str], findings: tuple[Finding, ...], out: str, text: str, password: str, as_json: bool
) -> None:
    """The file or where it is on stdout, what to know of it on stderr; the one-time password once."""
    traps = trap_warnings(answers)
    if as_json:
        once = {"one_time_password": password, "how_to_change": list(HOW_TO_CHANGE)} if password else {}
        where = {"path": out} if out else {"path": None, "text": text}
        emit(where | once | document(answers, findings, traps))
        return
    if out:
        tell(f"Written: {tame(out, 200)}")
    else:
        click.echo(text, nl=False)
    for line in [finding_line(f) for f in findings] + stop_lines(answers) + trap_lines(traps):
        tell(line)
    if password:
        tell(f"One-time password of root, shown this once: {password}")
        tell("Log in with it and change it at once, as root on the machine:")
        for line in HOW_TO_CHANGE:
            tell(f"  {line}")
