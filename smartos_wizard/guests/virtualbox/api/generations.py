"""VirtualBox's interface, and where things stand in it: several moved with 7.0 and 7.1. Numbers of enumerations always come from
vboxapi's own constants, because they change too (a running machine is 5 on 6.1 and 6 since 7.0).

Facts: VirtualBox.xidl of 6.1, 7.0 and 7.2, and the SDK reference, "main API change log".
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

RESULTS = (
    "VBOX_E_OBJECT_NOT_FOUND", "VBOX_E_INVALID_VM_STATE", "VBOX_E_VM_ERROR", "VBOX_E_FILE_ERROR", "VBOX_E_IPRT_ERROR",
    "VBOX_E_PDM_ERROR", "VBOX_E_INVALID_OBJECT_STATE", "VBOX_E_HOST_ERROR", "VBOX_E_NOT_SUPPORTED", "VBOX_E_XML_ERROR",
    "VBOX_E_INVALID_SESSION_STATE", "VBOX_E_OBJECT_IN_USE", "VBOX_E_PASSWORD_INCORRECT", "VBOX_E_MAXIMUM_REACHED",
    "VBOX_E_GSTCTL_GUEST_ERROR", "VBOX_E_TIMEOUT", "VBOX_E_DND_ERROR",
)  # fmt: skip
"""Names of VirtualBox's results, from 0x80BB0001 on."""
_COMMON = {
    0x80004005: "NS_ERROR_FAILURE", 0x80070057: "NS_ERROR_INVALID_ARG", 0x80070005: "E_ACCESSDENIED",
    0x8000FFFF: "NS_ERROR_UNEXPECTED", 0x80004001: "NS_ERROR_NOT_IMPLEMENTED", 0x80004004: "NS_ERROR_ABORT",
}  # fmt: skip


class Failed(Exception):
    """What VirtualBox refused: its words, and the number of its result."""

    def __init__(self, words: str, result: int = 0x80004005) -> None:
        super().__init__(words)
        self.words, self.result = words, result & 0xFFFFFFFF

    def block(self) -> str:
        """The error as VBoxManage prints it."""
        name = _COMMON.get(self.result, "")
        if 0 < self.result - 0x80BB0000 <= len(RESULTS):
            name = RESULTS[self.result - 0x80BB0001]
        lines = [f"VBoxManage: error: {line}" for line in self.words.splitlines() or ["no words"]]
        return "\n".join(
            [*lines, f"VBoxManage: error: Details: code {name or 'UNKNOWN'} (0x{self.result:08x})"]
        )


