"""Two judges of an OVF that are not ours: COT, Cisco's tool for OVAs, and the schema that the DMTF publishes.

COT is installed from PyPI into an environment of its own. The schema (DSP8023) is not in any package registry and is
not shipped here; it is fetched from the DMTF's site once, with what it imports, and kept.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.lab.rig import parts

CACHE = Path(os.environ.get("SMARTOS_WIZARD_LAB_CACHE", "/var/tmp/smartos-wizard-lab"))
SCHEMA = "http://schemas.dmtf.org/ovf/envelope/1/dsp8023_1.1.0.xsd"
_COT = "cot==2.2.1"
_IMPORT = re.compile(r'(<xs:(?:import|include)\b[^>]*\bschemaLocation=")([^"]+)(")')


def cot() -> Path:
    """The program, installed on first use."""
    place = CACHE / "cot-2.2.1"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "cot.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "whole").exists():
            for command in (
                [sys.executable, "-m", "venv", "--clear", str(place)],
                [str(place / "bin/pip"), "install", "-q", "--disable-pip-version-check", _COT],
            ):
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    parts.missing(f"{_COT} from PyPI: {done.stderr[-300:]}")
            (place / "whole").touch()
    return place / "bin/cot"


def schema(url: str = SCHEMA, place: Path | None = None) -> Path:
    """The schema with all it imports in one directory, fetched on first use.

    Where the site cannot be reached the test is skipped and says so, in CI too: it is no part that can be installed.
    """
    place = place or CACHE / "ovf-schema"
    place.mkdir(parents=True, exist_ok=True)
    try:
        return _fetched(url, place, {})
    except (OSError, urllib.error.URLError) as error:
        pytest.skip(f"the OVF schema is not kept in {place} and cannot be fetched from {url}: {error}")


def _fetched(url: str, place: Path, seen: dict[str, Path]) -> Path:
    """The file of a schema; those it imports lie beside it, and it says so."""
    path = seen[url] = place / re.sub(r"[^A-Za-z0-9.]+", "_", url.partition("://")[2])
    if path.exists():
        return path
    with urllib.request.urlopen(url, timeout=20) as answer:  # the DMTF's and the W3C's addresses
        text = answer.read().decode("utf-8-sig")

    def local(match: re.Match[str]) -> str:
        other = urljoin(url, match[2])
        return match[1] + (seen.get(other) or _fetched(other, place, seen)).name + match[3]

    new = path.with_suffix(".new")
    new.write_text(_IMPORT.sub(local, text), encoding="utf-8")
    new.rename(path)
    return path
