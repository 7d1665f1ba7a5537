"""Without a service: the binary is started on a free port of loopback, and ends with the client."""

from llm_firecracker import Client

with Client.local() as client:
    print(client.run("print('from a VM of my own')", "python").stdout, end="")
    print(client.ready().ready)

# prints:
# from a VM of my own
# True
