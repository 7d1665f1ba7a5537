//! The programs of [`crate::cases`] in SQL, as the shell of SQLite reads it.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "sqlite",
    extension: "sql",
    hello: "SELECT 'hello';",
    exit_3: ".exit 3",
    stderr: r#".print out
.shell echo err >&2"#,
    echo: ".shell cat",
    arguments: "SELECT '<' || value || '>' FROM argument;",
    exception: r#"CREATE TABLE known(x NOT NULL);
INSERT INTO known VALUES (NULL);
SELECT 'never';"#,
    exception_says: (
        1,
        &["Runtime error near line 2: NOT NULL constraint failed: known.x"],
    ),
    endless: r#".print begun
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n;"#,
    hog: r#"CREATE TABLE kept(x);
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) INSERT INTO kept SELECT randomblob(1 << 20) FROM n;"#,
    broken: "SELEC 1;",
    broken_says: (
        "execute",
        1,
        &[r#"Parse error near line 1: near "SELEC": syntax error"#],
    ),
    bytes: r#".shell printf 'ü€😀\\0\\377\\376\\n'"#,
    flood: "SELECT printf('%.*c', 1000000, 'x') || printf('%.*c', 1000000, 'x') || printf('%.*c', 3000000, 'x');",
    trespass: r#"
-- The functions of the shell that read and write files; NULL where they could not.
SELECT 'passwd ' || iif(readfile('/etc/passwd') IS NULL, 'refused', 'allowed');
SELECT 'tmp ' || iif(writefile('/tmp/new', 'x') IS NULL, 'refused', 'allowed');
SELECT 'shadow ' || iif(readfile('/etc/shadow') IS NULL, 'refused', 'allowed');
SELECT 'usr ' || iif(writefile('/usr/new', 'x') IS NULL, 'refused', 'allowed');
SELECT 'etc ' || iif(writefile('/etc/new', 'x') IS NULL, 'refused', 'allowed');
SELECT 'root ' || iif(writefile('/new', 'x') IS NULL, 'refused', 'allowed');"#,
    network: r#"
-- SQLite has no sockets; bash has.
.once /dev/null
SELECT writefile('/tmp/reach', 'echo "$1" $( { exec 3<> "/dev/tcp/$2/$3"; } 2>&1 | head -n 1)');
.shell bash /tmp/reach public 8.8.8.8 53
.shell bash /tmp/reach metadata 169.254.169.254 80
.shell bash /tmp/reach lookup example.com 80"#,
    bomb: r#".once /dev/null
SELECT writefile('/tmp/bomb', ':(){ :|:& };:');
.shell bash /tmp/bomb
.shell sleep 3"#,
    daemon: r#".shell bash -mc "trap '' TERM HUP; (while :; do sleep 1000; done) < /dev/null > /dev/null 2>&1 &"
.print started"#,
};
