# Takes the drivers away from their devices while they are in use, and gives them back.
import glob
import os

for path in glob.glob("/sys/bus/virtio/drivers/*/virtio*") + glob.glob("/sys/bus/platform/drivers/virtio-mmio/*"):
    driver, device = os.path.split(path)
    if "console" in driver:
        continue
    for act in ("unbind", "bind"):
        try:
            with open(f"{driver}/{act}", "w") as file:
                file.write(device)
            print(act, path, flush=True)
        except OSError as error:
            print("refused", act, path, error.strerror, flush=True)
print("and now the one that carries these words", flush=True)
for path in glob.glob("/sys/bus/virtio/drivers/virtio_console/virtio*"):
    driver, device = os.path.split(path)
    with open(f"{driver}/unbind", "w") as file:
        file.write(device)
