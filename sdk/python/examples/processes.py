"""Processes that run on: input, output from any offset, signals, a terminal, a server."""

from llm_firecracker import Client, Output

with Client() as client, client.sandbox("python") as sandbox:
    calculator = sandbox.processes.start(["python3", "-c", "while True: print(eval(input()), flush=True)"], stdin="open")
    with calculator.follow() as events:
        for question in ("6 * 7", "'a' * 3"):
            calculator.write(question + "\n")
            print(question, "=", next(event.data for event in events if isinstance(event, Output)), end="")
    calculator.signal("SIGKILL")
    print("ended with", calculator.wait().exit_code)

    sandbox.processes.start("mkdir site; echo hello > site/index.html; cd site; exec python3 -m http.server 8000")
    fetch = "import time, urllib.request as u\nfor _ in range(100):\n try: print(u.urlopen('http://127.0.0.1:8000').read()); break\n except OSError: time.sleep(0.1)"
    print(sandbox.commands.run(["python3", "-c", fetch]).stdout, end="")

    terminal = sandbox.processes.start(["bash", "--norc"], pty={"rows": 24, "columns": 80})
    terminal.resize(rows=50, columns=132)
    terminal.write("stty size; exit\n")
    print("50 132" in terminal.wait().stdout)

# prints:
# 6 * 7 = 42
# 'a' * 3 = aaa
# ended with 137
# b'hello\n'
# True
