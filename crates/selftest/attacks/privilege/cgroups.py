import os
from attack import attempt, breach_if

own = open("/proc/self/cgroup").read()
breach_if("the cgroup's path says where it is", own.strip() not in ("0::/", ""), own)
attempt("leave by cgroup.procs", lambda: open("/sys/fs/cgroup/cgroup.procs", "w").write(str(os.getpid())))
attempt("raise memory.max", lambda: open("/sys/fs/cgroup/memory.max", "w").write("max"))
attempt("raise pids.max", lambda: open("/sys/fs/cgroup/job/pids.max", "w").write("max"))
attempt("make a cgroup", os.mkdir, "/sys/fs/cgroup/owned")
