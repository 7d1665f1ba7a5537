"""What listens in a sandbox, reached by `get_host`: where the service has a domain (E2B_DOMAIN), names and certificates."""

import os
import time
import urllib.error
import urllib.request

import pytest

pytestmark = pytest.mark.skipif("E2B_DOMAIN" not in os.environ, reason="ports are reached by names, which need a domain")

# A WebSocket that says everything back, by the standard library alone: no image needs more for this test.
ECHO = r"""
import base64, hashlib, socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        key = None
        while (line := self.rfile.readline().strip()):
            if line.lower().startswith(b"sec-websocket-key:"):
                key = line.split(b":", 1)[1].strip()
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        while (head := self.rfile.read(2)):
            length = head[1] & 127
            if length == 126:
                length = int.from_bytes(self.rfile.read(2), "big")
            mask = self.rfile.read(4)
            data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self.rfile.read(length)))
            size = bytes([length]) if length < 126 else bytes([126]) + length.to_bytes(2, "big")
            self.wfile.write(bytes([head[0]]) + size + data)
            if head[0] & 15 == 8:
                return
socketserver.ThreadingTCPServer(("127.0.0.1", 8001), Echo).serve_forever()
"""


def headers(sandbox):
    """What opens a port; older clients know nothing of it, and their sandboxes are open by name."""
    token = getattr(sandbox, "traffic_access_token", None)
    return {"E2B-Traffic-Access-Token": token} if token else {}


def get(sandbox, port, path="/", more=None):
    url = f"https://{sandbox.get_host(port)}{path}"
    request = urllib.request.Request(url, headers=headers(sandbox) if more is None else more)
    return urllib.request.urlopen(request, timeout=30)


def listening(sandbox, port):
    """The first answer of what was just started."""
    for _ in range(200):
        try:
            return get(sandbox, port)
        except urllib.error.HTTPError as error:
            told = error.read().decode()
            assert error.code == 502 and "port is not open" in told, told
            time.sleep(0.1)
    raise AssertionError("nothing listens")


@pytest.fixture(scope="module")
def server(sandbox):
    sandbox.files.write("site/index.html", "<h1>hello</h1>")
    sandbox.files.write("site/large", "x" * 3_000_000)
    sandbox.commands.run("python3 -m http.server 8000 --bind 127.0.0.1 --directory /home/user/site", background=True)
    with listening(sandbox, 8000) as first:
        assert first.read() == b"<h1>hello</h1>"
    return sandbox


def test_a_page_is_served(server):
    with get(server, 8000, "/large") as large:
        assert large.headers["Content-Type"] == "application/octet-stream"
        assert len(large.read()) == 3_000_000
    with pytest.raises(urllib.error.HTTPError) as none:
        get(server, 8000, "/none")
    assert none.value.code == 404


def test_without_its_token_a_port_is_closed(server):
    if not headers(server):
        pytest.skip("this version's sandboxes are open by name")
    for wrong in [{}, {"E2B-Traffic-Access-Token": "0" * 64}]:
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(server, 8000, more=wrong)
        assert refused.value.code == 401


def test_a_websocket_talks_both_ways(server):
    client = pytest.importorskip("websockets.sync.client")
    server.files.write("echo.py", ECHO)
    server.commands.run("python3 echo.py", background=True)
    url = f"wss://{server.get_host(8001)}/"
    for attempt in range(200):
        try:
            socket = client.connect(url, additional_headers=headers(server))
            break
        except Exception as error:
            assert getattr(getattr(error, "response", None), "status_code", None) == 502, error
            time.sleep(0.1)
    with socket:
        for said in ["hello", "ü" * 2000, b"\x00\xff"]:
            socket.send(said)
            assert socket.recv(timeout=30) == said
