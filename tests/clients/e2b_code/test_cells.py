"""Cells: what they print and show, live and as a whole, and what stays."""

import time

import pytest
from e2b import InvalidArgumentException
from e2b_code_interpreter import Sandbox


def test_a_value_is_the_text(shared):
    assert shared.run_code("x = 1; x").text == "1"
    assert shared.run_code("'it'").text == "it"
    assert shared.run_code('"it\'s"').text == "it's"


def test_what_a_cell_sets_stays(shared, name):
    shared.run_code(f"{name} = 1")
    assert shared.run_code(f"{name} += 1; {name}").text == "2"


def test_a_shell_command_in_a_cell(shared):
    execution = shared.run_code("!echo $((6 * 7))")
    assert "".join(execution.logs.stdout).strip() == "42"


def test_an_indented_cell(shared):
    assert shared.run_code("\n    a = 20\n    a + 1\n").text == "21"


def test_await_at_the_top(shared):
    assert shared.run_code("import asyncio\nawait asyncio.sleep(0.01)\n5").text == "5"


def test_cells_are_counted(sandbox):
    assert sandbox.run_code("echo 'no Python'").execution_count == 1
    assert sandbox.run_code("!true").execution_count == 2


def test_on_result(shared):
    results = []
    execution = shared.run_code("x = 1;x", on_result=results.append)
    assert [result.text for result in results] == ["1"]
    assert results[0].is_main_result and execution.results[0].text == "1"


def test_on_error(shared, name):
    errors = []
    execution = shared.run_code(name, on_error=errors.append)
    assert [error.name for error in errors] == ["NameError"]
    assert execution.error.value == f"name '{name}' is not defined"
    assert name in execution.error.traceback and execution.text is None


def test_on_stdout(shared):
    out = []
    execution = shared.run_code("print('out')", on_stdout=out.append)
    assert [message.line for message in out] == ["out\n"] and not out[0].error
    # In nanoseconds.
    assert abs(out[0].timestamp / 1e9 - time.time()) < 3600
    assert execution.logs.stdout == ["out\n"]


def test_on_stderr(shared):
    err = []
    execution = shared.run_code("import sys; print('err', file=sys.stderr)", on_stderr=err.append)
    assert [message.line for message in err] == ["err\n"] and err[0].error
    assert execution.logs.stderr == ["err\n"]


def test_output_comes_as_it_is_printed(shared):
    began, seen = time.monotonic(), []
    shared.run_code("import time; print(1, flush=True); time.sleep(1.5); print(2)", on_stdout=lambda _: seen.append(time.monotonic() - began))
    assert len(seen) == 2 and seen[1] - seen[0] > 1


def test_a_silent_cell_is_kept_alive(shared):
    execution = shared.run_code("import time; time.sleep(11); 'woke'")
    assert execution.text == "woke" and execution.error is None


def test_results_come_one_by_one(run):
    results = []
    code = """
    import matplotlib.pyplot as plt
    import numpy as np

    x = np.linspace(0, 20, 100)
    plt.plot(x, np.sin(x))
    plt.show()
    x
    """
    run(code, on_result=results.append)
    assert len(results) == 2 and sorted(result.is_main_result for result in results) == [False, True]


def test_a_figure_has_picture_and_text(run):
    execution = run("import matplotlib.pyplot as plt\nplt.plot([1, 2], [3, 5])\nplt.show()")
    shown = execution.results[0]
    assert shown.png and shown.text.startswith("<Figure") and not shown.extra


def test_a_table_has_its_columns(run):
    code = """
    import pandas as pd
    pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"], "c": [0.5, float("nan"), 2], "d": pd.date_range("2024-01-01", periods=3)})
    """
    shown = run(code).results[0]
    assert shown.data["a"] == [1, 2, 3] and shown.data["b"] == ["x", None, "z"]
    assert shown.data["c"] == [0.5, None, 2] and shown.data["d"][0] == "2024-01-01T00:00:00"
    assert "<table" in shown.html and shown.text


def test_display_of_one_kind_is_that_kind(shared):
    execution = shared.run_code("from IPython.display import display\ndisplay({'text/latex': r'\\\\text{x}'}, raw=True)")
    assert execution.results[0].formats() == ["latex"] and not execution.results[0].is_main_result


def test_lists_and_maps_have_json(shared):
    shown = shared.run_code("{'a': [1, None, 'ü']}").results[0]
    assert shown.json == {"a": [1, None, "ü"]} and shown.text == "{'a': [1, None, 'ü']}"


def test_what_has_no_key_is_extra(shared):
    execution = shared.run_code("from IPython.display import display\ndisplay({'text/x-own': 'o', 'application/x+json': {'a': 1}}, raw=True)")
    assert execution.results[0].extra == {"text/x-own": "o", "application/x+json": {"a": 1}}


@pytest.mark.parametrize("text", ["ü🙂", "a\u2028b\u2029c\u0085d", "\x1c\x1d\x1e", "line\rline", "\x00\x7f"])
def test_any_text_comes_whole(shared, text):
    execution = shared.run_code(f"print({text!r}, end='')\n{text!r}.encode().hex()")
    assert "".join(execution.logs.stdout) == text
    assert execution.text == text.encode().hex()


@pytest.mark.parametrize("code, text", [
    ("['\\'\"' * 9] * 40_000", "<"),
    ("'\\n' * 1_000_000", "<"),
    ("'x' * (1 << 22)", "<"),
    ("list(range(50_000))", "[0,"),
])
def test_a_value_that_is_too_large_is_named_and_its_interpreter_stays(shared, name, code, text):
    shared.run_code(f"{name} = 1")
    execution = shared.run_code(code)
    assert execution.error is None and execution.text.lstrip("'").startswith(text), execution
    assert shared.run_code(name).text == "1"


def test_much_output_comes_whole(shared):
    execution = shared.run_code("print('ü' * 1_500_000)")
    assert len("".join(execution.logs.stdout)) == 1_500_001


def test_a_language_and_a_context_exclude_each_other(shared):
    context = shared.create_code_context(language="python")
    with pytest.raises(InvalidArgumentException):
        shared.run_code("1", language="js", context=context)
    shared.remove_code_context(context)


def test_whoever_connects_finds_the_same(sandbox, name):
    sandbox.run_code(f"{name} = 3")
    other = Sandbox.connect(sandbox.sandbox_id)
    assert other.run_code(f"{name} + 1").text == "4"
