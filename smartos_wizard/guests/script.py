"""A plan about a guest as a script that does the same without this program: for sh, or for PowerShell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from smartos_wizard.core.plan import Plan, Step
from smartos_wizard.guests.vmware.judging import descriptor_by_hand

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+\Z")


def script_of(plan: Plan, kind: str) -> str:
    """The script, `sh` or `ps1`. What cannot be done by commands stands in it as a remark."""
    head, of_step = {
        "sh": (("#!/bin/sh", f"# {plan.title}", "set -eu"), _sh_step),
        "ps1": ((f"# {plan.title}", "$ErrorActionPreference = 'Stop'"), _ps1_step),
    }[kind]
    lines = [*head]
    for step in plan.steps:
        lines += ["", f"# {step.effect.value}: {step.title}", *of_step(step, plan)]
    return "\n".join(lines) + "\n"


def _sh_step(step: Step, plan: Plan) -> Iterator[str]:
    match step.action:
        case "begin":
            yield f"mkdir -p -m 700 {shlex.quote(step.title)}"
        case "command":
            for argv in step.params["commands"]:
                end = " || true" if step.params.get("tolerate") else ""
                yield " ".join(shlex.quote(word) for word in argv) + end
        case "write":
            yield f"cat > {shlex.quote(step.params['path'])} <<'SMARTOS_WIZARD_END'"
            yield step.params["text"].rstrip("\n")
            yield "SMARTOS_WIZARD_END"
        case "vmdk" if "around" in step.params:
            yield descriptor_by_hand(Path(step.params["path"]), Path(step.params["around"]))
        case _ if step.by_hand:
            yield step.by_hand
        case "check" | "unmake":
            yield "# (this program's own bookkeeping)"
        case _:
            yield f"# by this program only: smartos-wizard, plan {plan.kind}, step {step.id}"


def _ps1_step(step: Step, plan: Plan) -> Iterator[str]:
    match step.action:
        case "begin":
            yield f"New-Item -ItemType Directory -Force -Path {_ps(step.title)} | Out-Null"
        case "command":
            for argv in step.params["commands"]:
                yield f"& {' '.join(_ps(word) for word in argv)}"
                if not step.params.get("tolerate"):
                    yield 'if ($LASTEXITCODE -ne 0) { throw "exit code $LASTEXITCODE" }'
        case "write":
            yield f"Set-Content -NoNewline -Encoding utf8 -Path {_ps(step.params['path'])} -Value @'"
            yield step.params["text"]
            yield "'@"
        case "wipe":
            yield f"Remove-Item -Force -Path {_ps(step.params['path'])}"
        case "check" | "unmake":
            yield "# (this program's own bookkeeping)"
        case _:
            yield f"# by this program only: smartos-wizard, plan {plan.kind}, step {step.id}"


def _ps(word: str) -> str:
    """A word for PowerShell: single quotes take everything but themselves."""
    return word if _PLAIN.match(word) and not word.startswith("@") else "'" + word.replace("'", "''") + "'"
