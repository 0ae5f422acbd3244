"""Which members each interface has, in each line of VirtualBox: attributes to read (ro) or also to set (rw), and calls.

Only what the program under test and its tests use; facts: VirtualBox.xidl of 6.1, 7.0 and 7.2, and the SDK reference's change
log. The members for 7.2 are compared with the real bindings.
"""

from __future__ import annotations

import functools

_SHAPES = {
    "IVirtualBox": (
        "",
        "version versionNormalized revision APIVersion host systemProperties",
        "findMachine createMachine registerMachine composeMachineFilename createMedium openMedium getMachines getHardDisks",
    ),
    "IHost": ("", "", "getNetworkInterfaces"),
    "IHostNetworkInterface": ("", "name shortName id interfaceType", ""),
    "IHostOnlyNetwork": ("networkName enabled", "", ""),
    "IMachine": (
        "name description OSTypeId CPUCount memorySize clipboardMode dnDMode paravirtProvider pointingHIDType keyboardHIDType "
        "snapshotFolder",
        "id state sessionState sessionName accessible settingsFilePath logFolder snapshotCount currentSnapshot "
        "graphicsAdapter VRDEServer",
        "lockMachine saveSettings getNetworkAdapter getSerialPort addStorageController getStorageControllerByName "
        "setStorageControllerBootable attachDevice detachDevice nonRotationalDevice getMediumAttachment getMediumAttachments "
        "getSharedFolders getUSBControllers getUSBControllerCountByType addUSBController removeUSBController setBootOrder "
        "getBootOrder getExtraData getExtraDataKeys setExtraData takeSnapshot restoreSnapshot deleteSnapshot findSnapshot "
        "unregister launchVMProcess createSharedFolder",
    ),
    "IGraphicsAdapter": ("VRAMSize graphicsControllerType monitorCount", "", ""),
    "IVRDEServer": ("enabled", "", ""),
    "IAudioAdapter": ("enabled audioDriver", "", ""),
    "INetworkAdapter": (
        "enabled attachmentType adapterType MACAddress cableConnected promiscModePolicy internalNetwork bridgedInterface "
        "hostOnlyInterface",
        "slot NATEngine",
        "",
    ),
    "INATEngine": ("", "", "addRedirect removeRedirect getRedirects"),
    "ISerialPort": ("enabled IRQ hostMode server path uartType", "slot", ""),
    "IUSBController": ("name type", "", ""),
    "IStorageController": ("name controllerType portCount useHostIOCache", "bus bootable maxPortCount", ""),
    "IMediumAttachment": ("", "controller port device type medium nonRotational", ""),
    "IMedium": (
        "type location", "id format deviceType state parent base logicalSize name",
        "createBaseStorage deleteStorage close getChildren getMachineIds",
    ),
    "ISharedFolder": ("writable", "name hostPath", ""),
    "ISnapshot": ("name description", "id parent machine online", "getChildren"),
    "ISession": ("name", "state type machine console", "unlockMachine"),
    "IConsole": ("", "state machine", "powerButton powerDown"),
    "IProgress": ("", "completed canceled percent resultCode errorInfo description operationCount", "waitForCompletion cancel"),
    "IVirtualBoxErrorInfo": ("", "text resultCode next", ""),
}  # fmt: skip
_UNTIL_7_0 = {
    "IMachine": (
        "chipsetType RTCUseUTC HPETEnabled firmwareType",
        "BIOSSettings",
        "setCPUProperty getCPUProperty",
    ),
    "IGraphicsAdapter": ("accelerate3DEnabled accelerate2DVideoEnabled", "", ""),
    "ISerialPort": ("IOBase", "", ""),
    "IBIOSSettings": ("ACPIEnabled IOAPICEnabled bootMenuMode logoDisplayTime", "", ""),
}
_SINCE_7_0 = {
    "IVirtualBox": ("", "", "getHostOnlyNetworks"),
    "IMachine": ("", "audioSettings", ""),
    "IAudioSettings": ("", "adapter", ""),
    "INetworkAdapter": ("hostOnlyNetwork", "", ""),
    "INATEngine": ("localhostReachable", "", ""),
}
_SINCE_7_1 = {
    "IMachine": ("", "platform firmwareSettings", ""),
    "IPlatform": ("chipsetType RTCUseUTC architecture", "x86", ""),
    "IPlatformX86": ("HPETEnabled", "", "setCPUProperty getCPUProperty"),
    "IFirmwareSettings": ("firmwareType ACPIEnabled IOAPICEnabled bootMenuMode logoDisplayTime", "", ""),
    "IGraphicsAdapter": ("", "", "setFeature isFeatureEnabled"),
    "ISerialPort": ("IOAddress", "", ""),
}


@functools.cache
def shapes(line: tuple[int, int]) -> dict[str, dict[str, str]]:
    """Interface to member to "rw", "ro" or "call"."""
    layers = [_SHAPES]
    if line < (7, 0):
        layers.append({"IMachine": ("", "audioAdapter", "")})
    else:
        layers.append(_SINCE_7_0)
    layers.append(_UNTIL_7_0 if line < (7, 1) else _SINCE_7_1)
    found: dict[str, dict[str, str]] = {}
    for layer in layers:
        for interface, groups in layer.items():
            members = found.setdefault(interface, {})
            for kind, names in zip(("rw", "ro", "call"), groups, strict=True):
                members.update(dict.fromkeys(names.split(), kind))
    return found
