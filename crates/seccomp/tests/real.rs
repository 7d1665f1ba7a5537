//! Programs under a compiled profile, in this machine's kernel.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use seccomp::Profile;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Installs `profile` in the child, and then makes the call whose failure the child reports.
fn confine(command: &mut Command, profile: &Profile, then: fn() -> libc::c_long) {
    let program = profile.compile().unwrap().to_bytes();
    let install = move || {
        let fprog = libc::sock_fprog {
            len: (program.len() / 8) as u16,
            filter: program.as_ptr() as *mut libc::sock_filter,
        };
        // SAFETY: the kernel copies the program, which outlives the call; both calls are
        // async-signal-safe.
        let installed = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(
                    libc::PR_SET_SECCOMP,
                    libc::SECCOMP_MODE_FILTER,
                    &raw const fprog,
                ) == 0
        };
        if installed && then() == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    };
    // SAFETY: `install` allocates nothing and takes no lock.
    unsafe { command.pre_exec(install) };
}

/// What the child's call failed with, or how the child ended.
#[derive(Debug, PartialEq)]
enum Seen {
    Failed(i32),
    Signal(i32),
    Ran,
}

fn call_under(profile: &Profile, then: fn() -> libc::c_long) -> Seen {
    let mut command = Command::new("/bin/true");
    confine(&mut command, profile, then);
    match command.spawn() {
        Err(error) => Seen::Failed(error.raw_os_error().unwrap()),
        Ok(mut child) => match child.wait().unwrap().signal() {
            Some(signal) => Seen::Signal(signal),
            None => Seen::Ran,
        },
    }
}

fn nothing() -> libc::c_long {
    0
}
fn unshare_user() -> libc::c_long {
    // SAFETY: plain numbers.
    unsafe { libc::syscall(libc::SYS_unshare, libc::CLONE_NEWUSER) }
}
fn fork_into_user_namespace() -> libc::c_long {
    // SAFETY: plain numbers; it must fail, and a child that came of it would end at once.
    match unsafe {
        libc::syscall(
            libc::SYS_clone,
            libc::CLONE_NEWUSER | libc::SIGCHLD,
            0,
            0,
            0,
            0,
        )
    } {
        // SAFETY: the child of a wall that gave way does nothing more.
        0 => unsafe { libc::_exit(0) },
        other => other.min(0),
    }
}
fn clone3() -> libc::c_long {
    // SAFETY: the kernel refuses a null pointer.
    unsafe { libc::syscall(libc::SYS_clone3, 0, 88) }
}
fn vsock() -> libc::c_long {
    // SAFETY: plain numbers.
    unsafe { libc::syscall(libc::SYS_socket, libc::AF_VSOCK, libc::SOCK_STREAM, 0) }
}
fn ptrace() -> libc::c_long {
    // SAFETY: asks to be traced; no pointer is read.
    unsafe { libc::syscall(libc::SYS_ptrace, libc::PTRACE_TRACEME, 0, 0, 0) }
}

#[test]
fn default_answers_privilege_with_an_error() {
    let profile = Profile::builtin("default").unwrap();
    assert_eq!(call_under(&profile, nothing), Seen::Ran);
    for call in [unshare_user, fork_into_user_namespace, vsock, ptrace] {
        assert_eq!(call_under(&profile, call), Seen::Failed(libc::EPERM));
    }
    assert_eq!(call_under(&profile, clone3), Seen::Failed(libc::ENOSYS));
}

#[test]
fn strict_and_vmm_kill_what_they_do_not_list() {
    for name in ["strict", "vmm"] {
        let profile = Profile::builtin(name).unwrap();
        for call in [unshare_user, fork_into_user_namespace, vsock, ptrace] {
            assert_eq!(
                call_under(&profile, call),
                Seen::Signal(libc::SIGSYS),
                "{name}"
            );
        }
        assert_eq!(call_under(&profile, nothing), Seen::Ran, "{name}");
    }
}

