"""Each language by E2B's name for it: a first program, its folder, its error; variables stay."""

import pytest
from e2b import SandboxException


@pytest.fixture(scope="module")
def r(create):
    return create("r")


@pytest.fixture(scope="module")
def java(create):
    return create("java")


def out(execution):
    assert execution.error is None, execution.error
    return "".join(execution.logs.stdout)


def test_python_folder(each):
    assert out(each.run_code("from pathlib import Path; print(Path.cwd())")).strip() == home(each)


def test_javascript(each):
    execution = each.run_code("console.log('Hello, World!')", language="js")
    assert execution.logs.stdout == ["Hello, World!\n"]
    assert each.run_code("process.cwd()", language="js").text == home(each)


def test_javascript_imports_and_awaits(each):
    code = "\n    import { readFileSync } from 'fs'\n    console.log(typeof readFileSync)\n    "
    assert each.run_code(code, language="js").logs.stdout == ["function\n"]
    assert each.run_code("\n await Promise.resolve('Hello World!')\n", language="javascript").text == "Hello World!"


def test_typescript(each):
    code = "const message: string = 'Hello, World!'; console.log(message)"
    assert each.run_code(code, language="ts").logs.stdout == ["Hello, World!\n"]
    assert each.run_code("process.cwd()", language="ts").text == home(each)


def test_typescript_keeps_what_cells_declare(each):
    cells = [
        ("interface Point { x: number; y: number }\nfunction sum({ x, y }: Point): number { return x + y }", None),
        ("const points: Point[] = [{ x: 1, y: 2 }, { x: 3, y: 4 }]", None),
        ("points.map(sum) as number[]", "[ 3, 7 ]"),
        ("enum Colour { Red = 1, Green }\nColour.Green", "2"),
        ("import { basename } from 'path'", None),
        ("basename('/a/b') satisfies string", "b"),
        ("const late: Promise<string> = Promise.resolve('w'); await late", "w"),
    ]
    for code, text in cells:
        execution = each.run_code(code, language="typescript")
        assert (execution.error, execution.text) == (None, text), code
    error = each.run_code("const x: = 1", language="typescript").error
    assert "SyntaxError" in error.name
    error = each.run_code("\nthrow new TypeError('no')", language="typescript").error
    assert (error.name, error.value) == ("TypeError", "no")


def test_bash(shared):
    assert out(shared.run_code("pwd", language="bash")).strip() == home(shared)
    shared.run_code("cd /tmp; x=4", language="bash")
    assert out(shared.run_code("pwd; echo $((x + 1))", language="bash")) == "/tmp\n5\n"
    error = shared.run_code("false", language="bash").error
    assert (error.name, error.value) == ("SystemExit", "1")


def test_r(r):
    assert r.run_code('print("Hello, World!")', language="r").logs.stdout == ['[1] "Hello, World!"\n']
    assert r.run_code("getwd()", language="r").results[0].text.strip() == f'[1] "{home(r)}"'


def test_r_shows_values_and_keeps_them(r):
    r.run_code("x <- c(1, 2, 3)", language="r")
    execution = r.run_code("'ü'\nmean(x)", language="r")
    assert [result.text for result in execution.results] == ['[1] "ü"', "[1] 2"]
    assert execution.text == "[1] 2"
    assert "a 1" in r.run_code("data.frame(n = 'a', v = 1)", language="r").text.replace("1 a", "a")
    assert r.run_code("plot(1:10)", language="r").results[0].pdf


def test_r_errors_warnings_and_interrupts(r):
    execution = r.run_code("f <- function(x) stop('no such luck')\nf(1)", language="r")
    assert execution.error.value == "no such luck" and "f(1)" in execution.error.traceback
    assert r.run_code("x <- (", language="r").error
    execution = r.run_code("warning('careful'); message('told')", language="r")
    err = "".join(execution.logs.stderr)
    assert execution.error is None and "careful" in err and "told" in err
    with pytest.raises(Exception):
        r.run_code("repeat {}", language="r", timeout=2)
    assert r.run_code("1 + 1", language="r", timeout=30).text == "[1] 2"


def test_java(java):
    assert out(java.run_code('System.out.println("Hello, World!")', language="java")).strip() == "Hello, World!"
    assert java.run_code('System.getProperty("user.dir")', language="java").text.strip() == home(java)


def test_java_keeps_what_cells_declare(java):
    java.run_code("int twice(int n) { return 2 * n; }\nrecord P(int x, String s) {}", language="java")
    assert java.run_code('var p = new P(twice(21), "a");\np', language="java").text == "P[x=42, s=a]"
    assert java.run_code("List.of(1, 2).stream().mapToInt(n -> n).sum()", language="java").text == "3"


def test_java_errors_and_interrupts(java):
    error = java.run_code('throw new IllegalStateException("no");', language="java").error
    assert (error.name, error.value) == ("java.lang.IllegalStateException", "no")
    assert "incompatible types" in java.run_code('int y = "a";', language="java").error.value
    with pytest.raises(Exception):
        java.run_code("while (true) { }", language="java", timeout=2)
    assert java.run_code("1 + 1", language="java", timeout=30).text == "2"


def test_one_that_the_image_has_not(shared):
    with pytest.raises(SandboxException, match="python-data runs no cells of that language; it has .*python"):
        shared.run_code("1", language="java")


def home(sandbox):
    """Where a context starts that names no folder."""
    return sandbox.list_code_contexts()[0].cwd
