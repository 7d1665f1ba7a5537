# 2,000 dials to the host: none may get through, none may disturb this job.
import socket
from attack import breach_if

if not hasattr(socket, "AF_VSOCK"):
    raise SystemExit("this Python knows no vsock")
answered = []
reasons = {}
for n in range(2000):
    cid, port = (2, 1, 0, 3)[n % 4], (5000, 22, 80, 1024, 9999, 0xFFFFFFFE)[n % 6]
    try:
        s = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    except OSError as error:
        reasons[error.strerror] = reasons.get(error.strerror, 0) + 1
        continue
    s.settimeout(0.05)
    try:
        s.connect((cid, port))
        answered.append((cid, port))
    except OSError as error:
        reasons[str(error)] = reasons.get(str(error), 0) + 1
    s.close()
breach_if("a vsock dial got through", answered, answered[:5])
print("all", sum(reasons.values()), "refused:", reasons)
