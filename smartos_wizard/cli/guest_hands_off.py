"""What `guest create` has for guests that set themselves up, are started, and waited for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smartos_wizard.cli.guest_wait import wait_options, waited_code
from smartos_wizard.cli.output import emit_line, run_plan, say, tell
from smartos_wizard.core.errors import UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.boot.model import BootChoices
    from smartos_wizard.guests.model import GuestSpec
    from smartos_wizard.world import World

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--hands-off", is_flag=True,
                 help="It sets itself up: answers are made (or checked, with --answers), nobody is asked."),
    click.option("--layout", type=click.Choice(["single", "mirror", "raidz1", "raidz2", "raidz3"]), default=None,
                 help="As many equal disks as make SmartOS choose this pool; with --disk SIZE, of that size."),
    click.option("--setup-password-file", default="", metavar="FILE",
                 help="With --hands-off: root's password is its first line (- for standard input), not one made here."),
    click.option("--start", "start_it", is_flag=True, help="Start it when it is made."),
)  # fmt: skip
NAMES = ("hands_off", "layout", "setup_password_file", "start_it", "wait", "timeout")


def hands_off_options(command: F) -> F:
    """Add these options; the command gets one object, `hands`."""

    @functools.wraps(command)
    def collected(*args: Any, **kwargs: Any) -> Any:
        said = {name: kwargs.pop(name) for name in NAMES}
        return command(*args, hands=Hands(**said), **kwargs)

    found: Any = wait_options(collected)
    for option in reversed(_OPTIONS):
        found = option(found)
    return found  # type: ignore[no-any-return]


class Hands:
    """One `guest create`: what it was asked for beyond making the guest."""

    def __init__(
        self,
        hands_off: bool,
        layout: str | None,
        setup_password_file: str,
        start_it: bool,
        wait: str,
        timeout: float,
    ) -> None:
        if wait and not start_it:
            raise UsageProblem("wait-without-start", "--wait goes with --start.", hint="Say both.")
        if setup_password_file and not hands_off:
            raise UsageProblem(
                "no-hands-off", "--setup-password-file goes with --hands-off.", hint="Say both."
            )
        self.hands_off, self.layout, self.password_file = hands_off, layout or "", setup_password_file
        self.start_it, self.wait, self.timeout = start_it, wait, timeout
        self._password = ""

    def fit(self, spec: GuestSpec, choices: BootChoices, said: int) -> tuple[GuestSpec, BootChoices]:
        """The guest with the disks for its layout and the answers it needs. `said`: how many disks were asked for.

        Raises Refused for a layout that SmartOS does not choose, and for answers with which setup would stop.
        """
        from smartos_wizard.guests import hands_off

        layout = self.layout
        if self.hands_off and not layout and not said:
            layout = hands_off.layout_asked(choices.answers)
            if layout:
                tell(f"The answers ask for {layout}: it gets as many disks as make setup choose that.")
        if layout:
            spec = hands_off.with_layout(spec, layout, said)
        if self.wait and spec.console == "text":
            raise UsageProblem(
                "nothing-to-hear", "With --console text nothing arrives on its serial port, so --wait would wait in vain.",
                hint="Leave --console away, or --wait.",
            )  # fmt: skip
        if self.hands_off:
            ready = hands_off.prepared(
                spec, choices, self._root_password() if choices.answers is None else ""
            )
            for line in ready.told:
                tell(line)
            if self.password_file and not ready.password:
                raise UsageProblem("two-passwords", "The answers name root's password already.")
            spec, choices = ready.spec, ready.choices
            self._password = "" if self.password_file else ready.password
        if spec.sandbox == "sealed":
            for finding in hands_off.sealed_findings(choices.answers, spec):
                if finding.level != "error":
                    tell(f"{finding.text} {finding.hint}".rstrip())
        return spec, choices

    def lines(self) -> tuple[str, ...]:
        """What comes after making it, for a plan that is only shown."""
        found = []
        if self.hands_off:
            found.append(
                "It sets itself up when it is first started, and erases its own disks without asking."
            )
        if self._password:
            found.append("A one-time password of root is made, and shown once when the guest is made.")
        if self.start_it:
            waits = f", and waited for “{self.wait}” for {self.timeout:g} s" if self.wait else ""
            found.append(f"Then it is started{waits}.")
        return tuple(found)

    def after(self, world: World, name: str, code: int, *, as_json: bool) -> int:
        """Say the password, start the guest and wait, once it is made; the exit code of the whole."""
        if code:
            return code
        guest = world.guests.find(name)
        if self._password and as_json:
            emit_line(
                {
                    "event": "one-time-password",
                    "guest": guest.name,
                    "user": "root",
                    "password": self._password,
                }
            )
        elif self._password:
            say(f"One-time password of root, shown this once: {self._password}")
            tell(
                f"It stands in clear text on the guest's own key ({guest.key}); change it after the first log-in."
            )
        if not self.start_it:
            return 0
        from smartos_wizard.guests.planning import plan_start
        from smartos_wizard.guests.ports import typed

        code = run_plan(world, plan_start(guest), as_json=as_json)
        if code or not self.wait:
            return code
        code = waited_code(world, guest, self.wait, self.timeout, as_json=as_json, one_line=True)
        if not code and not as_json:
            tell(f"Log in here: {typed(world, 'guest', 'console', guest.name)}")
        return code

    def _root_password(self) -> str:
        from smartos_wizard.boot.shadow import one_time_password
        from smartos_wizard.cli.boot_options import read_password

        return read_password(self.password_file) if self.password_file else one_time_password()
