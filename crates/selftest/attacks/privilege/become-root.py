import os
import stat
from attack import attempt, breach_if

attempt("setuid(0)", os.setuid, 0)
attempt("setresuid(0)", os.setresuid, 0, 0, 0)
attempt("setgid(0)", os.setgid, 0)
attempt("setgroups(0)", os.setgroups, [0])
helped = []
for folder, _, names in os.walk("/usr"):
    for name in names:
        path = os.path.join(folder, name)
        mode = os.lstat(path).st_mode
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            helped.append(path)
breach_if("setuid or setgid files in the image", helped, helped)
os.chmod("main.py", 0o6755)
breach_if("ids are not ours", os.getuid() == 0 or os.geteuid() == 0, os.getresuid())
