"""Serve over streamable HTTP: on the loopback interface unless asked otherwise, and never to anybody without the token.

A browser reaches every port of its computer, and so does whatever page it shows: so a request has to name a host that is ours,
come from no foreign page, and bring the token, before a byte of its body is looked at.
"""

from __future__ import annotations

import hmac
import os
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pyro_mcp.errors import HostUnfit, InvalidRequest
from pyro_mcp.mcp_server.server import PyroServer

PATH = "/mcp"
_TOKEN_BYTES = 32
# A short one can be guessed; so can one that is a word, but that is for whoever chose it.
_SHORTEST_TOKEN = 16
_LARGEST_BODY = 64 << 20
# For what is under way when somebody ends the server.
_GRACE_SECONDS = 3
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Guard:
    """Lets requests through to `app` that are for us and bring the token."""

    def __init__(
        self, app: ASGIApp, token: str, hosts: frozenset[str] | None, origins: frozenset[str]
    ) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._hosts = hosts
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, headers: Headers) -> PlainTextResponse | None:
        if self._hosts is not None and headers.get("host") not in self._hosts:
            return PlainTextResponse("this server has another name\n", 421)
        if "origin" in headers and headers["origin"] not in self._origins:
            return PlainTextResponse("pages of this origin may not speak with pyro\n", 403)
        if not hmac.compare_digest(headers.get("authorization", "").encode(), self._expected):
            challenge = {"WWW-Authenticate": 'Bearer realm="pyro"'}
            return PlainTextResponse("the token is missing or wrong\n", 401, headers=challenge)
        return None


def serve_http(
    server: PyroServer, host: str, port: int, *, token_file: str | None = None, origins: Sequence[str] = ()
) -> None:
    """Serve until somebody ends the process. Port 0 takes a free one; where it is, and a new token, are told on stderr."""
    token, told = token_of(token_file)
    with listening(host, port) as listener:
        port = listener.getsockname()[1]
        sys.stderr.write(f"pyro: serving MCP at {_url(host, port)}{PATH}\npyro: {told}\n")
        sys.stderr.flush()
        running = web_server(guarded(server, token, host, port, origins))
        anyio.run(running.serve, [listener])
    server.leave()


def guarded(server: PyroServer, token: str, host: str, port: int, origins: Sequence[str]) -> Guard:
    """The server as a web application, for whoever may speak with it."""
    # Our guard has looked at host and origin already, more strictly.
    theirs = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    app = server.mcp.streamable_http_app(
        streamable_http_path=PATH, transport_security=theirs, max_request_body_size=_LARGEST_BODY
    )
    return Guard(app, token, names(host, port), frozenset({_url(host, port), *origins}))


def web_server(app: ASGIApp) -> uvicorn.Server:
    """What speaks HTTP for it."""
    return uvicorn.Server(
        uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=_GRACE_SECONDS, ws="none"
        )
    )


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def names(host: str, port: int) -> frozenset[str] | None:
    """What a request may call us; anything where we listen for others, who have names for us that we do not know."""
    if host not in _LOOPBACK:
        return None
    return frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))


def listening(host: str, port: int) -> socket.socket:
    """Take the address. Raises HostUnfit when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise HostUnfit(
            f"cannot listen on {host} port {port}: {error}",
            hint="Give another --host or --port; 0 takes a free port.",
        ) from error


def token_of(given: str | None) -> tuple[str, str]:
    """The token, and what to tell of it: one that is made for this run is told once, one in a file never."""
    if given is None:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        return token, f"the token of this run is {token}"
    path = Path(given).expanduser()
    try:
        return _kept_token(path), f"the token is in {path}"
    except OSError as error:
        raise HostUnfit(f"cannot use the token file {path}: {error.strerror}") from error


def _kept_token(path: Path) -> str:
    """Read the file, or make it, for its owner only."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            raise InvalidRequest(
                f"others can read the token file {path}", hint=f"chmod 600 {path}, and change the token."
            ) from None
        token = path.read_text(encoding="utf-8", errors="replace").strip()
        if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable():
            raise InvalidRequest(
                f"{path} holds no token of at least {_SHORTEST_TOKEN} printable ASCII characters",
                hint="Remove the file: a token is then made and written to it.",
            ) from None
        return token
    with os.fdopen(descriptor, "w") as file:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        file.write(token + "\n")
    return token
