import os
from attack import attempt, syscall

attempt("sysrq on", lambda: open("/proc/sys/kernel/sysrq", "w").write("1"))
attempt("suspend", lambda: open("/sys/power/state", "w").write("mem"))
print("crashing the kernel", flush=True)
attempt("sysrq c", lambda: open("/proc/sysrq-trigger", "w").write("c"))
