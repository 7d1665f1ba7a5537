import glob
import os
import stat
from attack import attempt, breach_if

NAMES = (
    "mem kmem port vda vdb ubda ubdb vsock vhost-vsock kmsg console tty0 tty1 ttyS0 ttyS1 hwrng rtc0 kvm fuse net/tun cpu/0/msr nvram"
    " mapper/control loop-control"
)
for name in NAMES.split():
    attempt(f"open /dev/{name}", os.open, f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK)
for path in glob.glob("/dev/vport*") + glob.glob("/sys/class/virtio-ports/*"):
    breach_if("the host's channel is in sight", True, path)
for name, kind, number in [
    ("mem", stat.S_IFCHR, os.makedev(1, 1)),
    ("vda", stat.S_IFBLK, os.makedev(254, 0)),
    ("ubda", stat.S_IFBLK, os.makedev(98, 0)),
    ("ttyS0", stat.S_IFCHR, os.makedev(4, 64)),
    ("console", stat.S_IFCHR, os.makedev(5, 1)),
]:
    attempt(f"mknod {name}", os.mknod, f"/tmp/{name}", kind | 0o666, number)
harmless = {(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2)}
strange = []
for folder, _, names in os.walk("/dev"):
    for name in names:
        status = os.lstat(os.path.join(folder, name))
        number = (os.major(status.st_rdev), os.minor(status.st_rdev))
        if stat.S_ISBLK(status.st_mode) or (stat.S_ISCHR(status.st_mode) and number not in harmless):
            strange.append(os.path.join(folder, name))
breach_if("more devices than a program needs", strange, strange)
