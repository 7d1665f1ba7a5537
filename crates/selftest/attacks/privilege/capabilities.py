import os
from attack import attempt, breach_if, syscall

status = dict(line.split(":\t") for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
    breach_if(name, int(status[name], 16) != 0, status[name])
breach_if("no_new_privs is off", status["NoNewPrivs"] != "1", status["NoNewPrivs"])
breach_if("no filter", status["Seccomp"] != "2", status["Seccomp"])
import ctypes

header = (ctypes.c_uint32 * 2)(0x20080522, 0)
data = (ctypes.c_uint32 * 6)(*([0xFFFFFFFF] * 6))
attempt("capset with everything", syscall, 126, header, data)
attempt("turning no_new_privs off", syscall, 157, 38, 0, 0, 0, 0)
