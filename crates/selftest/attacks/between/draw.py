# Drawn first thing: two clones of one snapshot must not draw alike.
import os
import random
import socket
import uuid

print(os.urandom(16).hex())
print(os.getrandom(16).hex())
print(random.SystemRandom().random(), random.random())
print(uuid.uuid4(), socket.gethostname())
print(open("/proc/sys/kernel/random/boot_id").read().strip(), open("/proc/sys/kernel/random/uuid").read().strip())
