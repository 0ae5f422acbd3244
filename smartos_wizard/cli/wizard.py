"""Opens the wizard: full screen, or line by line with `--plain`."""

from __future__ import annotations

import gc
import locale
import os
import sys
from typing import TYPE_CHECKING

from smartos_wizard.core.errors import UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options


def open_wizard(options: Options) -> int:
    """Run the wizard; its exit code. Raises UsageProblem where there is no terminal to be seen on."""
    if options.plain:
        from smartos_wizard.cli.plain import PlainWizard

        return PlainWizard(options.world, ascii_only=wants_ascii(options.ascii)).run()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageProblem(
            "no-terminal",
            "The wizard needs a terminal, and this is none.",
            hint="Use a command (smartos-wizard --help), or --plain to be asked line by line.",
        )
    gc.disable()  # importing makes no garbage worth looking for, and looking takes a tenth of the start
    from smartos_wizard.app import WizardApp

    gc.freeze()
    gc.enable()
    world = options.world
    if not options.color:
        os.environ["NO_COLOR"] = "1"
    app = WizardApp(world, ascii_only=wants_ascii(options.ascii or world.settings.ascii))
    app.run()
    return app.return_code or 0


def wants_ascii(asked: bool) -> bool:
    """Whether to draw in ASCII: asked for, the Linux console, or a terminal that does not speak UTF-8."""
    if asked or os.environ.get("TERM") == "linux":
        return True
    encoding = (getattr(sys.stdout, "encoding", "") or locale.getpreferredencoding(False)).lower()
    return encoding.replace("-", "") != "utf8"
