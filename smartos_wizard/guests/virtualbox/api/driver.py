"""The driver of VirtualBox by its Python interface: the same plans and answers as by VBoxManage, given to vboxapi."""

from __future__ import annotations

from smartos_wizard.core.paths import Paths
from smartos_wizard.guests.virtualbox.api import child
from smartos_wizard.guests.virtualbox.driver import VirtualBoxDriver


class VirtualBoxApiDriver(VirtualBoxDriver):
    """Guests in VirtualBox by way of vboxapi. Satisfies `Hypervisor`.

    Its id is VirtualBox's: whichever of the two made a guest, the other can go on with it.
    """

    def __init__(self, paths: Paths) -> None:
        super().__init__(paths, child.ask)
