"""Is a machine fit for SmartOS: what it has (`collect`, `read_facts`) and what that means (`judge_hardware`).

The door of this part of the room. Reads only. Imports core only.
"""

from __future__ import annotations

from smartos_wizard.boot.hardware_collect import collect, collect_linux, script
from smartos_wizard.boot.hardware_facts import (
    DiskFact,
    HardwareFacts,
    PciDevice,
    read_facts,
    write_facts,
)

__all__ = [
    "DiskFact",
    "HardwareFacts",
    "PciDevice",
    "collect",
    "collect_linux",
    "read_facts",
    "script",
    "write_facts",
]
