import ctypes
from attack import attempt, syscall

tmp, none, tmpfs = (ctypes.c_char_p(t) for t in (b"/tmp", b"none", b"tmpfs"))
root, proc = ctypes.c_char_p(b"/"), ctypes.c_char_p(b"/proc")
MS_REMOUNT, MS_BIND = 32, 4096
attempt("mount tmpfs", syscall, 165, none, tmp, tmpfs, 0, 0)
attempt("bind mount", syscall, 165, root, tmp, none, MS_BIND, 0)
attempt("remount / writable", syscall, 165, none, root, none, MS_REMOUNT, 0)
attempt("remount / writable, bind", syscall, 165, none, root, none, MS_REMOUNT | MS_BIND, 0)
attempt("remount /proc/sys writable", syscall, 165, none, ctypes.c_char_p(b"/proc/sys"), none, MS_REMOUNT | MS_BIND, 0)
attempt("umount /proc", syscall, 166, proc, 2)
attempt("umount what masks /proc/kcore", syscall, 166, ctypes.c_char_p(b"/proc/kcore"), 2)
attempt("pivot_root", syscall, 155, tmp, tmp)
attempt("fsopen", syscall, 430, tmpfs, 0)
attempt("open_tree with clone", syscall, 428, -100, root, 1)
attempt("move_mount", syscall, 429, -100, proc, -100, tmp, 0)
attempt("mount_setattr", syscall, 442, -100, root, 0, (ctypes.c_uint64 * 4)(0, 1, 0, 0), 32)
attempt("swapon", syscall, 167, tmp, 0)
