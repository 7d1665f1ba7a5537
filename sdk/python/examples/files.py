"""Files of any size, folders, and what changes in them."""

import io

from llm_firecracker import Changed, Client, FileNotFound

with Client() as client, client.sandbox("bash") as sandbox:
    files = sandbox.files
    print(files.write("/work/big.bin", io.BytesIO(bytes(5_000_000))).size)
    print(sum(len(piece) for piece in files.download("/work/big.bin")))

    files.make_folder("/work/in/deep")
    files.move("/work/big.bin", "/work/in/deep/big.bin")
    for entry in files.list("/work", depth=3):
        print(entry.kind, entry.path, entry.size if entry.kind == "file" else "")

    try:
        files.read("/work/nothing")
    except FileNotFound as error:
        print(error.code)

    with files.watch("/work/in") as events:
        next(events)  # it watches from here on
        sandbox.commands.run("echo x > /work/in/new.txt")
        print(next(event for event in events if isinstance(event, Changed)))

# prints:
# 5000000
# 5000000
# folder /work/in 
# folder /work/in/deep 
# file /work/in/deep/big.bin 5000000
# file_not_found
# Changed(path='/work/in/new.txt', change='created')
