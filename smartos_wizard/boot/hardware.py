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
from smartos_wizard.boot.hardware_judge import judge_hardware
from smartos_wizard.boot.hardware_verdict import Fitness, Level, Verdict, overall

__all__ = [
    "DiskFact",
    "Fitness",
    "HardwareFacts",
    "Level",
    "PciDevice",
    "Verdict",
    "collect",
    "collect_linux",
    "judge_hardware",
    "overall",
    "read_facts",
    "script",
    "write_facts",
]
