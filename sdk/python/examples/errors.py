"""What is raised (refusals, each with a code) and what is not (programs that fail)."""

from llm_firecracker import Client, ConnectionFailed, InvalidRequest, ProblemError, SandboxNotFound

with Client() as client:
    print(client.run("exit 3", "bash").exit_code)

    try:
        client.run("1", "cobol")
    except InvalidRequest as error:
        print(error.status, error.code, error.field)

    with client.sandbox("bash") as sandbox:
        pass
    try:
        sandbox.commands.run("true")
    except SandboxNotFound as error:
        print(error.status, error.code)

    try:
        client.run("x" * 2_000_000, "python")
    except ProblemError as error:
        print(error.status, error.code)

try:
    Client("http://127.0.0.1:9").languages()
except ConnectionFailed:
    print("nobody there")

# prints:
# 3
# 400 language_unknown language
# 404 sandbox_not_found
# 413 code_too_large
# nobody there
