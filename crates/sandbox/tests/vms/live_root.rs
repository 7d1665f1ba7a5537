//! Processes that are root of their guest: what they may do, what they may not all the same, and that it is said.

use crate::live::{Stay, request, spec};
use protocol::error_code::ErrorCode;
use protocol::result::GuestWall;
use protocol::supervisor::ProcessUser;
use sandbox::live::{LiveError, ProcessSpec};

const ALLOWED: &str = "[sandboxes]\nguest_root = true\n";

#[tokio::test(flavor = "multi_thread")]
async fn root_of_a_guest_may_what_installing_takes_and_no_more() {
    let Some(stay) = Stay::begin_with("live-root", 43200, ALLOWED, request()).await else {
        return;
    };
    assert_eq!(stay.live.isolation().guest, GuestWall::Confined);
    let (own, ..) = stay.run("umask 077; echo secret > file; id -u").await;
    assert_eq!(own, "10000\n");
    let sleeper = stay.live.start(spec(&["sleep", "1000"])).await.unwrap();
    let victim = stay.live.process(sleeper).unwrap().pid;
    for (text, out) in [
        ("id -u; id -g; id -G", "0\n0\n0\n".to_owned()),
        (
            "grep -E 'Cap(Eff|Bnd|Amb|Inh)' /proc/self/status | cut -f2 | tr '\\n' ' '",
            "0000000000000000 00000000000000fb 00000000000000fb 0000000000000000 ".to_owned(),
        ),
        ("cat /work/file", "secret\n".to_owned()),
        (
            "chown 1234:5678 file; chmod 4755 file; stat -c '%u:%g %a' file",
            "1234:5678 4755\n".to_owned(),
        ),
        (
            "ps -o user= -p 1; ps -e -o comm= | grep -c sleep",
            "root\n1\n".to_owned(),
        ),
        (&format!("kill -9 {victim}"), String::new()),
        // What stays shut: devices, the kernel's settings, the image, the sandbox's init, what the agent alone reaches.
        ("mknod n c 1 3 2>/dev/null || echo no", "no\n".to_owned()),
        (
            "echo 0 2>/dev/null > /proc/sys/kernel/yama/ptrace_scope || echo no",
            "no\n".to_owned(),
        ),
        ("touch /usr/x 2>/dev/null || echo no", "no\n".to_owned()),
        ("kill -9 1; kill -0 1 && echo there", "there\n".to_owned()),
        (
            "readlink /proc/1/exe /proc/1/root /proc/1/fd/* || echo no; cat /proc/1/environ | wc -c",
            "no\n0\n".to_owned(),
        ),
        (
            "ls /sys | wc -l; ls /dev/vda /dev/ttyS0 /dev/mem 2>/dev/null | wc -l",
            "0\n0\n".to_owned(),
        ),
        (
            "echo -1000 2>/dev/null > /proc/self/oom_score_adj || echo no",
            "no\n".to_owned(),
        ),
        ("ulimit -n 100000 2>/dev/null || echo no", "no\n".to_owned()),
    ] {
        let (seen, err, report) = stay.run_as_root(text).await;
        assert_eq!(seen, out, "{text}: {err} {report:?}");
    }
    assert_eq!(stay.live.wait(sleeper).await.unwrap().signal, Some(9));
    let text = "for f in /etc/hosts /etc/hostname /proc/sys/kernel/random/boot_id; do echo x 2>/dev/null > $f || echo no; done";
    assert_eq!(stay.run_as_root(text).await.0, "no\nno\nno\n");
    // It is said, from then on of all of it.
    assert_eq!(stay.live.isolation().guest, GuestWall::Root);
    let users: Vec<ProcessUser> = stay.live.processes().iter().map(|it| it.user).collect();
    assert_eq!(
        users[..3],
        [
            ProcessUser::Sandbox,
            ProcessUser::Sandbox,
            ProcessUser::Root
        ]
    );
    // The sandbox's own user is who it was, and files are its own.
    let (own, ..) = stay
        .run("id -u; grep CapEff /proc/self/status | cut -f2")
        .await;
    assert_eq!(own, "10000\n0000000000000000\n");
    assert!(
        stay.live
            .read_file("/work/none")
            .await
            .unwrap()
            .next()
            .await
            .is_err()
    );
    stay.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_root_where_the_operator_does_not_say_so() {
    let Some(stay) = Stay::begin("live-no-root", 43250).await else {
        return;
    };
    let root = ProcessSpec {
        user: ProcessUser::Root,
        ..spec(&["id"])
    };
    let LiveError::Refused(rejection) = stay.live.start(root).await.unwrap_err() else {
        panic!("not refused");
    };
    assert_eq!(
        (rejection.code, rejection.field),
        (ErrorCode::GuestRootForbidden, "user")
    );
    assert_eq!(stay.live.isolation().guest, GuestWall::Confined);
    assert!(stay.live.processes().is_empty());
    stay.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn root_of_one_sandbox_sees_nothing_of_another() {
    let (Some(one), Some(other)) = tokio::join!(
        Stay::begin_with("live-root-one", 43500, ALLOWED, request()),
        Stay::begin_with("live-root-other", 43550, ALLOWED, request()),
    ) else {
        return;
    };
    let mark = "echo mark > /work/mark; echo mark > /tmp/mark; exec -a marked sleep 1000";
    one.live
        .start(ProcessSpec {
            user: ProcessUser::Root,
            ..spec(&["bash", "-c", mark])
        })
        .await
        .unwrap();
    let look = "ps -e -o args= | grep -c '[m]arked'; ls /work /tmp; cat /proc/net/unix | grep -c mark; \
                grep -l mark /proc/[0-9]*/cmdline 2>/dev/null | wc -l";
    assert_eq!(
        one.run_as_root("sleep 0.5; ps -e -o args= | grep -c '[m]arked'")
            .await
            .0,
        "1\n"
    );
    let (seen, ..) = other.run_as_root(look).await;
    assert!(!seen.contains("mark") && seen.starts_with("0\n"), "{seen}");
    // One that takes its own guest down leaves the other's as it was.
    one.run_as_root("rm -rf /work/* /tmp/*; kill -9 -1").await;
    assert_eq!(other.run("echo $((6 * 7))").await.0, "42\n");
    one.end().await;
    other.end().await;
}
