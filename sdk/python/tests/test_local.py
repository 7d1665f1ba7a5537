"""The local mode: a service of one's own. Needs `LLM_FIRECRACKER_BIN` and a state folder with images."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llm_firecracker import AsyncClient, Client, ConnectionFailed, LocalServiceFailed, Unauthorized
from llm_firecracker._local import LocalOptions, LocalService

pytestmark = pytest.mark.service


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder of the test's own, with the images of the one that the environment names."""
    for name in ("LLM_FIRECRACKER_BIN", "LLM_FIRECRACKER_STATE_DIR"):
        if name not in os.environ:
            pytest.fail(f"not run: {name} is not set", pytrace=False)
    (tmp_path / "images").symlink_to(Path(os.environ["LLM_FIRECRACKER_STATE_DIR"], "images").resolve())
    return tmp_path


def is_up(url: str) -> bool:
    try:
        with Client(url) as client:
            return bool(client.languages())
    except ConnectionFailed:
        return False


def test_a_service_lives_as_long_as_its_client(state: Path) -> None:
    with Client.local(state_dir=state) as client:
        url = client._transport._url
        assert client.run("print(1)", "python").stdout == "1\n" and is_up(url)
    assert not is_up(url)


def test_it_starts_at_the_first_request(state: Path) -> None:
    client = Client.local(state_dir=state)
    assert not list(state.glob("audit"))
    assert client.run("echo 1", "bash").stdout == "1\n"
    client.close()


@pytest.mark.anyio
async def test_the_async_client_has_it_too(state: Path) -> None:
    async with AsyncClient.local(state_dir=state) as client, client.sandbox("bash") as sandbox:
        assert (await sandbox.commands.run("echo 1")).stdout == "1\n"


def test_one_that_does_not_start_says_why(state: Path) -> None:
    with Client.local(state_dir=state), pytest.raises(LocalServiceFailed, match="serves one at a time"):
        Client.local(state_dir=state).languages()
    with pytest.raises(LocalServiceFailed, match="unexpected argument"):
        Client.local(state_dir=state, arguments=["--nonsense"]).languages()


def test_a_program_that_ends_ends_its_service(state: Path) -> None:
    program = f"""
from llm_firecracker import Client
client = Client.local(state_dir={str(state)!r})
client.languages()
print(client._transport._url, flush=True)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not is_up(done.stdout.strip())


def test_a_service_that_died_is_told(state: Path) -> None:
    service = LocalService(LocalOptions(state_dir=state))
    url = service.start()
    assert service._process is not None
    os.kill(service._process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_up(url) and time.monotonic() < deadline:
        time.sleep(0.05)
    with Client(url) as client, pytest.raises(ConnectionFailed):
        client.run("1", "python")
    service.stop()


def test_root_of_the_guest_where_it_is_allowed(state: Path) -> None:
    with Client.local(state_dir=state, arguments=["--allow-guest-root"]) as client, client.sandbox("bash") as sandbox:
        result = sandbox.commands.run("id -u", user="root")
        assert (result.stdout, result.exit.isolation.guest) == ("0\n", "root")


def test_keys(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = os.environ["LLM_FIRECRACKER_BIN"]
    made = subprocess.run(
        [binary, "--state-dir", str(state), "keys", "add", "sdk"], capture_output=True, text=True, check=True
    )
    key = max(made.stdout.split(), key=len)
    monkeypatch.delenv("LLM_FIRECRACKER_KEY", raising=False)
    with Client.local(state_dir=state) as local:
        with pytest.raises(Unauthorized) as refused:
            local.languages()
        assert refused.value.status == 401
        with Client(local._transport._url, key=key) as client:
            assert client.run("echo 1", "bash").stdout == "1\n"
        with Client(local._transport._url, key=key[:-1]) as client, pytest.raises(Unauthorized):
            client.languages()
