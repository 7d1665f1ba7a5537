# What the guest can learn about its host. The harness says what to look for.
import os
from attack import breach_if

words = [w for w in os.environ["HOST_WORDS"].split("\n") if w]
places = ["/proc/cmdline", "/proc/version", "/proc/sys/kernel/hostname", "/proc/cpuinfo", "/proc/mounts", "/proc/self/mountinfo",
          "/etc/hostname", "/etc/hosts", "/etc/machine-id", "/etc/resolv.conf", "/proc/self/cgroup"]
for top in ("/sys/class/dmi/id", "/sys/firmware", "/proc/device-tree"):
    for folder, _, names in os.walk(top):
        places += [os.path.join(folder, name) for name in names]
for path in places:
    try:
        text = open(path, "rb").read(1 << 20)
    except OSError:
        continue
    for word in words:
        breach_if(f"{path} tells {word!r}", word.encode() in text, path)
dmi = "/sys/class/dmi/id"
breach_if("DMI tables in sight", os.path.isdir(dmi) and os.listdir(dmi), dmi)
print("looked at", len(places), "places")
