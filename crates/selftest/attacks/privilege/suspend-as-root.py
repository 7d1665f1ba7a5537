from attack import attempt

print("suspending: nothing is left that could wake the VM", flush=True)
for state in ("mem", "freeze"):
    attempt(state, lambda: open("/sys/power/state", "w").write(state))