#[test]
fn a_users_profile_kills_by_sigsys() {
    let json =
        r#"{"default_action":"allow","filter_action":"trap","filters":[{"syscall":"unshare"}]}"#;
    assert_eq!(
        call_under(&Profile::parse(json, "mine").unwrap(), unshare_user),
        Seen::Signal(libc::SIGSYS)
    );
}

/// One program a row: what it is run by, its text, what it prints. `{dir}` is a folder of its own.
const PROGRAMS: &[(&str, &[&str], &str)] = &[
    (
        "/bin/bash",
        &[
            "-c",
            "x=$(echo a | tr a b); (sleep 0 & wait); cat <(echo $x) <<< here; ls / >/dev/null && mktemp -p {dir} >/dev/null",
        ],
        "b\n",
    ),
    ("python3", &["-c", PYTHON], "[0, 1, 4] 3 sub {dir}\n"),
    ("node", &["-e", NODE], "42 child 3\n"),
    (
        "gcc",
        &["-O1", "-x", "c", "-o", "{dir}/a.out", "{dir}/main.c"],
        "",
    ),
    ("rustc", &["-o", "{dir}/rs", "{dir}/main.rs"], ""),
    ("{dir}/rs", &[], "4950\n"),
];

const PYTHON: &str = "
import asyncio, multiprocessing, subprocess, threading, tempfile, queue
def square(x): return x * x
if __name__ == '__main__':
    with multiprocessing.get_context('fork').Pool(2) as pool: squares = pool.map(square, range(3))
    q = queue.Queue(); t = threading.Thread(target=q.put, args=(3,)); t.start(); t.join()
    async def sub():
        p = await asyncio.create_subprocess_exec('echo', 'sub', stdout=asyncio.subprocess.PIPE)
        await asyncio.sleep(0.001); return (await p.communicate())[0].decode().strip()
    with tempfile.NamedTemporaryFile(dir='{dir}') as f: f.write(b'x'); f.flush()
    print(squares, q.get(), asyncio.run(sub()), '{dir}')
";

const NODE: &str = "
const {Worker} = require('worker_threads'), fs = require('fs'), {execFileSync} = require('child_process');
const w = new Worker('require(\"worker_threads\").parentPort.postMessage(42)', {eval: true});
w.on('message', async m => { fs.writeFileSync('{dir}/n', 'abc'); const text = await fs.promises.readFile('{dir}/n');
  console.log(m, execFileSync('echo', ['child']).toString().trim(), text.length); });
";

#[test]
fn ordinary_programs_run_under_both_job_profiles() {
    for name in ["default", "strict"] {
        let profile = Profile::builtin(name).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("main.c"),
            "#include <stdio.h>\nint main(void){puts(\"c\");}\n",
        )
        .unwrap();
        std::fs::write(
            dir.path().join("main.rs"),
            "fn main(){ let t: Vec<_> = (0..4u32).map(|i| std::thread::spawn(move || (i*25..i*25+25).sum::<u32>())).collect();
             println!(\"{}\", t.into_iter().map(|t| t.join().unwrap()).sum::<u32>()); }",
        )
        .unwrap();
        for (program, args, prints) in PROGRAMS {
            match run_under(&profile, program, args, dir.path()) {
                None => println!("not run: {program} is not installed"),
                Some(output) => {
                    let said = String::from_utf8_lossy(&output.stdout);
                    let expected = prints.replace("{dir}", &dir.path().display().to_string());
                    let error = String::from_utf8_lossy(&output.stderr);
                    assert!(
                        output.status.success() && said == expected,
                        "{name} {program}: {:?} {said}\n{error}",
                        output.status
                    );
                    println!("{name}: {program} ran");
                }
            }
        }
    }
}

fn run_under(profile: &Profile, program: &str, args: &[&str], dir: &Path) -> Option<Output> {
    let fill = |text: &str| text.replace("{dir}", &dir.display().to_string());
    let mut command = Command::new(fill(program));
    command
        .args(args.iter().map(|arg| fill(arg)))
        .env("TMPDIR", dir)
        .stdin(Stdio::null());
    confine(&mut command, profile, nothing);
    match command.output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        other => Some(other.unwrap()),
    }
}
