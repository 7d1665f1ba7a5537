# Made from `_async/transport.py` by `scripts/unasync.py`: change that one.
"""Requests to one service, and its answers and refusals."""

from __future__ import annotations

import json
import os
from typing import Any

import httpx2

from .._errors import ConnectionFailed, ProblemError, ProtocolError, RateLimited
from .._local import LocalService
from .._routes import Call
from .tasks import in_thread, sleep

DEFAULT_URL = "http://127.0.0.1:8080"
URL_VARIABLE = "LLM_FIRECRACKER_URL"
KEY_VARIABLE = "LLM_FIRECRACKER_KEY"
#: Seconds until a connection stands.
CONNECT_SECONDS = 10.0
#: Seconds that a request waits at most, all together, for its key's rate.
RATE_WAIT_SECONDS = 30.0
#: Bytes of a refusal that are read at most: a problem is small.
PROBLEM_BYTES = 1024 * 1024


class Transport:
    """Where the service is, the key, and the connections to it."""

    def __init__(
        self,
        url: str | None,
        key: str | None,
        http: httpx2.Client | None,
        local: LocalService | None = None,
    ) -> None:
        self._url = (url or os.environ.get(URL_VARIABLE) or DEFAULT_URL).rstrip("/")
        self._key = key or os.environ.get(KEY_VARIABLE)
        self._local = local
        self._own = http is None
        # A sandbox may have 112 requests open. The key goes through no proxy where it would be readable there.
        self._http = http or httpx2.Client(
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),
            trust_env=self._url.startswith("https:"),
        )

    @property
    def address(self) -> tuple[str, str | None]:
        """Where the service is, and the key."""
        return self._url, self._key

    def close(self) -> None:
        """Gives the connections back, and ends a service of its own."""
        if self._own:
            self._http.close()
        if self._local is not None:
            in_thread(self._local.stop)

    def start(self) -> None:
        """Starts a service of its own, where that is the way."""
        if self._local is not None:
            self._url = in_thread(self._local.start)

    def json(self, call: Call) -> Any:
        """The answer's JSON; `None` where there is no body."""
        body = self.bytes(call)
        if not body:
            return None
        try:
            return json.loads(body)
        except ValueError as error:
            raise ProtocolError(f"{call.method} {call.path}: the answer is no JSON") from error

    def bytes(self, call: Call) -> bytes:
        """The answer's body."""
        response = self.open(call)
        try:
            return response.read()
        except httpx2.TransportError as error:
            raise _broken(call, error) from error
        finally:
            response.close()

    def open(self, call: Call) -> httpx2.Response:
        """The answer's head; its body is the caller's to read and to close. A refusal is raised.

        Only who asks too often is let wait first, as long as the service says: it has not looked at the request then.
        """
        self.start()
        waited = 0.0
        while True:
            try:
                return self._sent(call)
            except RateLimited as error:
                pause = error.retry_after or 1.0
                waited += pause
                if waited > RATE_WAIT_SECONDS or not call.can_repeat:
                    raise
            sleep(pause)

    def _sent(self, call: Call) -> httpx2.Response:
        try:
            response = self._http.send(self._request(call), stream=True)
            if response.is_success or response.status_code == call.answers_with:
                return response
            raise _refusal(response, call)
        except httpx2.TransportError as error:
            raise _broken(call, error) from error

    def _request(self, call: Call) -> httpx2.Request:
        headers = {"accept": call.accept}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        content: Any = call.content
        if call.body is not None:
            given = {name: value for name, value in call.body.items() if value is not None}
            content = json.dumps(given, ensure_ascii=False).encode()
            headers["content-type"] = "application/json"
        elif content is not None:
            headers["content-type"] = "application/octet-stream"
        # Writing waits for whoever reads: a process in a sandbox may take its time.
        timeout = httpx2.Timeout(CONNECT_SECONDS, read=call.read_seconds, write=None, pool=None)
        return self._http.build_request(
            call.method,
            self._url + call.path,
            params=dict(call.params),
            content=content,
            headers=headers,
            timeout=timeout,
        )


def _refusal(response: httpx2.Response, call: Call) -> ProblemError | ProtocolError:
    """What an answer that is no success says."""
    try:
        text = b""
        for piece in response.iter_bytes():
            text += piece
            if len(text) > PROBLEM_BYTES:
                break
        if call.has_content:
            _leave(response)
    finally:
        response.close()
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict) or "code" not in body:
        return ProtocolError(f"the answer is {response.status_code} and no problem of this API")
    after = response.headers.get("retry-after", "")
    return ProblemError.of(body, float(after) if after.isdigit() else None)


def _leave(response: httpx2.Response) -> None:
    """Has the connection not used again: a service that refuses a request before it has read its body closes it.

    The pool finds out by itself, but not when the next request comes before the end does.
    """
    connection = response.extensions.get("network_stream")
    if connection is not None:
        connection.close()


def _broken(call: Call, error: httpx2.TransportError) -> ConnectionFailed:
    return ConnectionFailed(f"{call.method} {call.path}: {type(error).__name__}: {error}")
