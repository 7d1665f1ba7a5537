//! A world that is complete: time zones, names, small programs.

use super::{PLAIN, Row, compare};
use serde_json::json;

#[tokio::test]
async fn time_zones_are_known_to_every_language() {
    compare(&[
        Row {
            language: "go",
            what: "time.LoadLocation",
            code: "package main\n\nimport (\n\t\"fmt\"\n\t\"time\"\n)\n\nfunc main() {\n\tzone, err := time.LoadLocation(\"Asia/Tokyo\")\n\tfmt.Println(err)\n\tfmt.Println(time.Unix(0, 0).In(zone).Format(\"2006-01-02 15:04 -0700\"), time.Unix(0, 0).Format(\"15:04 MST\"))\n}\n",
            more: || json!({"env": {"TZ": "Europe/Paris"}}),
            stdout: "<nil>\n1970-01-01 09:00 +0900 01:00 CET\n",
            ..PLAIN
        },
        Row {
            language: "python",
            what: "zoneinfo, and TZ",
            code: "import time, datetime, zoneinfo\nprint(datetime.datetime.fromtimestamp(0, zoneinfo.ZoneInfo('Asia/Tokyo')), time.strftime('%H:%M %Z', time.localtime(0)))",
            more: || json!({"env": {"TZ": "Europe/Paris"}}),
            stdout: "1970-01-01 09:00:00+09:00 01:00 CET\n",
            ..PLAIN
        },
        Row {
            language: "node",
            what: "Intl, and TZ",
            code: "const d = new Date(0); console.log(d.toLocaleString('en-GB', { timeZone: 'Asia/Tokyo' }), d.getHours(), Intl.DateTimeFormat().resolvedOptions().timeZone)",
            more: || json!({"env": {"TZ": "Europe/Paris"}}),
            stdout: "01/01/1970, 09:00:00 1 Europe/Paris\n",
            ..PLAIN
        },
        Row {
            language: "bash",
            what: "date",
            code: "TZ=Asia/Tokyo date -d @0 '+%F %T %z'; TZ=Europe/Paris printf '%(%H:%M %Z)T\\n' 0",
            stdout: "1970-01-01 09:00:00 +0900\n01:00 CET\n",
            ..PLAIN
        },
        Row {
            language: "rust",
            what: "date, which it starts",
            code: "use std::process::Command;\nfn main() {\n    let out = Command::new(\"date\").args([\"-d\", \"@0\", \"+%H:%M %z\"]).env(\"TZ\", \"Asia/Tokyo\").output().unwrap();\n    print!(\"{}\", String::from_utf8_lossy(&out.stdout));\n}\n",
            stdout: "09:00 +0900\n",
            ..PLAIN
        },
    ])
    .await;
}

#[tokio::test]
async fn the_machine_has_a_user_a_name_and_what_programs_look_for() {
    compare(&[
        Row {
            language: "python",
            what: "its own name resolves, the user is known, CPUs are the job's",
            code: "import os, pwd, socket, getpass, locale\nname = socket.gethostname()\nprint(socket.gethostbyname(name).startswith('127.'), open('/etc/hostname').read().strip() == name)\nu = pwd.getpwuid(os.getuid())\nprint(u.pw_name, u.pw_dir, getpass.getuser())\nprint(os.cpu_count(), len(os.sched_getaffinity(0)), open('/proc/cpuinfo').read().count('processor\\t'))\nprint(locale.setlocale(locale.LC_ALL, ''), os.path.isdir('/dev/shm'), os.path.isdir('/dev/fd/'))",
            stdout: "True True\njob /work job\n1 1 1\nC.UTF-8 True True\n",
            ..PLAIN
        },
        Row {
            language: "node",
            what: "its own name resolves, the user is known",
            code: "const os = require('os');\nconst u = os.userInfo();\nrequire('dns').lookup(os.hostname(), (e, a) => { console.log(u.username, u.homedir, process.env.USER); console.log(e, a.startsWith('127.'), os.cpus().length); })",
            stdout: "job /work job\nnull true 1\n",
            ..PLAIN
        },
        Row {
            language: "go",
            what: "its own name resolves, the user is known",
            code: "package main\n\nimport (\n\t\"fmt\"\n\t\"net\"\n\t\"os\"\n\t\"os/user\"\n\t\"runtime\"\n)\n\nfunc main() {\n\tu, _ := user.Current()\n\tfmt.Println(u.Username, u.HomeDir, os.Getenv(\"USER\"))\n\tname, _ := os.Hostname()\n\taddresses, err := net.LookupHost(name)\n\tfmt.Println(addresses, err, runtime.NumCPU())\n}\n",
            stdout: "job /work job\n[127.0.1.1] <nil> 1\n",
            ..PLAIN
        },
        Row {
            language: "bash",
            what: "the user, the CPUs, the name",
            code: "echo \"$(whoami) $HOME $USER\"; nproc; [[ $(hostname) == \"$(< /etc/hostname)\" ]] && echo named",
            stdout: "job /work job\n1\nnamed\n",
            ..PLAIN
        },
        Row {
            language: "rust",
            what: "the user and the CPUs",
            code: "fn main() {\n    let var = |n| std::env::var(n).unwrap();\n    println!(\"{} {} {}\", var(\"USER\"), var(\"HOME\"), var(\"USER\"));\n    println!(\"{}\", std::thread::available_parallelism().unwrap());\n}\n",
            stdout: "job /work job\n1\n",
            ..PLAIN
        },
    ])
    .await;
}

#[tokio::test]
async fn programs_that_others_start_are_there() {
    const PIPE: &str = "printf 'b\\na\\n' | sort | grep a; bash -c 'echo $((6 * 7))'; echo a-b | sed s/-/+/ | awk '{print $1, NR}'; ls / | head -1; find . -name '*.none' | xargs echo | wc -l; ps -o pid= | wc -l | tr -d ' ' | grep -c .; tar --version | head -1 | cut -c1-3; hostname > /dev/null && which gzip";
    const SAYS: &str = "a\n42\na+b 1\nbin\n1\n1\ntar\n/usr/bin/gzip\n";
    let row = |language, code| Row {
        language,
        what: "small programs",
        code,
        more: || json!({"env": {"PIPE": PIPE}}),
        stdout: SAYS,
        ..PLAIN
    };
    compare(&[
        row("python", "import os, subprocess\nsubprocess.run(os.environ['PIPE'], shell=True, check=True)"),
        row("node", "process.stdout.write(require('child_process').execSync(process.env.PIPE))"),
        row("go", "package main\n\nimport (\n\t\"os\"\n\t\"os/exec\"\n)\n\nfunc main() {\n\tc := exec.Command(\"sh\", \"-c\", os.Getenv(\"PIPE\"))\n\tc.Stdout = os.Stdout\n\tif err := c.Run(); err != nil {\n\t\tpanic(err)\n\t}\n}\n"),
        row("rust", "fn main() {\n    let pipe = std::env::var(\"PIPE\").unwrap();\n    assert!(std::process::Command::new(\"sh\").args([\"-c\", &pipe]).status().unwrap().success());\n}\n"),
        row("bash", "eval \"$PIPE\""),
    ])
    .await;
}
