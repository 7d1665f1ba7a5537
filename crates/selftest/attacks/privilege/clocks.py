import ctypes
import time
from attack import attempt, syscall

second = (ctypes.c_long * 2)(1, 0)
attempt("clock_settime", time.clock_settime, time.CLOCK_REALTIME, 1.0)
attempt("settimeofday", syscall, 164, second, 0)
timex = ctypes.create_string_buffer(208)
timex[0] = 1
attempt("adjtimex", syscall, 159, timex)
attempt("alarm that wakes the machine", syscall, 283, 9, 0)
