import os
import socket
from attack import attempt, breach_if

names = [name for _, name in socket.if_nameindex()]
breach_if("interfaces besides lo", names != ["lo"], names)
routes = open("/proc/net/route").read().splitlines()[1:]
breach_if("a route out", routes, routes)
neighbours = [l for l in open("/proc/net/arp").read().splitlines()[1:]]
breach_if("neighbours", neighbours, neighbours)
outside = [l for l in open("/proc/net/ipv6_route").read().splitlines() if not l.endswith("lo")]
breach_if("an IPv6 route out", outside, outside)
import fcntl
import struct

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
attempt("new address for lo", fcntl.ioctl, s, 0x8916, struct.pack("16sH2x4s8x", b"lo", 2, bytes([10, 0, 2, 15])))
attempt("a tun device", os.open, "/dev/net/tun", os.O_RDWR)
