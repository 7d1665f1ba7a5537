use super::*;
use std::time::Instant;

/// What the sandbox's shell does, by what is built into it: there is no other program.
fn run(script: &str, request: &Path) -> Option<Result<Ended, ResolveError>> {
    let jail = Jail {
        name: "uv",
        shown: &[],
        request,
        env: &[("OWN", "value")],
        argv: &["/bin/sh", "-c", script],
        deadline: Duration::from_secs(3),
    };
    let result = jail.run();
    match &result {
        Err(ResolveError::Resolver { words, .. }) => {
            println!("not run: {words}");
            None
        }
        Err(ResolveError::Image { source }) => {
            println!("not run: {source}");
            None
        }
        _ => Some(result),
    }
}

fn text(ended: &Ended) -> String {
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

#[test]
fn of_the_host_libraries_names_and_certificates_are_seen() {
    let request = tempfile::tempdir().unwrap();
    let script =
        "for f in /* /etc/* /bin/* /usr/* /root/*; do [ -e \"$f\" ] && echo \"$f\"; done; set";
    let Some(result) = run(script, request.path()) else {
        return;
    };
    let text = text(&result.unwrap());
    let (seen, variables): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with('/'));
    let known = [
        "/bin",
        "/bin/sh",
        "/certificates.pem",
        "/dev",
        "/etc",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/resolv.conf",
        "/lib",
        "/lib64",
        "/proc",
        "/request",
        "/tmp",
        "/usr",
        "/usr/lib",
        "/usr/lib64",
    ];
    for path in &seen {
        assert!(known.contains(path), "{path} is seen");
    }
    assert!(seen.contains(&"/request"));
    assert!(
        variables.contains(&"OWN='value'") && variables.contains(&"HOME='/tmp'"),
        "{variables:?}"
    );
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO")) {
        assert!(
            !variables.iter().any(|line| line.starts_with(&name)),
            "{name} is seen"
        );
    }
}

#[test]
fn nothing_but_the_request_can_be_written_to() {
    let request = tempfile::tempdir().unwrap();
    let script = "for f in /x /usr/lib/x /etc/hosts /certificates.pem /bin/x /dev/x /dev/shm/x; do (echo x > $f) 2>/dev/null && echo $f; done; echo x > /request/own";
    let Some(result) = run(script, request.path()) else {
        return;
    };
    let text = text(&result.unwrap());
    assert_eq!(text, "");
    assert_eq!(read_written(request.path(), "own").unwrap(), b"x\n");
}

#[test]
fn time_and_output_are_bounded() {
    let request = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let Some(result) = run("while :; do :; done", request.path()) else {
        return;
    };
    assert!(
        matches!(result, Err(ResolveError::TooLong { seconds: 3 })),
        "{result:?}"
    );
    let flood =
        "l=xxxxxxxxxxxxxxxx; for i in 1 2 3 4 5 6 7 8; do l=$l$l; done; while :; do echo $l; done";
    let result = run(flood, request.path());
    assert!(
        matches!(
            result,
            Some(Err(
                ResolveError::Output { .. } | ResolveError::TooLong { .. }
            ))
        ),
        "{result:?}"
    );
    assert!(start.elapsed() < Duration::from_secs(25));
    let Some(result) = run(
        "i=0; while [ $i -lt 1000 ]; do echo line $i >&2; i=$((i+1)); done; exit 7",
        request.path(),
    ) else {
        return;
    };
    let ended = result.unwrap();
    assert_eq!(
        (ended.status.code(), ended.lines.len()),
        (Some(7), MAX_LINES)
    );
    assert!(ended.words().starts_with("line 0\nline 1\n"));
}

#[test]
fn what_it_wrote_is_read_through_no_link_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path().join("fifo"))
        .status();
    assert!(made.unwrap().success());
    let large = std::fs::File::create(folder.path().join("large")).unwrap();
    large.set_len(MAX_OUTPUT_BYTES + 1).unwrap();
    for name in ["link", "folder", "fifo", "large", "missing"] {
        assert!(read_written(folder.path(), name).is_err(), "{name}");
    }
}
