//! The programs of [`crate::cases`] in PHP.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "php",
    extension: "php",
    hello: r#"<?php
echo "hello\n";"#,
    exit_3: r#"<?php
exit(3);"#,
    stderr: r#"<?php
echo "out\n";
fwrite(STDERR, "err\n");"#,
    echo: r#"<?php
stream_copy_to_stream(STDIN, STDOUT);"#,
    arguments: r#"<?php
foreach (array_slice($argv, 1) as $arg) echo "<$arg>\n";"#,
    exception: r#"<?php
function inner() {
  throw new RuntimeException("no good");
}
inner();"#,
    exception_says: (
        255,
        &[
            "Uncaught RuntimeException: no good in /work/main.php:3",
            "main.php(5): inner()",
        ],
    ),
    endless: r#"<?php
echo "begun\n";
for (;;);"#,
    hog: r#"<?php
$kept = [];
for (;;) $kept[] = str_repeat("x", 16 << 20);"#,
    broken: r#"<?php
echo "never";
function broken( {
"#,
    broken_says: ("execute", 255, &["Parse error:", "main.php on line 3"]),
    bytes: r#"<?php
echo "ü€😀\0\xff\xfe\n";"#,
    flood: r#"<?php
echo str_repeat("x", 5000000);"#,
    trespass: r#"<?php
function attempt($name, $path, $mode) {
  echo $name, @fopen($path, $mode) ? " allowed\n" : " refused\n";
}
attempt("passwd", "/etc/passwd", "r");
attempt("tmp", "/tmp/new", "w");
attempt("shadow", "/etc/shadow", "r");
attempt("usr", "/usr/new", "w");
attempt("etc", "/etc/new", "w");
attempt("root", "/new", "w");"#,
    network: r#"<?php
function attempt($name, $to) {
  $reached = @stream_socket_client("tcp://$to", $number, $error, 4);
  echo $name, " ", $reached ? "worked" : trim(strtok($error ?: error_get_last()["message"], "\n")), "\n";
}
attempt("public", "8.8.8.8:53");
attempt("metadata", "169.254.169.254:80");
attempt("lookup", "example.com:80");"#,
    bomb: r#"<?php
for (;;) {
  $child = @proc_open(["sleep", "60"], [], $pipes);
  if ($child) $kept[] = $child; else usleep(10000);
}"#,
    daemon: r#"<?php
$nowhere = ["file", "/dev/null", "r+"];
$kept = proc_open("trap '' TERM HUP; while :; do sleep 1000; done &", [$nowhere, $nowhere, $nowhere], $pipes);
echo "started\n";"#,
};
