import os
from attack import breach_if, can_write

opened = []
for top in ("/proc/sys", "/proc/irq", "/proc/fs", "/proc/bus", "/proc/acpi", "/proc/driver", "/sys"):
    for folder, _, names in os.walk(top):
        for name in names:
            try:
                opened.append(can_write(os.path.join(folder, name)))
            except OSError:
                pass
breach_if("files of the kernel that can be written", opened, opened[:5])


def takes(fd):
    """Root opens what nobody can write to; anybody else has come too far with that."""
    if os.geteuid() != 0:
        return True
    try:
        return os.write(fd, b"0") > 0
    except OSError:
        return False


for name in os.listdir("/proc"):
    path = f"/proc/{name}"
    if not name.isdigit() and os.path.isfile(path) and not os.path.islink(path):
        try:
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            continue
        masked = os.fstat(fd).st_rdev == os.makedev(1, 3)
        breach_if(f"{path} can be written", not masked and takes(fd), path)
        os.close(fd)
