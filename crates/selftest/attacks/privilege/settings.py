from attack import breach_if

# What each must be at least. A kernel that lacks one has nothing to close.
AT_LEAST = {
    "kernel/dmesg_restrict": 1,
    "kernel/kptr_restrict": 2,
    "kernel/unprivileged_bpf_disabled": 1,
    "kernel/perf_event_paranoid": 3,
    "kernel/yama/ptrace_scope": 2,
    "kernel/kexec_load_disabled": 1,
    "kernel/modules_disabled": 1,
    "net/core/bpf_jit_harden": 2,
    "vm/mmap_min_addr": 65536,
}
AT_MOST = {"kernel/sysrq": 0, "user/max_user_namespaces": 0, "fs/suid_dumpable": 0, "vm/unprivileged_userfaultfd": 0}


def setting(name):
    try:
        return int(open(f"/proc/sys/{name}").read().split()[0])
    except (FileNotFoundError, PermissionError) as error:
        print(f"held {name}: {error.strerror}")
        return None


for name, least in AT_LEAST.items():
    value = setting(name)
    breach_if(name, value is not None and value < least, value)
for name, most in AT_MOST.items():
    value = setting(name)
    breach_if(name, value is not None and value > most, value)
print("read them all")
