"""What the names in a release directory mean. Names are only ever read here, never composed.

Facts: smartos-live tools/smartos-release and its history (`.bz2` before 2019-04-10; the platform tarball
carries its branch since 2019-05-23). Imports the model only.
"""

from __future__ import annotations

import re

from smartos_wizard.releases.model import STAMP, ArtifactKind

_KINDS: tuple[tuple[ArtifactKind, re.Pattern[str]], ...] = (
    (ArtifactKind.USB, re.compile(r"-usb\.img(\.(gz|bz2))?$|^platform-.*\.usb(\.(gz|bz2))?$", re.IGNORECASE)),
    (ArtifactKind.VMWARE, re.compile(r"\.vmwarevm\.(tar\.(gz|bz2)|tgz|tbz2?|zip)$", re.IGNORECASE)),
    (ArtifactKind.PLATFORM, re.compile(r"^platform-.*\.(tgz|tar\.(gz|bz2))$", re.IGNORECASE)),
    (ArtifactKind.ISO, re.compile(r"\.iso$", re.IGNORECASE)),
)
_IN_NAME = re.compile(r"(?<!\d)\d{8}T\d{6}Z(?:_[A-Za-z0-9]+)?")
_PASSWORD = re.compile(r"^SINGLE_USER_ROOT_PASSWORD(\..*)?\.txt$")
_BROWSER = re.compile(r" ?\(\d+\)(?=\.|$)")
LATEST = re.compile(r"^(smartos|platform)-latest[.-]", re.IGNORECASE)
"""The rolling copies beside the releases; no checksum list names them."""


def kind_of(name: str) -> ArtifactKind:
    """What a file of that name is for; OTHER for build records and archives of tests."""
    return next((kind for kind, pattern in _KINDS if pattern.search(name)), ArtifactKind.OTHER)


def stamp_in(name: str) -> str:
    """The stamp inside a file name, the last where there are several; empty where there is none."""
    found = _IN_NAME.findall(name)
    return found[-1] if found else ""


def is_stamp(text: str) -> bool:
    """Whether `text` is the name of a release."""
    return STAMP.match(text) is not None


def is_password_file(name: str) -> bool:
    """Whether the file holds the single-user root password; the oldest carry the stamp in the name."""
    return _PASSWORD.match(name) is not None


def without_browser_marks(name: str) -> str:
    """The name before a browser added ` (1)` to keep an older download."""
    return _BROWSER.sub("", name).removesuffix(".part").removesuffix(".crdownload")


def safe(name: str) -> bool:
    """Whether a name from a network is a plain file name: no path, nothing that hides or controls."""
    return (
        bool(name) and name not in (".", "..") and "/" not in name and "\\" not in name and name.isprintable()
    )


def order(name: str, stamp: str) -> tuple[int, int, int, str]:
    """Sorts a release's files: useful kinds first, this stamp's before others, gz before bz2."""
    kinds = list(ArtifactKind)
    return kinds.index(kind_of(name)), stamp not in name, name.endswith(".bz2"), name
