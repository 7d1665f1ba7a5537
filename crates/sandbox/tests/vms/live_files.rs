//! Files of a VM that stays: in, out, moved, refused, as the user that its programs are.

use crate::live::Stay;
use sandbox::live::{EntryKind, LiveError, LiveSandbox};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn files_come_and_go_as_the_user_of_the_sandbox() {
    let Some(stay) = Stay::begin("live-files", 43100).await else {
        return;
    };
    let live = &stay.live;
    let content: Vec<u8> = (0..5_000_000u32).map(|n| (n % 251) as u8).collect();
    put(live, "/work/a/b/file", &content).await.unwrap();
    assert_eq!(get(live, "/work/a/b/file").await.unwrap(), content);
    let entry = live.stat("/work/a/b/file").await.unwrap();
    assert_eq!(
        (entry.kind, entry.size),
        (EntryKind::File, content.len() as u64)
    );
    stay.run("chmod 700 a/b/file; ln -s a/b/file link; mkfifo fifo")
        .await;
    put(live, "/work/link", b"through").await.unwrap();
    let (out, ..) = stay
        .run("cat a/b/file; stat -c ' %a' a/b/file; test -L link && echo link")
        .await;
    assert_eq!(out, "through 700\nlink\n");
    live.rename("/work/a/b", "/work/c").await.unwrap();
    live.make_folder("/work/d/e/f").await.unwrap();
    let listing = live.list("/work", 2).await.unwrap();
    let paths: Vec<_> = listing
        .entries
        .iter()
        .map(|entry| entry.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "/work/a",
            "/work/c",
            "/work/c/file",
            "/work/d",
            "/work/d/e",
            "/work/fifo",
            "/work/link"
        ]
    );
    live.remove("/work/d").await.unwrap();

    // A write that is given up leaves what was there.
    let mut half = live.write_file("/work/c/file").await.unwrap();
    half.write(b"half").await.unwrap();
    drop(half);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(get(live, "/work/c/file").await.unwrap(), b"through");

    for (error, expected) in [
        (live.stat("/work/none").await.err(), libc::ENOENT),
        (get(live, "/work/none").await.err(), libc::ENOENT),
        (get(live, "/work/c").await.err(), libc::EISDIR),
        (get(live, "/etc/shadow").await.err(), libc::EACCES),
        (put(live, "/etc/passwd", b"x").await.err(), libc::EROFS),
        (get(live, "/proc/1/mem").await.err(), libc::ENOENT),
        (live.list("/work/c/file", 1).await.err(), libc::ENOTDIR),
        (live.remove("/usr/bin").await.err(), libc::EROFS),
        (live.make_folder("/root/x").await.err(), libc::EROFS),
    ] {
        match error {
            Some(LiveError::File { errno, .. }) => assert_eq!(errno, expected),
            other => panic!("{other:?}, not {expected}"),
        }
    }
    // More than there is room for.
    let error = put(live, "/work/large", &vec![0; 400 << 20])
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            LiveError::File {
                errno: libc::ENOSPC | libc::EFBIG | libc::ENOMEM,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(live.stat("/work/large").await.is_err());
    stay.end().await;
}

async fn put(live: &LiveSandbox, path: &str, content: &[u8]) -> Result<u64, LiveError> {
    let mut file = live.write_file(path).await?;
    for piece in content.chunks(100_000) {
        // What it failed for is told at the end.
        if file.write(piece).await.is_err() {
            break;
        }
    }
    file.finish().await
}

async fn get(live: &LiveSandbox, path: &str) -> Result<Vec<u8>, LiveError> {
    let mut file = live.read_file(path).await?;
    let mut content = Vec::new();
    while let Some(piece) = file.next().await? {
        content.extend(piece);
    }
    Ok(content)
}
