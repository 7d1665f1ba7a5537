//! Fresh VMs, whichever way their engine makes them (clones of a snapshot, boots): nothing of one job in the
//! next, no shared secret, the right time. Those that wait in a pool: `vms/pooled_secrets.rs` of the sandbox.

use crate::lab;
use crate::tool::{Done, Tool};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How far a VM's clock may be from the host's.
const CLOCK: Duration = Duration::from_secs(1);

/// VMs a language, at most: fewer can be asked for where each takes seconds.
fn at_most() -> usize {
    let named = std::env::var("LLM_FIRECRACKER_DRAWS").ok();
    named.map_or(50, |text| text.parse().unwrap())
}

/// What a language draws from: lines of `NAME VALUE`; `clock` is the wall time in seconds.
const DRAWS: &[(&str, &str, &str, usize)] = &[
    (
        "python",
        "py",
        r"
import os, random, secrets, socket, tempfile, time, uuid
print('clock', time.time())
print('urandom', open('/dev/urandom', 'rb').read(16).hex())
print('getrandom', os.urandom(16).hex())
print('random', random.random())
print('seeded', random.Random().random())
print('secrets', secrets.token_hex(16))
print('uuid4', uuid.uuid4())
print('uuid1', uuid.uuid1())
print('tempfile', tempfile.mkdtemp())
print('hostname', socket.gethostname())
print('boot_id', open('/proc/sys/kernel/random/boot_id').read())",
        50,
    ),
    (
        "bash",
        "sh",
        r#"
echo "clock $EPOCHREALTIME"
echo "random $RANDOM $RANDOM $RANDOM $RANDOM"
echo "srandom $SRANDOM $SRANDOM"
echo "urandom $(od -An -tx1 -N16 /dev/urandom)"
echo "hostname $HOSTNAME"
echo "boot_id $(< /proc/sys/kernel/random/boot_id)"
echo "uuid $(< /proc/sys/kernel/random/uuid)"
echo "tempfile $(mktemp -u)""#,
        50,
    ),
    (
        "node",
        "js",
        r"
const crypto = require('node:crypto')
const fs = require('node:fs')
console.log('clock', Date.now() / 1000)
console.log('math', Math.random())
console.log('uuid', crypto.randomUUID())
console.log('bytes', crypto.randomBytes(16).toString('hex'))
console.log('web', crypto.webcrypto.getRandomValues(new Uint32Array(4)).join('-'))
console.log('tempfile', fs.mkdtempSync('/tmp/x'))
console.log('hostname', require('node:os').hostname())",
        50,
    ),
    (
        "go",
        "go",
        r#"package main

import (
	"crypto/rand"
	"fmt"
	"hash/maphash"
	"os"
	"time"
)

func main() {
	fmt.Printf("clock %.3f\n", float64(time.Now().UnixMicro())/1e6)
	bytes := make([]byte, 16)
	rand.Read(bytes)
	fmt.Printf("crypto %x\n", bytes)
	// The generator that others draw from.
	fmt.Println("runtime", maphash.Bytes(maphash.MakeSeed(), nil))
	name, _ := os.Hostname()
	fmt.Println("hostname", name)
}
"#,
        10,
    ),
    (
        "rust",
        "rs",
        r#"use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
fn main() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    println!("clock {}", now.as_secs_f64());
    println!("hasher {}", RandomState::new().build_hasher().finish());
    println!("hostname {}", std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap());
}"#,
        10,
    ),
];

fn unix_time() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}

fn fresh(extension: &str, source: &str, flags: &[&str]) -> (Done, Value) {
    let done = Tool::run(extension, source)
        .args(["--json"])
        .args(flags)
        .go();
    let result = done.json();
    assert_eq!(result["status"], "ok", "{result} {}", done.err());
    assert_eq!(result["timings"]["path"], lab::path(), "{}", done.err());
    (done, result)
}

/// The value of each name in each VM.
type Drawn = Mutex<BTreeMap<String, Vec<String>>>;

/// What is drawn does not depend on how long it takes.
const SLOW: &[&str] = &["--timeout", "300", "--compile-timeout", "300"];

