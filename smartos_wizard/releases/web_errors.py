"""What went wrong between this machine and a mirror, in words a person can act on. Imports core only.

Details of the raised error: `passing` is true where trying again may help, `retry_after` is in seconds.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from smartos_wizard.core.errors import NetworkFailed

if TYPE_CHECKING:
    import requests

_PROXY = "A proxy is taken from HTTPS_PROXY and HTTP_PROXY, exceptions from NO_PROXY."


def explain(error: requests.RequestException, url: str) -> NetworkFailed:
    """The error `requests` raised, with its cause named and a hint."""
    import requests

    causes = _chain(error)
    names = {type(c).__name__ for c in causes}
    said = str(causes[-1]) or type(causes[-1]).__name__
    if isinstance(error, requests.exceptions.SSLError) or names & {"SSLError", "SSLCertVerificationError"}:
        return NetworkFailed(
            "tls-failed",
            "The mirror's certificate could not be trusted, so nothing was fetched.",
            context=f"{url}: {said}",
            hint="Is this machine's clock right? Behind a company proxy, point REQUESTS_CA_BUNDLE to its certificate.",
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return NetworkFailed(
            "proxy-failed",
            "The proxy did not let this through.",
            context=f"{url}: {said}",
            hint=_PROXY,
            passing=True,
        )
    if "NameResolutionError" in names or "gaierror" in names:
        return NetworkFailed(
            "name-not-found",
            "The mirror's name could not be resolved.",
            context=f"{url}: {said}",
            hint=f"Is this machine online, and does its DNS work? {_PROXY} Without a network, "
            "--mirror takes a local directory.",
            passing=True,
        )
    if names & {"ConnectTimeout", "ConnectTimeoutError", "ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return NetworkFailed(
            "mirror-silent",
            "The mirror did not answer in time.",
            context=f"{url}: {said}",
            hint=f"Try again later. {_PROXY}",
            passing=True,
        )
    if isinstance(error, requests.exceptions.TooManyRedirects | requests.exceptions.InvalidURL):
        return NetworkFailed("not-a-mirror", "The address leads nowhere.", context=f"{url}: {said}")
    if names & {"NewConnectionError", "ConnectionRefusedError"}:
        return NetworkFailed(
            "mirror-unreachable",
            "No connection to the mirror.",
            context=f"{url}: {said}",
            hint=f"Is the address right and this machine online? {_PROXY}",
            passing=True,
        )
    return NetworkFailed(
        "connection-lost",
        "The connection to the mirror broke.",
        context=f"{url}: {said}",
        hint="Try again; a download goes on where it stopped.",
        passing=True,
    )


def refuse_status(status: int, headers: Mapping[str, str], url: str) -> None:
    """Raise NetworkFailed for an answer that carries no file."""
    if status in (200, 206):
        return
    if status in (404, 410):
        raise NetworkFailed(
            "not-on-mirror", f"The mirror has no {url.partition('?')[0]}.", context=f"{url}: {status}"
        )
    if status == 416:
        raise NetworkFailed("range-refused", "The mirror has no such part of the file.", context=url)
    if status == 407:
        raise NetworkFailed("proxy-failed", "The proxy wants a password.", context=url, hint=_PROXY)
    if status in (401, 403):
        raise NetworkFailed(
            "not-allowed", "The mirror does not let this through.", context=f"{url}: {status}"
        )
    raise NetworkFailed(
        "mirror-trouble",
        f"The mirror answered with error {status}.",
        context=url,
        hint="Try again later, or use another mirror.",
        passing=status in (408, 425, 429) or status >= 500,
        retry_after=seconds_of(headers.get("Retry-After", "")),
    )


def seconds_of(retry_after: str) -> float | None:
    """What a `Retry-After` header asks for, in seconds; None where it makes no sense."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        then = email.utils.parsedate_to_datetime(retry_after)
    except (TypeError, ValueError):
        return None
    return max(0.0, then.timestamp() - time.time())


def _chain(error: BaseException) -> list[BaseException]:
    """The error and everything it carries or was caused by, outermost first."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        this = todo.pop(0)
        if not isinstance(this, BaseException) or this in found or len(found) > 12:
            continue
        found.append(this)
        todo += [*this.args, getattr(this, "reason", None), this.__cause__, this.__context__]
    return found
