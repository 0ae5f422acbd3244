"""What the steps of dual boot share: the Linux they are about, the rights, the secrets that wait."""

from __future__ import annotations

from smartos_wizard.core.errors import PrivilegeFailed
from smartos_wizard.core.runner import Run
from smartos_wizard.core.vault import Vault
from smartos_wizard.netboot.dualboot_ports import DualBootWorld, Linux

R = Run[DualBootWorld]


def linux_of(run: R) -> Linux:
    """The Linux that the plan is about."""
    if "linux" not in run.found:
        run.found["linux"] = run.world.linux(run.plan.params["root"])
    found: Linux = run.found["linux"]
    return found


def require_rights(linux: Linux) -> None:
    """Raise PrivilegeFailed where its boot set-up cannot be changed."""
    if not linux.may_change():
        raise PrivilegeFailed(
            "needs-root", "Changing how this machine starts needs root's rights. Nothing was changed.",
            hint="Give the same command with sudo.",
        )  # fmt: skip


def forget(run: R) -> None:
    """Remove from the vault what the plan left there."""
    if run.plan.params["choices"]:
        Vault(run.world.paths).forget(run.plan.params["choices"])
