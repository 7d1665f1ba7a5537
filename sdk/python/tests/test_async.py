"""What the client for `async` programs does besides: several things at once, and cancelling."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

from llm_firecracker import _routes as routes
from llm_firecracker import AsyncClient, AsyncSandbox, CellOutput, Output, SandboxNotFound

pytestmark = [pytest.mark.service, pytest.mark.anyio]


@pytest.fixture
async def sandbox() -> AsyncIterator[AsyncSandbox]:
    async with AsyncClient() as client, client.sandbox(image="agent") as sandbox:
        yield sandbox


async def runs(sandbox: AsyncSandbox, argument: str) -> bool:
    """Whether a `sleep` of that length runs."""
    return (await sandbox.commands.run(["pgrep", "-f", f"^sleep {argument}"])).ok


async def test_programs_run_beside_each_other() -> None:
    results: dict[int, str] = {}
    async with AsyncClient() as client, anyio.create_task_group() as group:

        async def run(number: int) -> None:
            results[number] = (await client.run(f"print({number} ** 2)", "python")).stdout

        for number in range(4):
            group.start_soon(run, number)
    assert results == {number: f"{number**2}\n" for number in range(4)}


async def test_refusals_leave_no_connection_that_breaks() -> None:
    async with AsyncClient() as client:
        for _ in range(50):
            with pytest.raises(SandboxNotFound):
                await client._transport.json(routes.START("no-such", body={"cmd": "x" * 50_000}))
            assert (await client.ready()).ready


async def test_commands_run_beside_each_other(sandbox: AsyncSandbox) -> None:
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(sandbox.commands.run, "until [ -e /tmp/go ]; do sleep .1; done")
            group.start_soon(sandbox.commands.run, "touch /tmp/go")


async def test_a_cancelled_command_ends_and_leaves_its_files(sandbox: AsyncSandbox) -> None:
    with anyio.move_on_after(1.5) as scope:
        await sandbox.commands.run("echo kept > /work/kept; sleep 4321")
    assert scope.cancelled_caught
    with anyio.fail_after(10):
        while await runs(sandbox, "4321"):
            await anyio.sleep(0.05)
    assert await sandbox.files.read_text("/work/kept") == "kept\n"


async def test_a_cancelled_cell_is_interrupted_and_keeps_its_variables(sandbox: AsyncSandbox) -> None:
    await sandbox.run_code("x = 1")
    with anyio.move_on_after(0.5):
        await sandbox.run_code("import time\nx = 2\ntime.sleep(60)")
    with anyio.fail_after(10):
        assert (await sandbox.run_code("x")).text == "2"


async def test_a_stream_that_is_left_early(sandbox: AsyncSandbox) -> None:
    async with sandbox.processes.stream("echo first; sleep 4322", on_disconnect="kill") as events:
        async for event in events:
            if isinstance(event, Output):
                break
    with anyio.fail_after(10):
        while await runs(sandbox, "4322"):
            await anyio.sleep(0.05)


async def test_input_that_its_process_does_not_read_is_no_failure(sandbox: AsyncSandbox) -> None:
    assert (await sandbox.commands.run(["true"], stdin="x" * 3_000_000)).ok
    assert (await sandbox.commands.run(["wc", "-c"], stdin=b"x" * 3_000_000)).stdout == "3000000\n"


async def test_errors_of_callbacks_come_through(sandbox: AsyncSandbox) -> None:
    def refuse(_: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await sandbox.commands.run(["cat"], stdin="x", on_stdout=refuse)


async def test_cells_are_followed(sandbox: AsyncSandbox) -> None:
    told = [one.data async for one in sandbox.stream_code("print(1)\nprint(2)") if isinstance(one, CellOutput)]
    assert "".join(told) == "1\n2\n"


async def test_a_sandbox_ends_when_its_task_is_cancelled() -> None:
    async with AsyncClient() as client:
        with anyio.move_on_after(1.5):
            async with client.sandbox(image="agent") as sandbox:
                await anyio.sleep(60)
        with pytest.raises(SandboxNotFound):
            await client.get_sandbox(sandbox.id)
