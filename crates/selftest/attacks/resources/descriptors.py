held = []
try:
    while True:
        held.append(open("/dev/null"))
except OSError as error:
    count = len(held)
    held.clear()
    print(f"refused descriptor {count}: {error.strerror}")
