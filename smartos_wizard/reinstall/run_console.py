"""The loader in a run, where the machine's serial console does what a person would: Rescue Mode, or lines at the prompt.

A run that was killed finds the machine where it was left: a loader's prompt waits for ever, and nothing happens there.
"""

from __future__ import annotations

from smartos_wizard.core.errors import NetworkFailed, WizardError
from smartos_wizard.core.events import Noted
from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.reinstall.console_loader import MENU_WAITS, Loader
from smartos_wizard.reinstall.doors import ReinstallWorld
from smartos_wizard.reinstall.run_door import Line

_Run = Run[ReinstallWorld]
MISSED = "loader-menu-missed"


def by_console(run: _Run, step: Step, line: Line) -> Work:
    """Have the loader start Rescue Mode. A menu that was missed is told; whoever waits sees that it started normally."""
    loader = Loader(run.world.console(line.console), stop=line.stopping)
    try:
        loader.menu()
        loader.rescue()
    except WizardError as error:
        if error.reference != MISSED:
            raise
        yield Noted(run.clock(), step.id, error.message, level="warning", reference=MISSED)
    return {}


def to_the_prompt(run: _Run, step: Step, line: Line) -> Work:
    """Wait for the menu and go to the prompt, where it waits. Raises as `Loader.menu` and `Loader.prompt`."""
    yield from ()
    loader = Loader(run.world.console(line.console), stop=line.stopping)
    loader.menu()
    loader.prompt()
    run.found["loader"] = loader
    yield Noted(run.clock(), step.id, "It stands at the loader's prompt; nothing happens there by itself.")
    return {}


def typed(run: _Run, step: Step, line: Line) -> Work:
    """Type the lines of the step, read each back, and boot. That it destroys is noted after the last was read back."""
    loader: Loader | None = run.found.get("loader")
    if loader is None:  # of a run that was killed here
        loader = Loader(run.world.console(line.console), stop=line.stopping)
        loader.menu(30.0 if line.record.began(step.id) else MENU_WAITS)
        loader.prompt()
    loader.type_lines(step.params["lines"])
    run.cancel.check(run.state())
    yield Noted(run.clock(), step.id, f"Read back from the loader: {', '.join(f'{n}={v}' for n, v in loader.proven.items())}.")  # fmt: skip
    if not line.record.began(step.id):
        boot = next((line.record.facts(s.id)["boot"] for s in run.plan.steps if "boot" in line.record.facts(s.id)), None)  # fmt: skip
        line.record.begin(
            step.id, boot=boot, **({"destroys": True} if step.effect is Effect.DESTROYS else {})
        )
    loader.boot()
    line.after_boot = True
    return {}


def at_loader(error: WizardError) -> bool:
    """Whether the machine stands at its loader, and waits there."""
    return isinstance(error, NetworkFailed) and error.reference == "console-at-loader"


def leave_loader(run: _Run, line: Line) -> None:
    """Let it boot normally from the loader's prompt or menu; all that was typed there is forgotten."""
    Loader(run.world.console(line.console)).reboot()
