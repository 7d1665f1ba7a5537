# What leads from a guest's kernel to its host where such a kernel was built with it: files of the host's, its
# management console, its sound and watchdog, the number that its program ends with.
import ctypes
import os
from attack import attempt, can_write, host_if, syscall

PATHS = (
    "/proc/mconsole", "/proc/sysemu", "/proc/vmcore", "/dev/harddog", "/dev/hostaudio", "/dev/mixer", "/dev/xterm",
    "/sys/bus/virtio/drivers/9pnet_virtio", "/sys/module/hostfs", "/sys/firmware/qemu_fw_cfg",
)
for path in PATHS:
    host_if(f"{path} is there", os.path.exists(path), path)
known = {line.split()[-1] for line in open("/proc/filesystems")}
reach = sorted(known & {"hostfs", "hppfs", "9p", "virtiofs", "nfs", "cifs", "fuse", "vboxsf"})
host_if("file systems of somebody else's", reach, reach)
root, here = ctypes.c_char_p(b"/"), ctypes.c_char_p(b"/tmp")
for name in (b"hostfs", b"hppfs", b"9p", b"virtiofs"):
    try:
        syscall(165, root, here, ctypes.c_char_p(name), 0, root)
        host_if(f"mounted {name}", True, os.listdir("/tmp"))
    except OSError as error:
        print("refused to mount", name, error.strerror)
attempt("write the number that the kernel ends with", can_write, "/proc/exitcode")
print("looked at all")
