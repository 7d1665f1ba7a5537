"""A VM that stays: an interpreter that keeps its variables, commands, files."""

from llm_firecracker import Client

with Client() as client, client.sandbox("python", timeout=600) as sandbox:
    sandbox.run_code("import math\nradius = 2")
    execution = sandbox.run_code("print('working')\nround(math.pi * radius ** 2, 2)", on_stdout=lambda text: print(">", text, end=""))
    print(execution.text)

    print(sandbox.run_code("radius / 0").error)

    sandbox.files.write("/work/data/names.txt", "Ada\nGrace\n")
    print(sandbox.commands.run("wc -l < names.txt", cwd="/work/data").stdout, end="")
    print(sandbox.commands.run(["sort", "-r"], stdin="a\nb\n").stdout.split())

# prints:
# > working
# 12.57
# ErrorInfo(name='ZeroDivisionError', value='division by zero', traceback='Traceback (most recent call last):\n  File "<cell 3>", line 1, in <module>\n    radius / 0\n    ~~~~~~~^~~\nZeroDivisionError: division by zero\n')
# 2
# ['b', 'a']
