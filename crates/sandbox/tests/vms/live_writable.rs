//! A root file system that can be written to: by whom, how far, and that nothing of it stays.

use crate::live::{Stay, request};
use protocol::job::{JobRequest, RequestedLimits};

const ALLOWED: &str = "[sandboxes]\nguest_root = true\nwritable = true\n";
const MIB: u64 = 24;

fn writable() -> JobRequest {
    let request = request();
    JobRequest {
        limits: RequestedLimits {
            writable_mib: Some(MIB),
            ..request.limits
        },
        ..request
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_installed_is_there_for_all_and_has_a_bound() {
    let Some(stay) = Stay::begin_with("live-writable", 43300, ALLOWED, writable()).await else {
        return;
    };
    for (text, out) in [
        // As `pip install` and `make install` write, without being root.
        (
            "mkdir -p /usr/local/lib/pkg && echo 'echo installed' > /usr/local/bin/tool && chmod +x /usr/local/bin/tool && tool",
            "installed\n",
        ),
        (
            "ln -s /usr/local/bin/tool /opt/link && /opt/link",
            "installed\n",
        ),
        ("touch /usr/bin/x /etc/x 2>/dev/null || echo no", "no\n"),
        (
            "test -w /work && test -w /tmp && echo yes; cat /etc/hostname | wc -l",
            "yes\n1\n",
        ),
        (
            "ls /sys | wc -l; ls -d /proc/1 /dev/null /dev/shm /dev/pts",
            "0\n/dev/null\n/dev/pts\n/dev/shm\n",
        ),
    ] {
        let (seen, err, report) = stay.run(text).await;
        assert_eq!(seen, out, "{text}: {err} {report:?}");
    }
    for (text, out) in [
        // As a package manager writes: over what is there, next to it, away with it, whole folders.
        (
            "echo a > /etc/new; echo b >> /etc/passwd; tail -1 /etc/passwd; mv /etc/new /etc/newer; cat /etc/newer",
            "b\na\n",
        ),
        (
            "cp /bin/true /bin/true.dpkg-new && mv /bin/true.dpkg-new /bin/true && true && echo replaced",
            "replaced\n",
        ),
        (
            "rm /usr/bin/tac; ls /usr/bin/tac 2>/dev/null || echo gone",
            "gone\n",
        ),
        (
            "mv /usr/share/zoneinfo /usr/share/zones && ls -d /usr/share/zones /usr/share/zoneinfo 2>/dev/null",
            "/usr/share/zones\n",
        ),
        (
            "mkdir -p /var/lib/dpkg/info && cd / && tar c etc/passwd | tar x -C /var/lib/dpkg && stat -c %U /var/lib/dpkg/etc/passwd",
            "root\n",
        ),
        (
            "mknod /n b 254 0 2>/dev/null || echo no; mount -t tmpfs none /mnt 2>/dev/null || echo no",
            "no\nno\n",
        ),
        // The cap is the whole root's, and what is full is told as full.
        (
            "head -c 100000000 /dev/zero > /usr/big 2>/dev/null; echo $?; du -m /usr/big | cut -f1 | tr -d '\\n' | (read n; [ $n -le 24 ] && [ $n -ge 16 ] && echo bounded)",
            "1\nbounded\n",
        ),
        (
            "rm /usr/big && echo again > /usr/small && cat /usr/small",
            "again\n",
        ),
        (
            "for i in $(seq 200000); do : > /opt/f$i || break; done 2>/dev/null; n=$(ls /opt | wc -l); [ $n -lt 10000 ] && echo bounded",
            "bounded\n",
        ),
    ] {
        let (seen, err, report) = stay.run_as_root(text).await;
        assert_eq!(seen, out, "{text}: {err} {report:?}");
    }
    // What root wrote is seen by all, also by file operations; the work folder is the old one.
    let (seen, ..) = stay
        .run("tail -1 /etc/passwd; ls /usr/bin/tac 2>/dev/null; echo $?")
        .await;
    assert_eq!(seen, "b\n2\n");
    let mut file = stay.live.read_file("/usr/small").await.unwrap();
    assert_eq!(file.next().await.unwrap().unwrap(), b"again\n");
    stay.end().await;

    // Another one has the image as it was.
    let stay = Stay::begin_with("live-writable", 43350, ALLOWED, request())
        .await
        .unwrap();
    let (seen, ..) = stay
        .run_as_root(
            "ls /usr/local/bin; ls -d /usr/bin/tac; touch /usr/local/x 2>/dev/null || echo no",
        )
        .await;
    assert_eq!(seen, "/usr/bin/tac\nno\n");
    stay.end().await;
}
