# The harness listens on 127.0.0.1:HOST_TCP_PORT and HOST_UDP_PORT: what arrives there got out.
import os
import socket
from attack import attempt

tcp, udp = int(os.environ["HOST_TCP_PORT"]), int(os.environ["HOST_UDP_PORT"])


def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(0.2)
        s.connect(address)
        s.send(b"got out")


def send(family, address):
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(0.2)
        s.connect(address)
        s.send(b"got out")
        s.recv(1)


HOSTS = ["127.0.0.1", "10.0.2.2", "172.17.0.1", "192.168.0.1", "169.254.169.254", "8.8.8.8", "255.255.255.255", "224.0.0.1"]
for host in HOSTS:
    for port in (tcp, 22, 80):
        attempt(f"tcp {host}:{port}", connect, socket.AF_INET, (host, port))
    attempt(f"udp {host}:{udp}", send, socket.AF_INET, (host, udp))
for host in ["::1", "fe80::1", "2001:4860:4860::8888", "fd00:ec2::254", "::ffff:10.0.2.2"]:
    attempt(f"tcp [{host}]:{tcp}", connect, socket.AF_INET6, (host, tcp, 0, 1))
    attempt(f"udp [{host}]:{udp}", send, socket.AF_INET6, (host, udp, 0, 1))
