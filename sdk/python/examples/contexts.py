"""Several interpreters in one sandbox, of several languages; interrupting and restarting them."""

from llm_firecracker import Client

with Client() as client, client.sandbox("python") as sandbox:
    one, two = sandbox.contexts.create("python"), sandbox.contexts.create("python")
    one.run_code("name = 'one'")
    two.run_code("name = 'two'")
    print(one.run_code("name").text, two.run_code("name").text)

    shell = sandbox.contexts.create("bash", cwd="/tmp")
    shell.run_code("greet() { echo hello from $PWD; }")
    print(shell.run_code("greet").logs.stdout, end="")

    stopped = one.run_code("import time; time.sleep(60)", timeout=0.5)
    print(stopped.status, stopped.stopped, one.run_code("name").text)

    one.restart()
    error = one.run_code("name").error
    print(error.name if error else None)

    shown = sandbox.run_code("from IPython.display import HTML, display\ndisplay(HTML('<b>bold</b>'))\n40 + 2")
    print([(sorted(result.data), result.is_result) for result in shown.results])

# prints:
# 'one' 'two'
# hello from /tmp
# timeout timeout 'one'
# NameError
# [(['text/html', 'text/plain'], False), (['text/plain'], True)]
