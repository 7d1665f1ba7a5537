import os

os.environ["LEFT_BEHIND"] = "by an earlier job"
for name in ("LD_PRELOAD", "PYTHONSTARTUP", "NODE_OPTIONS", "BASH_ENV"):
    os.environ[name] = "/work/evil"
for path in ("/etc/environment", "/etc/ld.so.preload", "/etc/profile", "/proc/1/environ"):
    try:
        with open(path, "a") as file:
            file.write("LEFT_BEHIND=1\n")
        print("BREACH: wrote", path)
    except OSError:
        pass
print("planted")