class Api:
    """A connection. `line` is (7, 2); `vbox` is IVirtualBox, `c` its constants."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager
        self.vbox: Any = manager.getVirtualBox()
        self.c: Any = manager.constants
        numbers = re.findall(r"\d+", str(self.vbox.version))
        self.line = (int(numbers[0]), int(numbers[1]))

    @property
    def version(self) -> str:
        """As `VBoxManage --version` says it."""
        return f"{self.vbox.version}r{self.vbox.revision}"

    def array(self, thing: Any, name: str) -> list[Any]:
        """An attribute that is a list."""
        return list(self.manager.getArray(thing, name) or ())

    def const(self, kind: str, name: str) -> int:
        """The number of a constant in this version."""
        return int(getattr(self.c, f"{kind}_{name}"))

    def name_of(self, kind: str, number: int) -> str:
        """The name of a number in this version; "" for one it has no name for."""
        for name, value in self.c.all_values(kind).items():
            if value == number and not name.startswith(("First", "Last")):
                return str(name)
        return ""

    def failed(self, error: BaseException) -> Failed:
        """An exception of the interface as VirtualBox's words and number."""
        if isinstance(error, Failed):
            return error
        if isinstance(error, self.manager.oXcptClass):
            words = self.manager.xcptGetMessage(error) or str(error)
            return Failed(str(words), int(self.manager.xcptGetStatus(error) or 0x80004005))
        return Failed(f"{type(error).__name__}: {error}")

    def wait(self, progress: Any) -> None:
        """Until it is done. Raises Failed with its own words."""
        progress.waitForCompletion(-1)
        if int(progress.resultCode):
            info = progress.errorInfo
            words = str(info.text) if info is not None else "It failed without a word."
            raise Failed(words, int(progress.resultCode))

    def machine(self, who: str) -> Any:
        """The machine of that UUID or name, to be looked at."""
        return self.vbox.findMachine(who)

    @contextlib.contextmanager
    def session(self, who: str, lock: str = "Write") -> Iterator[Any]:
        """A session of it: `session.machine` may be changed. What is not saved is forgotten at the end."""
        machine = self.machine(who)
        session = self.manager.getSessionObject(self.vbox)
        machine.lockMachine(session, self.const("LockType", lock))
        try:
            yield session
        finally:
            with contextlib.suppress(self.manager.oXcptClass):
                session.unlockMachine()

    @contextlib.contextmanager
    def changing(self, who: str) -> Iterator[Any]:
        """Its settings, saved at the end where nothing failed."""
        with self.session(who) as session:
            yield session.machine
            session.machine.saveSettings()

    def create(self, file: str, name: str, group: str, system: str, flags: str) -> Any:
        """A machine that is not registered yet. 7.0 encrypts, 7.1 knows other processors."""
        words: list[Any] = [file, name, [group], system, flags]
        if self.line >= (7, 0):
            words += ["", "", ""]
        if self.line >= (7, 1):
            words.insert(2, self.const("PlatformArchitecture", "x86"))
        return self.vbox.createMachine(*words)

    def board(self, machine: Any) -> Any:
        """Where chipset and clock stand."""
        return machine.platform if self.line >= (7, 1) else machine

    def pc(self, machine: Any) -> Any:
        """Where HPET and the properties of the processor stand."""
        return machine.platform.x86 if self.line >= (7, 1) else machine

    def firmware(self, machine: Any) -> Any:
        """Where ACPI, IO-APIC and the boot menu stand."""
        return machine.firmwareSettings if self.line >= (7, 1) else machine.BIOSSettings

    def set_firmware(self, machine: Any, kind: int) -> None:
        """BIOS or EFI."""
        (machine.firmwareSettings if self.line >= (7, 1) else machine).firmwareType = kind

    def processor(self, machine: Any, name: str, *, on: bool) -> None:
        """Switch a property of the processor."""
        kind = "CPUPropertyTypeX86" if self.line >= (7, 1) else "CPUPropertyType"
        self.pc(machine).setCPUProperty(self.const(kind, name), on)

    def boot_menu(self, machine: Any, name: str) -> None:
        """The firmware's menu."""
        kind = "FirmwareBootMenuMode" if self.line >= (7, 1) else "BIOSBootMenuMode"
        self.firmware(machine).bootMenuMode = self.const(kind, name)

    def sound(self, machine: Any) -> Any:
        """The sound card."""
        return machine.audioSettings.adapter if self.line >= (7, 0) else machine.audioAdapter

    def set_3d(self, machine: Any, *, on: bool) -> None:
        """3D graphics."""
        if self.line >= (7, 1):
            machine.graphicsAdapter.setFeature(self.const("GraphicsFeature", "Acceleration3D"), on)
        else:
            machine.graphicsAdapter.accelerate3DEnabled = on

    def has_3d(self, machine: Any) -> bool:
        """Whether 3D graphics are on."""
        if self.line >= (7, 1):
            return bool(
                machine.graphicsAdapter.isFeatureEnabled(self.const("GraphicsFeature", "Acceleration3D"))
            )
        return bool(machine.graphicsAdapter.accelerate3DEnabled)

    def set_base(self, port: Any, base: int) -> None:
        """The address of a serial port."""
        if self.line >= (7, 1):
            port.IOAddress = base
        else:
            port.IOBase = base
