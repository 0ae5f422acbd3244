"""Web servers with trees as the practice world has them: the project's own, make-believe, and none else. Asks nobody.

Facts: smartos-netboot-server (tools/render_ipxe_file.sh: the shape of its script, and that it has no `:fail`).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from smartos_wizard.core.errors import NetworkFailed
from smartos_wizard.core.files import replace_file
from smartos_wizard.core.paths import Paths
from smartos_wizard.practice.release_files import platform_files
from smartos_wizard.practice.stamps import NEWEST

_OFFICIAL = "netboot.smartos.org"
_NOT_REAL = ("192.0.2.", "198.51.100.", "203.0.113.")
"""Networks that are for documentation (RFC 5737): the make-believe machines are in them."""
_SCRIPT = """#!ipxe
set bp_console ttyb
:menu
menu SmartOS (make-believe)
item {stamp} {stamp}
item console Console: ${{bp_console}}
choose --default {stamp} --timeout 10000 smartos_build &&
iseq ${{smartos_build}} console && goto console ||
kernel os/${{smartos_build}}/platform/i86pc/kernel/amd64/unix -B console=${{bp_console}},smartos=true
module os/${{smartos_build}}/platform/i86pc/amd64/boot_archive type=rootfs name=ramdisk || goto fail
module os/${{smartos_build}}/platform/i86pc/amd64/boot_archive.hash type=hash name=ramdisk || goto fail
boot || goto menu
:console
set bp_console text
goto menu
"""


def instead_of(where: str, paths: Paths) -> str:
    """What stands for that server in the practice world: a directory, or `where` itself for one nobody plays.

    Raises NetworkFailed `mirror-unreachable` for the make-believe networks: what is served on them is not there.
    """
    host = urlsplit(where).hostname or ""
    if host.startswith(_NOT_REAL):
        raise NetworkFailed(
            "mirror-unreachable", f"{host} does not answer: what is served in the practice world is served to nobody.",
            hint="Check the directory that is served.", context=where,
        )  # fmt: skip
    if host != _OFFICIAL:
        return where
    root = paths.state / "official-netboot"
    script = root / "smartos.ipxe"
    if not script.exists():
        for path, data in platform_files(NEWEST, 1 << 20, 7).items():
            if path.startswith("i86pc/"):
                replace_file(root / f"os/{NEWEST}/platform/{path}", data, 0o644)
        replace_file(script, _SCRIPT.format(stamp=NEWEST).encode(), 0o644)
    return str(root)
