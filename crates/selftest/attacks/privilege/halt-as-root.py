from attack import attempt, syscall

print("halting: the CPUs stop, the VM does not end", flush=True)
attempt("halt", syscall, 169, 0xFEE1DEAD - (1 << 32), 672274793, 0xCDEF0123, 0)
