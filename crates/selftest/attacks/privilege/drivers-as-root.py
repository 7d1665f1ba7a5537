# Takes the drivers away from their devices while they are in use, and gives them back.
import glob
import os


def act(what, path):
    driver, device = os.path.split(path)
    try:
        with open(f"{driver}/{what}", "w") as file:
            file.write(device)
        print(what, path, flush=True)
    except OSError as error:
        print("refused", what, path, error.strerror, flush=True)


bound = [
    path
    for path in glob.glob("/sys/bus/*/drivers/*/*")
    if os.path.islink(path) and os.path.basename(path) != "module"
]
# The channel's last: it carries these words.
bound.sort(key=lambda path: "console" in path)
print("taking away", len(bound), "drivers", flush=True)
for path in bound:
    act("unbind", path)
    if "console" not in path:
        act("bind", path)
    # What is bound is asked for something.
    try:
        os.listdir("/usr/lib")
        open("/usr/bin/python3", "rb").read(1 << 20)
    except OSError as error:
        print("the disk is gone:", error.strerror, flush=True)
print("took them away")
