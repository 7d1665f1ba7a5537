//! The programs of [`crate::cases`] in Python.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "python",
    extension: "py",
    hello: "print('hello')",
    exit_3: "import sys\nsys.exit(3)",
    stderr: "import sys\nprint('out')\nprint('err', file=sys.stderr)",
    echo: "import sys\nsys.stdout.write(sys.stdin.read())",
    arguments: "import sys\nfor arg in sys.argv[1:]:\n    print(f'<{arg}>')",
    exception: "def inner():\n    raise ValueError('no good')\n\ninner()\n",
    exception_says: (
        1,
        &[
            "Traceback (most recent call last)",
            "main.py\", line 4, in <module>",
            "main.py\", line 2, in inner",
            "ValueError: no good",
        ],
    ),
    endless: "print('begun', flush=True)\nwhile True:\n    pass",
    hog: "kept = []\nwhile True:\n    kept.append(b'x' * (16 << 20))",
    broken: "print('never')\ndef broken(:\n    pass",
    broken_says: ("execute", 1, &["main.py\", line 2", "SyntaxError"]),
    bytes: r"import sys
sys.stdout.buffer.write('ü€😀'.encode() + b'\0\xff\xfe\n')",
    flood: "import sys\nfor _ in range(50):\n    sys.stdout.write('x' * 100_000)",
    trespass: r"
def attempt(name, path, mode):
    try:
        with open(path, mode) as file:
            file.write('x') if 'w' in mode else file.read(1)
        print(name, 'allowed')
    except OSError as error:
        print(name, 'refused')

attempt('passwd', '/etc/passwd', 'r')
attempt('tmp', '/tmp/new', 'w')
attempt('shadow', '/etc/shadow', 'r')
attempt('usr', '/usr/new', 'w')
attempt('etc', '/etc/new', 'w')
attempt('root', '/new', 'w')",
    network: r"
import socket

def attempt(name, action):
    try:
        action()
        print(name, 'worked')
    except OSError as error:
        print(name, error)

attempt('public', lambda: socket.create_connection(('8.8.8.8', 53)))
attempt('metadata', lambda: socket.create_connection(('169.254.169.254', 80)))
attempt('lookup', lambda: socket.getaddrinfo('example.com', 80))",
    bomb: r"
import os, time
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.01)",
    daemon: r"
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    time.sleep(1000)
os.wait()
print('started')",
};
