# Sockets by name reach nothing: the network namespace is the VM's, the files are the image's.
import os
import socket
from attack import breach_if

listening = open("/proc/net/unix").read().splitlines()[1:]
breach_if("unix sockets of somebody else", listening, listening[:5])
found = []
for path in ("/run/docker.sock", "/var/run/docker.sock", "/run/systemd/private", "/run/dbus/system_bus_socket", "\0llm-firecracker", "/run/llm-firecracker.sock"):
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
            found.append(path)
        except OSError:
            pass
breach_if("a service answered", found, found)
