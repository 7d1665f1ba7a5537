//! The programs of [`crate::cases`] in Lua.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "lua",
    extension: "lua",
    hello: "print('hello')",
    exit_3: "os.exit(3)",
    stderr: r#"print('out')
io.stderr:write('err\n')"#,
    echo: "io.write(io.read('a'))",
    arguments: "for _, value in ipairs(arg) do print('<' .. value .. '>') end",
    exception: r#"local function inner()
  error('no good')
end
inner()
"#,
    exception_says: (
        1,
        &[
            "lua: main.lua:2: no good",
            "stack traceback:",
            "main.lua:4: in main chunk",
        ],
    ),
    endless: r#"print('begun')
io.stdout:flush()
while true do end"#,
    hog: r#"local kept = {}
while true do kept[#kept + 1] = ('x'):rep(16 << 20) end"#,
    broken: r#"print('never')
function broken(
"#,
    broken_says: (
        "execute",
        1,
        &["main.lua:3: <name> or '...' expected near <eof>"],
    ),
    bytes: r#"io.write('ü€😀\0\xff\xfe\n')"#,
    flood: "io.write(('x'):rep(5000000))",
    trespass: r#"
local function attempt(name, path, mode)
  print(name .. (io.open(path, mode) and ' allowed' or ' refused'))
end
attempt('passwd', '/etc/passwd', 'r')
attempt('tmp', '/tmp/new', 'w')
attempt('shadow', '/etc/shadow', 'r')
attempt('usr', '/usr/new', 'w')
attempt('etc', '/etc/new', 'w')
attempt('root', '/new', 'w')"#,
    network: r#"
-- Lua has no sockets of its own; bash has.
local function attempt(name, host, port)
  local line = ("bash -c 'exec 3<> /dev/tcp/%s/%d' 2>&1"):format(host, port)
  print(name, io.popen(line):read('l') or 'worked')
end
attempt('public', '8.8.8.8', 53)
attempt('metadata', '169.254.169.254', 80)
attempt('lookup', 'example.com', 80)"#,
    bomb: r#"
local kept = {}
while true do
  kept[#kept + 1] = io.popen('sleep 60') or os.execute('sleep 0.01')
end"#,
    daemon: r#"
os.execute("bash -mc \"trap '' TERM HUP; (while :; do sleep 1000; done) < /dev/null > /dev/null 2>&1 &\"")
print('started')"#,
};
