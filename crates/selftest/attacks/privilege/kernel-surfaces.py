import ctypes
from attack import attempt, syscall

buffer = ctypes.create_string_buffer(256)
key = ctypes.c_char_p(b"user")
attempt("bpf", syscall, 321, 0, buffer, 128)
attempt("perf_event_open", syscall, 298, buffer, 0, -1, -1, 0)
attempt("userfaultfd", syscall, 323, 0)
attempt("io_uring_setup", syscall, 425, 8, buffer)
attempt("add_key", syscall, 248, key, key, buffer, 8, -3)
attempt("request_key", syscall, 249, key, key, key, -3)
attempt("keyctl", syscall, 250, 0, -3, 1)
attempt("fanotify_init", syscall, 300, 0, 0)
attempt("open_by_handle_at", syscall, 304, -100, buffer, 0)
attempt("quotactl", syscall, 179, 0, 0, 0, 0)
attempt("acct", syscall, 163, 0)
attempt("lookup_dcookie", syscall, 212, 0, buffer, 256)
attempt("vhangup", syscall, 153)
attempt("modify_ldt", syscall, 154, 1, buffer, 16)
