"""Which releases the practice mirror has: those that can be downloaded, and the long list around them."""

from __future__ import annotations

import calendar
import time
from dataclasses import dataclass

NEWEST = "20260903T001557Z"
PREVIOUS = "20260430T145637Z"
MD5_ONLY = "20250724T001011Z"
OLDEST = "20150123T200224Z"

_KNOWN = """
20260903T001557Z 20260430T145637Z 20260430T003027Z 20260416T000037Z 20260402T000627Z 20260319T000507Z
20260306T044811Z 20260305T000543Z 20260219T015737Z 20260205T001426Z 20260122T000642Z 20260108T003758Z
20251211T000906Z 20251127T000410Z 20251113T010957Z 20251030T000436Z 20251016T000143Z 20251002T000521Z
20250918T000550Z 20250904T002931Z 20250821T002042Z 20250807T000218Z 20250724T001011Z 20250710T000436Z
20250626T191621Z 20250626T000630Z 20241226T000807Z 20230214T155114Z 20210812T031946Z 20200701T231659Z
20191219T093118Z 20150123T200224Z 20140111T020931Z
"""
_REAL = frozenset(_KNOWN.split())

_SHA256_SINCE = "20250807T000000Z"  # sha256sums.txt: smartos-live 8cc0a2a1, OS-8679
_GZIP_SINCE = "20190410T000000Z"  # before: bzip2; smartos-changelog, smartos.html
_LOADER_SINCE = (
    "20190411T000000Z"  # before: GRUB; smartos-docs, remotely-upgrading-a-usb-key-based-deployment
)
_BRANCH_SINCE = "20190523T000000Z"  # platform tarballs carry the branch: smartos-live df2cf794
_FORTNIGHT = 14 * 86400


@dataclass(frozen=True, slots=True)
class Era:
    """What a release of that time looks like."""

    stamp: str

    @property
    def mtime(self) -> float:
        """When it was published: some hours after the build its stamp names. Seconds since the epoch."""
        return built(self.stamp) + 2 * 3600

    @property
    def sha256(self) -> bool:
        """Whether it publishes sha256 beside md5."""
        return self.stamp >= _SHA256_SINCE

    @property
    def suffix(self) -> str:
        """How its files are compressed: `gz` or `bz2`."""
        return "gz" if self.stamp >= _GZIP_SINCE else "bz2"

    @property
    def legacy(self) -> bool:
        """Whether its key starts with GRUB."""
        return self.stamp < _LOADER_SINCE

    @property
    def platform(self) -> str:
        """The name of its platform tarball."""
        if self.stamp < _BRANCH_SINCE:
            return f"platform-{self.stamp}.tgz"
        return f"platform-release-{self.stamp[:8]}-{self.stamp}.tgz"

    @property
    def whole(self) -> bool:
        """Whether it can be downloaded; the others are only there to fill the list."""
        return self.stamp in _REAL and self.stamp >= OLDEST

    @property
    def archive_size(self) -> int:
        """Bytes of the boot archive on its key: the newest are worth watching, the others quickly built."""
        return (24 if self.stamp >= PREVIOUS else 2) << 20


def built(stamp: str) -> float:
    """The time a stamp names, in seconds since the epoch."""
    return calendar.timegm(time.strptime(stamp[:16], "%Y%m%dT%H%M%SZ"))


def all_stamps() -> tuple[str, ...]:
    """Every release of the mirror, oldest first: real ones, and one a fortnight where those are sparse."""
    real = sorted(_REAL)
    stamps = set(real)
    moment, end = built("20120105T001200Z"), built("20250620T000000Z")
    while moment < end:
        # Builds begin some minutes after midnight and take their time from whoever is before them.
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment + int(moment) // 7 % 900))
        if not any(abs(built(stamp) - built(r)) < _FORTNIGHT // 2 for r in real):
            stamps.add(stamp)
        moment += _FORTNIGHT
    return tuple(sorted(stamps))
