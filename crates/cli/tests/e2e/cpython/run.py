"""Runs modules of CPython's own tests, each in a process of its own, and says of each test how it ended: a line `id outcome`.

A test with subtests failed if one of these did. Of a module that wrote no report: `MODULE crashed`, and why to stderr.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

SECONDS = 270
# Left out on both sides, each with its reason: these would take the others of their module with them.
LEFT_OUT = {
    # The guest's kernel has no UDP-Lite any more, which CPython took from the headers of an older one; what is then raised
    # in the test's thread hides behind the replaced stderr.
    "*UDPLITE*": "test_socket",
    # Under User-Mode Linux a CPU's time is the kernel's as far as timers of processes see it: ITIMER_VIRTUAL never rings.
    "test_itimer_virtual": "test_signal",
}
# Worst last: of several reports on one test, it counts.
ORDER = ["ok", "skipped", "failed"]


def outcome(case):
    if case.find("error") is not None or case.find("failure") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "ok"


def plain(name):
    """Without a subtest's arguments, which differ from run to run, and without what is no word."""
    return re.sub(r"[\s\[(].*", "", name)


def why(case):
    for kind in ("error", "failure", "skipped"):
        for found in case.iter(kind):
            return (found.text or "").strip().splitlines()[-1:]
    return []


def run(module):
    folder = tempfile.mkdtemp()
    report = pathlib.Path(folder, "report.xml")
    left_out = [word for pattern, of in LEFT_OUT.items() if of == module for word in ("-i", pattern)]
    argv = [sys.executable, "-m", "test", "--timeout", "240", *left_out, "--junit-xml", str(report), module]
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, cwd=folder)
        said = (done.stdout + done.stderr).decode(errors="replace")
        cases = tree.parse(report).getroot().iter("testcase") if report.exists() else []
    except (subprocess.TimeoutExpired, tree.ParseError) as error:
        said, cases = repr(error), []
    found = {}
    # What a child of a test's wrote into the report has no name.
    for case in (case for case in cases if case.get("name")):
        name, end = plain(case.get("name")), outcome(case)
        found[name] = max(found.get(name, end), end, key=ORDER.index)
        if end != "ok":
            print(name, end, *why(case), file=sys.stderr)
    if not found:
        # As a whole, for a resource that there is not, for one.
        print(module, "skipped" if re.search(r"\bskipped\b", said) and "run=0" in said else "crashed")
        print(module, said[-1500:], file=sys.stderr)
    for name in sorted(found):
        print(name, found[name])
    subprocess.run(["rm", "-rf", folder])


for module in sys.argv[1:]:
    run(module)
    sys.stdout.flush()
os._exit(0)
