"""The practice mirror's content: the listing at once, the releases themselves when somebody asks for one."""

from __future__ import annotations

import threading
from pathlib import Path

from smartos_wizard.practice.entries import Entry, text_entry
from smartos_wizard.practice.release import build_release, lay_image, listing_only
from smartos_wizard.practice.server import BASE_PATH
from smartos_wizard.practice.stamps import NEWEST, Era, all_stamps

_REDIRECT = '<html><head><meta http-equiv="refresh" content="0; url={}"/></head></html>\n'
_APP = "<html><head><title>SmartOS changelogs (practice)</title></head><body></body></html>\n"
_AHEAD = 12  # releases on a first screen
_ROLLING = {
    "smartos-latest.iso": "iso",
    "smartos-latest-USB.img.gz": "usb",
    "smartos-latest.vmwarevm.tar.gz": "vmware",
    "platform-latest.tgz": "platform",
}


class PracticeTree:
    """Satisfies `server.Tree`. Releases are built below `root`, once for all processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._eras = {stamp: Era(stamp) for stamp in all_stamps()}
        self._files: dict[str, list[Entry]] = {}

    def children(self, rel: str) -> list[Entry] | None:
        """The listing of the mirror, or of one release, which is built first where that is missing."""
        if rel == "":
            return self._top()
        if rel in self._eras:
            return self._release(rel)
        return [] if rel in ("hotpatches", "build-cache") else None

    def find(self, rel: str) -> Entry | None:
        """A directory or an object. Asking for a file of a release builds that release first."""
        folder, _, name = rel.rpartition("/")
        if not folder and (not name or name in self._eras):
            mtime = self._eras[name].mtime if name else self._eras[NEWEST].mtime
            return Entry(name, mtime, directory=True)
        # What stands at the top and is no copy of a release must not wait for one to be built.
        inside = self._fixed() if not folder and name not in _ROLLING else self.children(folder) or ()
        return next((e for e in inside if e.name == name), None)

    def build_ahead(self, stop: threading.Event) -> None:
        """Build the releases that will be asked for first, newest first, unless `stop` is set meanwhile."""
        whole = [stamp for stamp, era in self._eras.items() if era.whole]
        for stamp in sorted(whole, reverse=True)[:_AHEAD]:
            if stop.is_set():
                return
            self._release(stamp)

    def lay_image(self, stamp: str, path: Path) -> None:
        """Put the raw image of `stamp` at `path`, sparse."""
        lay_image(self._eras[stamp], path)

    def _release(self, stamp: str) -> list[Entry]:
        known = self._files.get(stamp)
        if known is None:
            era = self._eras[stamp]
            known = build_release(era, self.root) if era.whole else listing_only(era)
            self._files[stamp] = known
        return known

    def _top(self) -> list[Entry]:
        entries = [Entry(stamp, era.mtime, directory=True) for stamp, era in self._eras.items()]
        return sorted([*entries, *self._fixed(), *self._rolling()], key=lambda e: e.name)

    def _fixed(self) -> list[Entry]:
        """What is there beside the releases and their copies."""
        mtime = self._eras[NEWEST].mtime
        newest = f"{BASE_PATH}{NEWEST}"
        return [
            Entry("build-cache", mtime, directory=True),
            Entry("hotpatches", mtime, directory=True),
            text_entry("latest", f"{newest}\n", mtime),
            text_entry("latest.html", _REDIRECT.format(f"{newest}/index.html"), mtime),
            text_entry("smartos.html", _APP, mtime),
        ]

    def _rolling(self) -> list[Entry]:
        """The copies named `latest`: whole objects of their own, without digests beside them."""
        files = self._release(NEWEST)
        endings = {"iso": ".iso", "usb": "-USB.img.gz", "vmware": ".vmwarevm.tar.gz", "platform": ".tgz"}
        out = []
        for name, kind in _ROLLING.items():
            like = next(e for e in files if e.name.endswith(endings[kind]) and not e.name.startswith("tests"))
            out.append(Entry(name, like.mtime, like.size, path=like.path, md5=like.md5))
        return out