fn draw(extension: &str, source: &str, drawn: &Drawn) {
    let begun = unix_time();
    let (_, result) = fresh(extension, source, SLOW);
    let ended = unix_time();
    for line in result["stdout"]
        .as_str()
        .unwrap()
        .lines()
        .filter(|line| !line.is_empty())
    {
        let (name, value) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
        if name == "clock" {
            let clock: f64 = value.parse().unwrap();
            let near = begun - CLOCK.as_secs_f64()..=ended + CLOCK.as_secs_f64();
            assert!(near.contains(&clock), "{clock} is not in {near:?}");
        } else {
            drawn
                .lock()
                .unwrap()
                .entry(name.into())
                .or_default()
                .push(value.into());
        }
    }
}

fn assert_no_two_agree(language: &str) {
    if !lab::lab().has(language) {
        return;
    }
    let (_, extension, source, count) = DRAWS.iter().find(|draws| draws.0 == language).unwrap();
    let count = (*count).min(at_most());
    let drawn = Drawn::default();
    // Two at a time, as far as the places for VMs allow.
    std::thread::scope(|scope| {
        for half in [count.div_ceil(2), count / 2] {
            let drawn = &drawn;
            scope.spawn(move || (0..half).for_each(|_| draw(extension, source, drawn)));
        }
    });
    for (name, values) in drawn.into_inner().unwrap() {
        let different: BTreeSet<&String> = values.iter().collect();
        assert_eq!(
            (values.len(), different.len()),
            (count, count),
            "{language} {name}: {values:?}"
        );
        println!("{language} {name}: {count} VMs, {count} values");
    }
}

#[test]
fn no_two_fresh_python_vms_draw_the_same() {
    assert_no_two_agree("python");
}

#[test]
fn no_two_fresh_bash_vms_draw_the_same() {
    assert_no_two_agree("bash");
}

#[test]
fn no_two_fresh_node_vms_draw_the_same() {
    assert_no_two_agree("node");
}

#[test]
fn no_two_fresh_go_vms_draw_the_same() {
    assert_no_two_agree("go");
}

#[test]
fn no_two_fresh_rust_vms_draw_the_same() {
    assert_no_two_agree("rust");
}

/// What a job may leave, in every place that it can write, and what the next one looks at.
const LEAVE_AND_LOOK: &[(&str, &str, &str, &str)] = &[
    (
        "bash",
        "sh",
        r#"
for place in /tmp /work /dev/shm; do [[ -w $place ]] && echo zanzibar > "$place/zanzibar"; done
export ZANZIBAR=zanzibar
( exec -a zanzibar sleep 1000 ) > /tmp/log 2>&1 &
echo "left $(ls /tmp)""#,
        r#"
for place in /tmp /work /dev/shm; do for file in "$place"/*; do echo "file $file"; done; done
env | sed 's/^/variable /'
for process in /proc/[0-9]*/cmdline; do echo "process $(tr '\0' ' ' < "$process")"; done"#,
    ),
    (
        "python",
        "py",
        r"
import builtins, json, os, subprocess, sys
for place in ('/tmp', '/work', '/dev/shm'):
    if os.access(place, os.W_OK):
        open(place + '/zanzibar', 'w').write('zanzibar')
builtins.zanzibar = json.zanzibar = sys.modules['zanzibar'] = sys.zanzibar = 'zanzibar'
os.environ['ZANZIBAR'] = 'zanzibar'
child = subprocess.Popen(['zanzibar', '1000'], executable=sys.executable, stdin=subprocess.PIPE)
print('left', os.listdir('/tmp'))",
        r"
import builtins, json, os, sys
for place in ('/tmp', '/work', '/dev/shm'):
    if os.access(place, os.R_OK):
        print('file', os.listdir(place))
print('names', [n for m in (builtins, json, sys) for n in dir(m) if 's' in n], list(sys.modules))
print('variables', dict(os.environ))
for pid in filter(str.isdigit, os.listdir('/proc')):
    print('process', open(f'/proc/{pid}/cmdline').read())",
    ),
];

#[test]
fn nothing_of_one_job_is_in_the_next() {
    for (language, extension, leave, look) in LEAVE_AND_LOOK {
        if !lab::lab().has(language) {
            continue;
        }
        let (_, left) = fresh(
            extension,
            leave,
            &["--env", "GIVEN=zanzibar", "--", "zanzibar"],
        );
        assert!(left["stdout"].as_str().unwrap().contains("left"), "{left}");
        let (_, seen) = fresh(extension, look, &[]);
        let seen = seen["stdout"].as_str().unwrap();
        assert!(seen.contains("process") && seen.contains("file"), "{seen}");
        assert!(!seen.to_lowercase().contains("zanzibar"), "{seen}");
    }
}
