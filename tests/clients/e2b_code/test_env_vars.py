"""Variables of the environment: of a sandbox, and of one cell."""

import pytest

from conftest import USUAL

# How a language prints the variable `NAME`, or `default` where there is none.
READS = {
    "python": "import os; print(os.getenv('NAME', 'default'))",
    "javascript": "console.log(process.env.NAME || 'default')",
    "typescript": "console.log((process.env.NAME as string) || 'default')",
    "bash": 'echo "${NAME:-default}"',
    "r": "cat(Sys.getenv('NAME', unset = 'default'))",
    "java": 'System.out.println(System.getProperty("NAME", "default"))',
}
TEMPLATES = {"r": "r", "java": "java"}


def said(sandbox, language, name, **more):
    execution = sandbox.run_code(READS[language].replace("NAME", name), language=language, **more)
    assert execution.error is None, execution.error
    return "".join(execution.logs.stdout).strip()


@pytest.fixture(scope="module", params=list(READS))
def spoken(request, create):
    sandbox = create(TEMPLATES.get(request.param, USUAL), envs={"OF_SANDBOX": "supertest"})
    yield sandbox, request.param
    sandbox.kill()


def test_of_a_sandbox(spoken):
    assert said(*spoken, "OF_SANDBOX") == "supertest"


def test_of_one_cell(spoken):
    assert said(*spoken, "OF_CELL", envs={"OF_CELL": "bar"}) == "bar"
    assert said(*spoken, "OF_CELL") == "default"


def test_of_one_cell_before_the_sandboxs(spoken):
    assert said(*spoken, "OF_SANDBOX", envs={"OF_SANDBOX": "overwrite"}) == "overwrite"
    assert said(*spoken, "OF_SANDBOX") == "supertest"


def test_any_value(spoken):
    value = "it's \"a\" $HOME `b` \\n ü"
    assert said(*spoken, "ODD", envs={"ODD": value}) == value
