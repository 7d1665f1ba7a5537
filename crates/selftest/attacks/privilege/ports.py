from attack import attempt, syscall

attempt("iopl", syscall, 172, 3)
attempt("ioperm", syscall, 173, 0, 1024, 1)
