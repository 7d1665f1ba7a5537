"""Servers that do wrong, and some that do right, each on a port of its own. Numbers are those of `ports.rs`."""

import socket
import threading
import time

OK = b"HTTP/1.1 200 OK\r\n"


def body_of(connection, head):
    """Reads what the head tells of."""
    head, _, body = head.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    if b"transfer-encoding: chunked" in lines:
        while not body.endswith(b"0\r\n\r\n"):
            body += connection.recv(65536)
        return body
    length = sum(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536)
    return body


def echo(connection, head):
    if head.startswith(b"HEAD"):
        connection.sendall(OK + b"Content-Length: 77\r\n\r\n")
        return
    body = body_of(connection, head)
    head = head.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(head + body) + head + body)


def endless_head(connection, head):
    connection.sendall(OK)
    while True:
        connection.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")


def many_headers(connection, head):
    connection.sendall(OK + b"A: 1\r\n" * 5000 + b"Content-Length: 0\r\n\r\n")


def no_status(connection, head):
    connection.sendall(b"HTTP/1.1 OK fine\r\nContent-Length: 0\r\n\r\n")


def folded(connection, head):
    connection.sendall(OK + b"A: 1\r\n HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def unasked_upgrade(connection, head):
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: evil\r\n\r\nevil")


def split(connection, head):
    connection.sendall(OK + b"Content-Length: 2\r\n\r\nok" + OK + b"X-Evil: evil\r\nContent-Length: 4\r\n\r\nevil")


def cut_short(connection, head):
    connection.sendall(OK + b"Content-Length: 100\r\n\r\nshort")


def endless_interim(connection, head):
    while True:
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")
        time.sleep(0.01)


def two_lengths(connection, head):
    connection.sendall(OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")


def browser(connection, head):
    connection.sendall(
        OK + b"Set-Cookie: a=1; Domain=sandboxes.example.org; Path=/\r\nService-Worker-Allowed: /\r\n"
        b"Access-Control-Allow-Origin: *\r\nClear-Site-Data: \"cookies\"\r\nAlt-Svc: h2=\":1\"\r\n"
        b"Refresh: 0\r\nLink: </x>; rel=preload\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"
    )


def upgrades(connection, head):
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nwelcome")
    while data := connection.recv(100):
        connection.sendall(data)


def large(connection, head):
    connection.sendall(OK + b"\r\n")
    for _ in range(128):
        connection.sendall(b"x" * 65536)


def refuses_bodies(connection, head):
    connection.sendall(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


def silent(connection, head):
    connection.recv(1)


def one(connection, act):
    with connection:
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                more = connection.recv(65536)
                if not more:
                    return
                head += more
            act(connection, head)
        except OSError:
            pass


def listen(server, act):
    while True:
        connection, _ = server.accept()
        threading.Thread(target=one, args=(connection, act), daemon=True).start()


ALL = [
    echo,
    endless_head,
    no_status,
    unasked_upgrade,
    split,
    cut_short,
    endless_interim,
    two_lengths,
    browser,
    upgrades,
    large,
    refuses_bodies,
    silent,
    many_headers,
    folded,
]
for number, act in enumerate(ALL, 9000):
    server = socket.create_server(("127.0.0.1", number), backlog=128)
    threading.Thread(target=listen, args=(server, act)).start()
