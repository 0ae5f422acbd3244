"""One release of the practice mirror: built in a moment when first asked for, then kept with its digests.

What a release directory holds: smartos-live, tools/smartos-release; the lists' form: tools/generate-sums.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

from smartos_wizard.core.paths import private_directory
from smartos_wizard.practice.control import locked
from smartos_wizard.practice.entries import Entry, text_entry
from smartos_wizard.practice.release_files import release_password
from smartos_wizard.practice.stamps import Era

_FACTS = "facts.json"  # names, sizes and digests of a built release; not served
_CHUNK = 1 << 20


def build_release(era: Era, root: Path) -> list[Entry]:
    """The files of the release directory, built below `root` unless some process did so before."""
    folder = root / era.stamp
    if not (folder / _FACTS).is_file():
        private_directory(root)
        with locked(root / f"{era.stamp}.lock"):
            if not (folder / _FACTS).is_file():
                _build(era, root, folder)
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    files = [
        Entry(f["name"], era.mtime, f["size"], path=folder / f["name"], md5=f["md5"]) for f in facts["files"]
    ]
    return sorted([*files, *_records(era, facts["files"])], key=lambda e: e.name)


def listing_only(era: Era) -> list[Entry]:
    """The small files of a release that only fills the list: its artifacts cannot be downloaded here."""
    return sorted(_records(era, []), key=lambda e: e.name)


def lay_image(era: Era, path: Path) -> None:
    """Put the raw image of the release at `path`: the bytes its compressed file decodes to."""
    private_directory(path.parent)
    new = path.with_suffix(f".{os.getpid()}.new")
    try:
        _raw(era, new)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _raw(era: Era, path: Path) -> Path:
    from smartos_wizard.practice.boot_stub import boot_code
    from smartos_wizard.practice.image import build_usb_image

    return build_usb_image(
        path,
        era.stamp,
        boot_archive_size=era.archive_size,
        legacy=era.legacy,
        boot_code=boot_code(b"Boot SmartOS (practice: nothing real starts here)\r\n"),
    )


def _build(era: Era, root: Path, folder: Path) -> None:
    """Make everything in a directory aside and put it in place whole."""
    from smartos_wizard.practice import image

    aside = root / f".{era.stamp}.new"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    raw = _raw(era, aside / "raw")
    start = f"smartos-{era.stamp}"
    squeeze: Callable[[Path, Path], Path] = (
        image.compress_gzip if era.suffix == "gz" else image.compress_bzip2
    )
    made = [
        squeeze(raw, aside / f"{start}-USB.img.{era.suffix}"),
        image.build_iso(aside / f"{start}.iso", era.stamp),
        image.build_platform_tarball(aside / era.platform, era.stamp),
    ]
    if era.suffix == "gz":
        made.append(image.build_vmware_bundle(aside / f"{start}.vmwarevm.tar.gz", raw))
    raw.unlink()
    facts = {"files": [_digested(path) for path in made]}
    for path in made:
        os.utime(path, (era.mtime, era.mtime))
    (aside / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


def _digested(path: Path) -> dict[str, object]:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            md5.update(chunk)
            sha256.update(chunk)
    return {
        "name": path.name,
        "size": path.stat().st_size,
        "md5": md5.hexdigest(),
        "sha256": sha256.hexdigest(),
    }


def _records(era: Era, files: list[dict[str, str]]) -> list[Entry]:
    """The small files; the lists name every file of the build, and some that were never published."""
    password = text_entry("SINGLE_USER_ROOT_PASSWORD.txt", _password(era.stamp), era.mtime)
    small = [
        password,
        text_entry("changelog.txt", _changelog(era), era.mtime),
        text_entry("build.log", f"practice build of {era.stamp}\n", era.mtime),
        text_entry("gitstatus.json", "[]\n", era.mtime),
        text_entry("configure-projects", "illumos:master\n", era.mtime),
    ]
    unpublished = hashlib.md5(f"boot {era.stamp}".encode(), usedforsecurity=False).hexdigest()
    sums = {"md5": {f["name"]: f["md5"] for f in files} | {e.name: e.md5 for e in small}}
    sums["md5"][f"boot-release-{era.stamp[:8]}-{era.stamp}.tgz"] = unpublished
    if era.sha256:
        sums["sha256"] = {f["name"]: f["sha256"] for f in files}
        sums["sha256"] |= {e.name: hashlib.sha256(e.data).hexdigest() for e in small}
    lists = [
        text_entry(
            f"{algorithm}sums.txt", "".join(f"{d} {name}\n" for name, d in sorted(of.items())), era.mtime
        )
        for algorithm, of in sums.items()
    ]
    index = text_entry("index.html", _index(era.stamp, sorted(sums["md5"]), list(sums)), era.mtime)
    return [*small, *lists, index]


def _password(stamp: str) -> str:
    return f"{release_password(stamp)}\n"  # smartos-live: Makefile copies root.password there


def _index(stamp: str, names: list[str], algorithms: list[str]) -> str:
    """smartos-live: tools/smartos-index."""
    lines = "".join(f'<a href="{name}">{name}</a><br>\n' for name in names)
    lists = "".join(f'<a href="{a}sums.txt">{a}sums.txt</a>\n' for a in algorithms)
    return f"<html><head><title>SmartOS {stamp}</title></head><body>\n{lines}{lists}</body></html>\n"


def _changelog(era: Era) -> str:
    """One section for each repository, its title underlined, as in a real one; every entry says practice."""
    day = time.strftime("%Y-%m-%d", time.gmtime(era.mtime))
    number = int(era.stamp[2:8])
    sections = {
        "smartos-live": (f"PRACTICE-{number} release {era.stamp} of the practice mirror", "practice: nothing here is real"),
        "illumos-joyent": ("practice: kernel unchanged, there is none", "practice: merge of nothing at all"),
        "illumos-extra": ("practice: no tools were updated",),
    }  # fmt: skip
    note = "" if era.whole else (
        "This practice release is only here to fill the list: its images cannot be downloaded.\n\n"
    )  # fmt: skip
    text = note
    for title, commits in sections.items():
        text += f"{title}\n--------\n\n"
        for commit in commits:
            mark = hashlib.sha1(f"{era.stamp}{commit}".encode(), usedforsecurity=False).hexdigest()
            text += f"commit {mark}\nDate: {day}\n\n{textwrap.indent(commit, '    ')}\n\n"
    return text
