"""A pause under the clients of the code interpreter: variables stay, a cell that runs is interrupted."""

import os
import threading
import time

import pytest
from e2b_code_interpreter import Sandbox

TEMPLATE = os.environ.get("E2B_TEST_TEMPLATE", "base")


@pytest.fixture
def sandbox():
    one = Sandbox.create(template=TEMPLATE, timeout=600)
    yield one
    one.kill()


def test_variables_and_contexts_go_on(sandbox):
    sandbox.run_code("x = 41")
    own = sandbox.create_code_context(language="python", cwd="/tmp")
    sandbox.run_code("import os; y = os.getcwd()", context=own)
    known = {one.id for one in sandbox.list_code_contexts()}
    assert sandbox.pause()
    sandbox.connect(timeout=600)
    assert sandbox.run_code("x + 1").text == "42"
    assert sandbox.run_code("y", context=own).text == "/tmp"
    assert {one.id for one in sandbox.list_code_contexts()} == known


def test_a_cell_that_runs_is_interrupted_and_variables_stay(sandbox):
    sandbox.run_code("import time\nx = 1")
    ended = []

    def run():
        try:
            ended.append(sandbox.run_code("x = 2\nwhile True: time.sleep(0.1)", timeout=300))
        except Exception as error:  # the stream is cut
            ended.append(error)

    running = threading.Thread(target=run)
    running.start()
    time.sleep(3)
    sandbox.pause()
    running.join(60)
    assert len(ended) == 1
    sandbox.connect(timeout=600)
    assert sandbox.run_code("x").text == "2"
