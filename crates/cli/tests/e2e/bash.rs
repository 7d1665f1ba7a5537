//! The programs of [`crate::cases`] in bash.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "bash",
    extension: "sh",
    hello: "echo hello",
    exit_3: "exit 3",
    stderr: "echo out\necho err >&2",
    echo: "cat",
    arguments: "printf '<%s>\\n' \"$@\"",
    exception: "inner() {\n  no_such_command\n}\nset -e\ninner\n",
    exception_says: (
        127,
        &["main.sh: line 2: no_such_command: command not found"],
    ),
    endless: "echo begun\nwhile true; do :; done",
    hog: "x=0123456789abcdef\nwhile :; do x+=$x; done",
    broken: "echo never | (\n",
    broken_says: (
        "execute",
        2,
        &["main.sh: line 2: syntax error: unexpected end of file"],
    ),
    bytes: r"printf 'ü€😀\0\xff\xfe\n'",
    flood: "head -c 5000000 /dev/zero | tr '\\0' x",
    trespass: r#"
attempt() {
  if "${@:2}" 2> /tmp/error; then echo "$1 allowed"; else echo "$1 refused"; fi
}
look() { read -r _ < "$1"; }
put() { echo x > "$1"; }
attempt passwd look /etc/passwd
attempt tmp put /tmp/new
attempt shadow look /etc/shadow
attempt usr put /usr/new
attempt etc put /etc/new
attempt root put /new"#,
    network: r#"
attempt() {
  local error
  # A look-up that fails is told first; bash complains of the address that it then has not afterwards.
  if error=$( { exec 3<> "/dev/tcp/$2/$3"; } 2>&1 ); then echo "$1 worked"; else echo "$1 ${error%%$'\n'*}"; fi
}
attempt public 8.8.8.8 53
attempt metadata 169.254.169.254 80
attempt lookup example.com 80"#,
    bomb: ":(){ :|:& };:\nsleep 3",
    daemon: r"
(
  trap '' TERM HUP
  exec < /dev/null > /dev/null 2>&1
  set -m
  ( while :; do sleep 1000; done ) &
) &
wait $!
echo started",
};
