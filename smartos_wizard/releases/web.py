"""A mirror on the web: Manta's listing, or a web server's index of a directory of the same shape.

Certificates are always checked. Proxies come from the usual environment variables. A redirect from https to
http is refused. Imports core only; `requests` is loaded on first use.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import html
import json
import re
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode, urljoin

from smartos_wizard import __version__
from smartos_wizard.core.errors import NetworkFailed
from smartos_wizard.releases.mirror import Incoming, RemoteFile
from smartos_wizard.releases.web_errors import explain, refuse_status

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection."""
READ_TIMEOUT = 30.0
"""Seconds without a byte after which a connection is given up (and the download resumed on a new one)."""
_SMALL = 8 * 1024 * 1024  # text files and listing pages are never larger
_LINK = re.compile(r"<a\s[^>]*?href\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_RANGE = re.compile(r"^bytes\s+(\d+)-(\d+)/(\d+|\*)$")


class WebMirror:
    """Reads what `Mirror` promises over HTTP or HTTPS. May be used from several threads."""

    def __init__(self, base: str) -> None:
        self.base = base if base.endswith("/") else base + "/"
        self._timeout = (CONNECT_TIMEOUT, READ_TIMEOUT)
        self._session: requests.Session | None = None

    def page(self, marker: str, limit: int, under: str = "") -> list[dict[str, Any]]:
        """One page of Manta's newline-separated JSON; a web server's index page counts as one page."""
        query = {"limit": str(limit), **({"marker": marker} if marker else {})}
        rel = under.rstrip("/") + "/" if under else ""
        body = self._small(self._url(rel) + "?" + urlencode(query))
        if body.lstrip().startswith("<"):
            return [] if marker else _index_entries(body)
        return _json_entries(body, self._url(rel))

    def text(self, rel: str) -> str:
        """A small text file."""
        return self._small(self._url(rel))

    def head(self, rel: str) -> RemoteFile:
        """What the headers tell."""
        response = self._request("HEAD", self._url(rel), {})
        with response:
            refuse_status(response.status_code, response.headers, self._url(rel))
            return _remote(response.headers, _length(response.headers))

    def open(self, rel: str, start: int = 0, if_range: str = "") -> Incoming:
        """The file; the bytes come as they are stored (`Accept-Encoding: identity`).

        Raises NetworkFailed `range-refused` (416), `wrong-range` where the answer begins elsewhere.
        """
        headers = {"Range": f"bytes={start}-"} if start else {}
        if start and if_range:
            headers["If-Range"] = if_range
        response = self._request("GET", self._url(rel), headers)
        try:
            refuse_status(response.status_code, response.headers, self._url(rel))
            begins, whole = _placed(response.status_code, response.headers, start)
        except NetworkFailed:
            response.close()
            raise
        return _WebIncoming(response, begins, _remote(response.headers, whole))

    def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _url(self, rel: str) -> str:
        return self.base + quote(rel)

    def _small(self, url: str) -> str:
        """The body of a small file, tried three times where the server or the line stumbles."""
        for attempt in range(3):
            try:
                return self._small_once(url)
            except NetworkFailed as error:
                if attempt == 2 or not error.details.get("passing"):
                    raise
                time.sleep(min(5.0, float(error.details.get("retry_after") or 0.2 * 3**attempt)))
        raise AssertionError("unreachable")

    def _small_once(self, url: str) -> str:
        import requests

        response = self._request("GET", url, {})
        with response:
            refuse_status(response.status_code, response.headers, url)
            parts: list[bytes] = []
            try:
                for part in response.iter_content(65536):
                    parts.append(part)
                    if sum(map(len, parts)) > _SMALL:
                        raise NetworkFailed(
                            "not-a-mirror", "The answer is far too large for a list.", context=url
                        )
            except requests.RequestException as error:
                raise explain(error, url) from error
        return b"".join(parts).decode("utf-8", errors="replace")

    def _request(self, method: str, url: str, headers: dict[str, str]) -> requests.Response:
        import requests

        if self._session is None:
            self._session = _make_session()
        try:
            return self._session.request(
                method, url, headers=headers, stream=True, timeout=self._timeout, allow_redirects=True
            )
        except requests.RequestException as error:
            raise explain(error, url) from error


class _WebIncoming:
    """The body of an answer, read as it arrives, closable from another thread."""

    def __init__(self, response: requests.Response, start: int, remote: RemoteFile) -> None:
        self._response = response
        self._socket = _socket_of(response)
        self.start = start
        self.remote = remote

    def read(self, limit: int) -> bytes:
        """What is there, at most `limit` bytes; waits for the first of them."""
        import requests
        import urllib3

        try:
            data: bytes = self._response.raw.read1(limit, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
            raise explain(requests.ConnectionError(error), self._response.url) from error
        return data

    def close(self) -> None:
        """End the connection; a `read` that waits in another thread ends too."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket = None
        self._response.close()


def _make_session() -> requests.Session:
    import requests

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> str | None:
            target = super().get_redirect_target(resp)
            if target is not None and resp.url.startswith("https:"):
                goal = urljoin(resp.url, target)
                if not goal.startswith("https:"):
                    resp.close()
                    raise NetworkFailed(
                        "insecure-redirect",
                        "The mirror sends this download to an address without encryption. That is refused.",
                        context=f"{resp.url} → {goal}",
                        hint="Use another mirror, or fetch the file yourself and check it with `release verify`.",
                    )
            return target

    session = Session()
    session.headers.update({"User-Agent": f"smartos-wizard/{__version__}", "Accept-Encoding": "identity"})
    session.max_redirects = 5
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=8)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _socket_of(response: requests.Response) -> socket.socket | None:
    """The socket under an answer, so that a waiting read can be ended; None where it cannot be reached.

    It hangs on the connection while that may be used again, and only on the answer where the server closes.
    """
    raw = response.raw
    stream = getattr(getattr(getattr(raw, "_fp", None), "fp", None), "raw", None)
    candidates = (getattr(stream, "_sock", None), getattr(getattr(raw, "_connection", None), "sock", None))
    return next((found for found in candidates if hasattr(found, "shutdown")), None)


def _json_entries(body: str, url: str) -> list[dict[str, Any]]:
    found = []
    for line in body.splitlines():
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise NetworkFailed(
                "not-a-mirror",
                "The answer is neither a directory listing nor an index page.",
                context=url,
                hint="Is this the address of a SmartOS mirror? A login page of a network would look like this too.",
            ) from error
        if isinstance(entry, dict) and "name" in entry:
            found.append(entry)
    return found


def _index_entries(body: str) -> list[dict[str, Any]]:
    """The links of an index page that lie directly below it."""
    found: dict[str, dict[str, Any]] = {}
    for raw in _LINK.findall(body):
        link = unquote(html.unescape(raw)).split("?")[0].split("#")[0].removeprefix("./")
        name = link.rstrip("/")
        if name and "/" not in name and name != ".." and ":" not in name:
            found[name] = {"name": name, "type": "directory" if link.endswith("/") else "object"}
    return [found[name] for name in sorted(found)]


def _placed(status: int, headers: Any, start: int) -> tuple[int, int | None]:
    """Where the body begins and how large the whole file is."""
    if status != 206:
        return 0, _length(headers)
    match = _RANGE.match(headers.get("Content-Range", ""))
    if match is None or int(match[1]) != start:
        raise NetworkFailed(
            "wrong-range",
            "The mirror sent another part of the file than was asked for.",
            context=headers.get("Content-Range", "no Content-Range"),
        )
    return start, None if match[3] == "*" else int(match[3])


def _length(headers: Any) -> int | None:
    text = headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None


def _remote(headers: Any, size: int | None) -> RemoteFile:
    try:
        md5 = binascii.hexlify(base64.b64decode(headers.get("Content-MD5", ""), validate=True)).decode()
    except ValueError:
        md5 = ""
    return RemoteFile(
        size, headers.get("ETag", ""), headers.get("Last-Modified", ""), md5 if len(md5) == 32 else ""
    )
