import socket
from attack import attempt

for what, family, kind, protocol in [
    ("raw icmp", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    ("raw tcp", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP),
    ("raw icmp6", socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
    ("packet", socket.AF_PACKET, socket.SOCK_RAW, 0x0300),
    ("packet, cooked", socket.AF_PACKET, socket.SOCK_DGRAM, 0x0300),
    ("kernel crypto", 38, 5, 0),
    ("bluetooth", 31, 3, 1),
    ("can", 29, 3, 1),
    ("xdp", 44, 3, 0),
]:
    attempt(what, socket.socket, family, kind, protocol)


def ping():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as s:
        s.settimeout(0.2)
        s.sendto(b"\x08\0\0\0\0\0\0\1", ("8.8.8.8", 0))
        s.recv(1)


attempt("ping socket", ping)


def hear_audit():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9) as s:
        s.bind((0, 1))


attempt("the audit log's netlink group", hear_audit)
