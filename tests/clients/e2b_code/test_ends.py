"""Cells that end otherwise than by themselves."""

import threading
import time

import pytest
from e2b import TimeoutException


def test_who_goes_interrupts_its_cell(sandbox, name):
    sandbox.run_code(f"{name} = 1")
    with pytest.raises(TimeoutException):
        sandbox.run_code("import time; time.sleep(300)", timeout=2)
    began = time.monotonic()
    assert sandbox.run_code(f"{name} + 1", timeout=15).text == "2"
    assert time.monotonic() - began < 10


def test_a_sandbox_that_is_killed_meanwhile(sandbox):
    timer = threading.Timer(2.0, sandbox.kill)
    timer.start()
    try:
        with pytest.raises(TimeoutException, match="sandbox was killed while the request was in progress"):
            sandbox.run_code("import time; time.sleep(300)", timeout=300)
    finally:
        timer.cancel()


def test_a_restart_ends_the_cell(sandbox):
    context = sandbox.create_code_context()
    timer = threading.Timer(2.0, sandbox.restart_code_context, [context])
    timer.start()
    error = sandbox.run_code("import time; time.sleep(300)", context=context, timeout=60).error
    timer.join()
    assert error.name == "ContextRestarting"
    assert sandbox.run_code("'again'", context=context).text == "again"


def test_a_removal_ends_the_cell(sandbox):
    context = sandbox.create_code_context()
    timer = threading.Timer(2.0, sandbox.remove_code_context, [context])
    timer.start()
    assert sandbox.run_code("import time; time.sleep(300)", context=context, timeout=60).error.name == "ContextRestarting"
    timer.join()


def test_an_interpreter_that_ends(sandbox):
    error = sandbox.run_code("import os; os._exit(7)").error
    assert error.name == "UnexpectedEndOfExecution"
    assert sandbox.run_code("'new'").text == "new"


def test_an_exit_is_an_error_unless_it_is_none(sandbox):
    assert sandbox.run_code("import sys; sys.exit(0)").error is None
    error = sandbox.run_code("import sys; sys.exit(3)").error
    assert (error.name, error.value) == ("SystemExit", "3")


def test_too_much_memory(create):
    sandbox = create()
    error = sandbox.run_code("x = 'a' * (1 << 36)").error
    assert error.name == "MemoryError" or "memory" in error.value
    assert sandbox.run_code("'there'").text == "there"


def test_cells_wait_for_each_other(sandbox):
    order = []

    def slow():
        sandbox.run_code("import time; time.sleep(2); y = 1")
        order.append("slow")

    thread = threading.Thread(target=slow)
    thread.start()
    time.sleep(0.7)
    assert sandbox.run_code("y").text == "1"
    order.append("next")
    thread.join()
    assert order == ["slow", "next"]
