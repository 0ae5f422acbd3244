"""The survey as one script of plain POSIX sh, for a console or for ssh, and the frame its answers come in.

The frame: a first line, then for each question a line `? name`, its output with `| ` before every line, what it said on
stderr with `! ` before every line, and `= status`; at the end a line that counts the questions. So no output can be
taken for the frame, and a file that was cut off is known. Imports nothing that connects or reads.
"""

from __future__ import annotations

from smartos_wizard import __version__
from smartos_wizard.reinstall.probes import PROBES

FIRST = "SMARTOS-WIZARD-SURVEY 1"
"""How the answers begin; the number is the version of the frame."""
LAST = "SMARTOS-WIZARD-SURVEY-END"
"""How they end, followed by the number of questions."""

_HEAD = """\
#!/bin/sh
# Survey of a SmartOS machine, written by SmartOS Wizard {version}.
# It asks {count} questions and prints the answers. It changes nothing and writes no file.
#
#   sh survey.sh > answers.txt
#
# and then, on any machine:  smartos-wizard reinstall survey --file answers.txt

LC_ALL=C
PATH="$PATH:/usr/bin:/usr/sbin:/sbin:/bin:/smartdc/bin"
export LC_ALL PATH
exec 3>&1

# ask NAME FUNCTION: the output and what stands on stderr are kept apart; the status comes last.
ask() {{
	printf '? %s\\n' "$1"
	said=$({{ {{
		( "$2" ) </dev/null 3>&-
		status=$?
		echo
		printf '\\n%s' "$status" >&2
	}} | sed 's/^/| /' >&3; }} 2>&1)
	printf '%s\\n' "$said" | sed -e '$s/^/= /' -e '/^$/d' -e '$!s/^/! /'
}}

echo '{first}'
"""


def survey_script() -> str:
    """The script that asks every question; about 200 lines, to be read before it is run."""
    lines = [_HEAD.format(version=__version__, count=len(PROBES), first=FIRST)]
    for probe in PROBES:
        function = "q_" + probe.name.replace("-", "_")
        command = "\n".join("\t" + line for line in probe.command.split("\n"))
        lines.append(
            f"# {probe.name}: {probe.why}\n{function}() {{\n{command}\n}}\nask {probe.name} {function}\n"
        )
    lines.append(f"echo '{LAST} {len(PROBES)}'\n")
    return "\n".join(lines)
