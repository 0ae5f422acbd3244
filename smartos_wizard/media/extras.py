"""Which files of a key are not of the release: the user's answers, settings and additions.

Pure. A release puts files only into boot/, platform/ and etc/version/ (smartos-live:
tools/build_boot_image); an upgrade keeps one in previous/platform/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Places inside boot/ that a release leaves to its user (illumos: loader.conf(5), loader.rc; smartos-docs:
# modifying-boot-files).
_OWN = re.compile(
    r"boot/(loader\.conf\.local|loader\.rc\.local|menu\.rc\.local|transient\.conf|conf\.d/.+|custom/.+|bootfs/.+)\Z",
    re.IGNORECASE,
)
_RELEASED = re.compile(r"(boot/|platform/|previous/platform/|etc/version/|[^/]+\.(c32|bin)\Z)", re.IGNORECASE)
_DESKTOP = re.compile(
    r"(system volume information|\.trash[^/]*|\.fseventsd|\.spotlight-v100|\$recycle\.bin|\.temporaryitems)(/|\Z)"
    r"|(.*/)?(\.ds_store|\._[^/]*|thumbs\.db|desktop\.ini)\Z",
    re.IGNORECASE,
)


def extra_files(paths: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths` that no release brings, sorted; what desktops leave behind is not among them."""
    return tuple(
        sorted(p for p in paths if (_OWN.match(p) or not _RELEASED.match(p)) and not _DESKTOP.match(p))
    )


def left_by_desktops(paths: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths` that macOS, Windows or a file manager put there by itself."""
    return tuple(p for p in paths if _DESKTOP.match(p))
