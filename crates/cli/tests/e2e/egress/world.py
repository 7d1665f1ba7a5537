#!/usr/bin/env python3
"""Stand-ins of the outside: a DNS server, HTTPS and HTTP servers. world.py ADDRESS NAMES.json CERT KEY"""
import http.server, json, socket, socketserver, ssl, struct, sys, threading

address, names_file, cert, key = sys.argv[1:5]
names = json.load(open(names_file))

def dns():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 53))
    while True:
        data, peer = sock.recvfrom(2048)
        at, labels = 12, []
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode().lower()); at += 1 + data[at]
        kind = struct.unpack(">H", data[at + 1:at + 3])[0]
        question = data[12:at + 5]
        name = ".".join(labels)
        print("dns", name, kind, flush=True)
        answers = [a for a in names.get(name, []) if (":" in a) == (kind == 28)] if kind in (1, 28) else []
        code = 0 if name in names else 3
        out = data[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(answers), 0, 0) + question
        for a in answers:
            raw = socket.inet_pton(socket.AF_INET6 if ":" in a else socket.AF_INET, a)
            out += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 5, len(raw)) + raw
        sock.sendto(out, peer)

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        said = json.dumps({"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body.decode("latin1")[:200]}).encode()
        if self.path.startswith("/big"):
            said = b"x" * int(self.path.split("/")[2])
        print("http", self.command, self.path, self.headers.get("authorization"), flush=True)
        self.send_response(302 if self.path == "/redirect" else 200)
        if self.path == "/redirect": self.send_header("location", "http://169.254.169.254/latest/meta-data/")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer
    def log_message(self, *a): pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

def https():
    server = Server((address, 443), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()

threading.Thread(target=dns, daemon=True).start()
threading.Thread(target=lambda: Server((address, 80), Handler).serve_forever(), daemon=True).start()
print("ready", flush=True)
https()
