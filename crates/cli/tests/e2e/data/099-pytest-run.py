"""Write a small test file, run pytest in the process and report each outcome."""
import contextlib
import io
import pathlib
import tempfile

import pytest
TESTS = """
import pytest

def roman(n, signs=((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))):
    if not 0 < n < 40:
        raise ValueError(n)
    return next(s + (roman(n - v) if n > v else "") for v, s in signs if n >= v)

@pytest.mark.parametrize("n, text", [(1, "I"), (14, "XIV"), (39, "XXXIX"), (8, "IIX")])
def test_known(n, text):
    assert roman(n) == text

def test_range():
    pytest.raises(ValueError, roman, 40)
@pytest.mark.skip
def test_all(): ...
def test_file(tmp_path, capsys):
    print((tmp_path / "x").write_text(roman(24)), (tmp_path / "x").read_text())
    assert capsys.readouterr().out == "4 XXIV\\n"
"""
rows = []

class Collect:
    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.skipped:
            rows.append(f"{report.nodeid.split('::')[1]:<24}{report.outcome}")

path = pathlib.Path(tempfile.mkdtemp(), "test_roman.py")
path.write_text(TESTS)
with contextlib.redirect_stdout(io.StringIO()) as log:
    code = pytest.main(["-q", "-p", "no:cacheprovider", str(path)], plugins=[Collect()])
print(*rows, sep="\n")
print("exit code:", int(code), "| assertion shown:", "assert 'VIII' == 'IIX'" in log.getvalue(), "| summary:", "1 failed, 5 passed, 1 skipped" in log.getvalue())
