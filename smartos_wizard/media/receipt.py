"""The receipt: a JSON file that says what was written to which device, and with what it was proven."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smartos_wizard import __version__
from smartos_wizard.core.files import replace_file
from smartos_wizard.core.paths import Paths
from smartos_wizard.media.model import Target, VerifiedImage
from smartos_wizard.media.slots import SLOT


def combined(digests: Sequence[bytes]) -> str:
    """One sha256 over all slot digests in order, lower-case hex."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


def write_receipt(
    paths: Paths,
    image: VerifiedImage,
    target: Target,
    digests: Sequence[bytes],
    now: float,
    facts: dict[str, Any],
) -> Path:
    """Put a receipt into the receipts directory; return where. `facts` are sizes, times and the result."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    name = re.sub(r"[^A-Za-z0-9]+", "-", target.token).strip("-")[-40:] or "key"
    path = paths.receipts / f"{stamp}-{name}.json"
    number = 1
    while path.exists():
        number += 1
        path = paths.receipts / f"{stamp}-{name}-{number}.json"
    document = {
        "receipt": 1,
        "tool": f"smartos-wizard {__version__}",
        "at": now,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "source": {
            "path": str(image.path),
            "source": image.source,
            "stamp": image.stamp,
            "kind": image.kind.value,
            "algorithm": image.algorithm,
            "digest": image.digest,
            "vouched_by": image.vouched_by,
        },
        "device": {
            **target.fingerprint.to_json(),
            "name": target.disk.name,
            "regular_file": target.regular_file,
        },
        **facts,
        "slots": {
            "bytes": SLOT,
            "algorithm": "xxh3-128",
            "combined_sha256": combined(digests),
            "digests": [value.hex() for value in digests],
        },
    }
    replace_file(path, json.dumps(document, indent=1).encode())
    return path
