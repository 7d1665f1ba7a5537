import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
shm = libc.shmget(0x4C4C4D, 4096, 0o1666)
address = libc.shmat(shm, None, 0)
ctypes.memmove(address, b"left by an earlier job", 22)
print("shm", shm, "sem", libc.semget(0x4C4C4D, 1, 0o1666), "queue", libc.msgget(0x4C4C4D, 0o1666))
with open("/dev/shm/left", "w") as file:
    file.write("left by an earlier job")
print("planted")
