"""Says where it runs: llm-firecracker run hello.py"""

import os
import sys

name = sys.argv[1] if len(sys.argv) > 1 else "world"
print(f"hello {name}, from {os.uname().sysname} as uid {os.getuid()}")
