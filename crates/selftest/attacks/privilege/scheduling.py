import os
import resource
from attack import attempt

attempt("SCHED_FIFO", os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(50))
attempt("nice -20", os.setpriority, os.PRIO_PROCESS, 0, -20)
for name in ("RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_NPROC", "RLIMIT_CORE", "RLIMIT_MEMLOCK"):
    kind = getattr(resource, name)
    hard = resource.getrlimit(kind)[1]
    attempt(f"raise {name}", resource.setrlimit, kind, (hard + 1, hard + 1))


def never_killed():
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("-1000")


attempt("no target for the OOM killer", never_killed)
