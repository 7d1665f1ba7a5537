import ctypes
import socket
from attack import attempt, syscall

attempt("sethostname", socket.sethostname, "owned")
attempt("setdomainname", syscall, 171, ctypes.c_char_p(b"owned"), 5)
