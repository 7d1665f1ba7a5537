//! The programs of [`crate::cases`] in Rust.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "rust",
    extension: "rs",
    hello: "fn main() { println!(\"hello\"); }",
    exit_3: "fn main() { std::process::exit(3); }",
    stderr: "fn main() { println!(\"out\"); eprintln!(\"err\"); }",
    echo: "fn main() { std::io::copy(&mut std::io::stdin(), &mut std::io::stdout()).unwrap(); }",
    arguments: "fn main() { for arg in std::env::args().skip(1) { println!(\"<{arg}>\"); } }",
    exception: "fn inner(list: &[u8]) -> u8 {\n    list[list.len() + 2]\n}\nfn main() {\n    inner(&[]);\n}\n",
    exception_says: (
        101,
        &[
            "thread 'main' (",
            "panicked at",
            "index out of bounds: the len is 0 but the index is 2",
            "main.rs:2:5",
        ],
    ),
    endless: "fn main() { println!(\"begun\"); loop {} }",
    hog: "fn main() { let mut kept = Vec::new(); loop { kept.push(vec![1u8; 16 << 20]); } }",
    broken: "fn main() {\n    let text: &str = 5;\n    undefined(text);\n}\n",
    broken_says: (
        "compile",
        1,
        &[
            "error[E0308]: mismatched types",
            "main.rs:2:22",
            "cannot find function `undefined`",
            "aborting due to 2 previous errors",
        ],
    ),
    bytes: r#"use std::io::Write;
fn main() {
    let mut bytes = "ü€😀".as_bytes().to_vec();
    bytes.extend([0, 255, 254, 10]);
    std::io::stdout().write_all(&bytes).unwrap();
}"#,
    flood: r#"fn main() {
    let chunk = "x".repeat(100_000);
    for _ in 0..50 {
        print!("{chunk}");
    }
}"#,
    trespass: r#"fn attempt<T, E>(name: &str, result: Result<T, E>) {
    println!("{name} {}", if result.is_ok() { "allowed" } else { "refused" });
}
fn main() {
    use std::fs::{read, write};
    attempt("passwd", read("/etc/passwd"));
    attempt("tmp", write("/tmp/new", "x"));
    attempt("shadow", read("/etc/shadow"));
    attempt("usr", write("/usr/new", "x"));
    attempt("etc", write("/etc/new", "x"));
    attempt("root", write("/new", "x"));
}"#,
    network: r#"use std::net::{TcpStream, ToSocketAddrs};
fn main() {
    println!("public {:?}", TcpStream::connect("8.8.8.8:53").map(drop));
    println!("metadata {:?}", TcpStream::connect("169.254.169.254:80").map(drop));
    println!("lookup {:?}", "example.com:80".to_socket_addrs().map(drop));
}"#,
    bomb: r#"use std::process::Command;
fn main() {
    loop {
        if Command::new("./main").spawn().is_err() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}"#,
    daemon: r#"use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
extern "C" {
    fn setsid() -> i32;
    fn signal(number: i32, handler: usize) -> usize;
}
fn main() {
    if std::env::args().len() > 1 {
        std::thread::sleep(std::time::Duration::from_secs(1000));
    }
    let mut daemon = Command::new("./main");
    daemon.arg("daemon").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // 15 and 1 are SIGTERM and SIGHUP; handler 1 is SIG_IGN, which an exec keeps.
    unsafe {
        daemon.pre_exec(|| {
            setsid();
            signal(15, 1);
            signal(1, 1);
            Ok(())
        });
    }
    daemon.spawn().unwrap();
    println!("started");
}"#,
};
