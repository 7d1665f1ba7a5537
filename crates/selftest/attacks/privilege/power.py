import os
from attack import attempt, can_write, syscall

MAGIC = (0xFEE1DEAD - (1 << 32), 672274793)
for name, command in [("halt", 0xCDEF0123), ("power off", 0x4321FEDC), ("restart", 0x01234567), ("cad on", 0x89ABCDEF)]:
    attempt(f"reboot: {name}", syscall, 169, *MAGIC, command, 0)
for path in ("/proc/sysrq-trigger", "/proc/sys/kernel/sysrq", "/sys/power/state", "/proc/sys/kernel/panic"):
    attempt(f"open {path}", can_write, path)


def sysrq(letter):
    with open("/proc/sysrq-trigger", "w") as trigger:
        trigger.write(letter)
    # Masked, the file is /dev/null: what counts is that nothing happened.
    raise OSError(1, "nothing happened")


attempt("sysrq c", sysrq, "c")
attempt("sysrq b", sysrq, "b")
print("still here")
