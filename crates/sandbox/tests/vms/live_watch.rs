//! Watches on folders: what programs do there is told, whatever there is of it, and no more than there is room for.

use crate::live::Stay;
use protocol::supervisor::{MAX_WATCHED_FOLDERS, MAX_WATCHES};
use sandbox::live::{LiveError, Overflow, Watch, WatchEvent};
use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);
/// A file that comes after all that is looked for.
const LAST: &str = "/work/last";

async fn begin(stay: &Stay, path: &str, depth: u32) -> (Watch, u32) {
    let mut watch = stay.live.watch(path, depth).await.unwrap();
    let first = timeout(PATIENCE, watch.next()).await.unwrap().unwrap();
    let Some(WatchEvent::Watching { folders }) = first else {
        panic!("{first:?}");
    };
    (watch, folders)
}

fn word(event: &WatchEvent) -> String {
    match event {
        WatchEvent::Watching { folders } => format!("watching {folders}"),
        WatchEvent::Created { path } => format!("+ {path}"),
        WatchEvent::Modified { path } => format!("~ {path}"),
        WatchEvent::Removed { path } => format!("- {path}"),
        WatchEvent::Moved { from, path } => format!("{from} > {path}"),
        WatchEvent::Overflow { of } => format!("overflow {of:?}"),
    }
}

/// What is told until the last file comes; each event once.
async fn told(watch: &mut Watch) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    loop {
        let event = timeout(PATIENCE, watch.next()).await.unwrap().unwrap();
        let word = event.as_ref().map(word).unwrap_or("end".into());
        if word == format!("+ {LAST}") || word == "end" {
            return told;
        }
        if !told.contains(&word) {
            told.push(word);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_in_a_folder_is_told_as_it_happens() {
    let Some(stay) = Stay::begin("live-watch", 43400).await else {
        return;
    };
    stay.run("mkdir -p deep/a/b out; touch there deep/a/there out/side")
        .await;
    for (depth, script, expected) in [
        (
            1,
            "echo x > new; echo y >> there; rm new",
            &["+ /work/new", "~ /work/new", "~ /work/there", "- /work/new"][..],
        ),
        (
            1,
            "mv there here; mv here there",
            &["/work/there > /work/here", "/work/here > /work/there"],
        ),
        (
            1,
            "mv there /tmp/; mv /tmp/there .",
            &["- /work/there", "+ /work/there"],
        ),
        (1, "echo x > deep/not-told; mkdir deep/nor-this", &[]),
        (
            2,
            "echo x > deep/told; rm -r deep/nor-this",
            &[
                "+ /work/deep/told",
                "~ /work/deep/told",
                "- /work/deep/nor-this",
            ],
        ),
        (
            9,
            "mkdir -p n/e/w; sleep 0.3; touch n/e/w/f",
            &[
                "+ /work/n",
                "+ /work/n/e",
                "+ /work/n/e/w",
                "+ /work/n/e/w/f",
            ],
        ),
        (
            9,
            "mv n m; sleep 0.1; touch m/e/w/g",
            &["/work/n > /work/m", "+ /work/m/e/w/g"],
        ),
        (
            9,
            "mv m deep/a/; sleep 0.3; touch deep/a/m/e/h",
            &[
                "/work/m > /work/deep/a/m",
                "+ /work/deep/a/m/e",
                "+ /work/deep/a/m/e/h",
            ],
        ),
        (9, "rm -r deep/a/m/e/w", &["- /work/deep/a/m/e/w"]),
        (
            9,
            "ln -s /tmp link; touch /tmp/not-told; rm link",
            &["+ /work/link", "- /work/link"],
        ),
    ] {
        let (mut watch, _) = begin(&stay, "/work", depth).await;
        stay.run(&format!("{script}; touch {LAST}")).await;
        let told = told(&mut watch).await;
        let mut rest = told.iter();
        // In this order; a folder that is gone through may be told between.
        for wanted in expected {
            assert!(
                rest.any(|seen| seen == wanted),
                "{script}: no {wanted} in {told:?}"
            );
        }
        assert!(
            !told.iter().any(|word| word.contains("not-told")),
            "{script}: {told:?}"
        );
        drop(watch);
        stay.run(&format!("rm {LAST}")).await;
    }
    // A file that is put has one name only, and is told as new or as moved over the old one.
    let (mut watch, _) = begin(&stay, "/work", 1).await;
    let mut file = stay.live.write_file("/work/put").await.unwrap();
    file.write(b"x").await.unwrap();
    file.finish().await.unwrap();
    stay.run(&format!("touch {LAST}")).await;
    assert_eq!(told(&mut watch).await, ["+ /work/put"]);
    stay.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_its_folder_its_client_or_the_sandbox_and_is_bounded() {
    let Some(stay) = Stay::begin("live-watches", 43450).await else {
        return;
    };
    for (path, errno) in [
        ("/work/none", libc::ENOENT),
        ("/etc/passwd", libc::ENOTDIR),
        ("/root", libc::EACCES),
    ] {
        let mut watch = stay.live.watch(path, 1).await.unwrap();
        match watch.next().await {
            Err(LiveError::File { errno: seen, .. }) if seen == errno => {}
            other if path == "/root" => println!("/root: {other:?}"),
            other => panic!("{path}: {other:?}"),
        }
    }
    stay.run("mkdir gone").await;
    let (mut watch, _) = begin(&stay, "/work/gone", 3).await;
    stay.run("touch gone/x; rm -r gone").await;
    assert_eq!(
        told(&mut watch).await,
        ["+ /work/gone/x", "- /work/gone/x", "- /work/gone"]
    );
    // As many as there may be, and again as many once those are gone; each is a process of the sandbox.
    for _ in 0..2 {
        let mut all = Vec::new();
        for _ in 0..MAX_WATCHES {
            all.push(begin(&stay, "/work", 1).await);
        }
        let many = stay.live.watch("/work", 1).await.unwrap_err();
        assert_eq!(
            many,
            LiveError::TooMany {
                what: "watches",
                max: MAX_WATCHES
            }
        );
        // Other operations have places of their own.
        stay.live.stat("/work").await.unwrap();
        drop(all);
        timeout(PATIENCE, async {
            while stay.live.watch("/work", 1).await.is_err() {}
        })
        .await
        .unwrap();
    }
    // More folders than are watched: said, and the others are watched.
    let many = MAX_WATCHED_FOLDERS + 200;
    stay.run(&format!("mkdir many; cd many; mkdir $(seq {many})"))
        .await;
    let (mut watch, folders) = begin(&stay, "/work/many", 2).await;
    assert_eq!(folders as usize, MAX_WATCHED_FOLDERS);
    let next = timeout(PATIENCE, watch.next()).await.unwrap().unwrap();
    assert_eq!(
        next,
        Some(WatchEvent::Overflow {
            of: Overflow::Folders
        })
    );
    drop(watch);
    // Nobody takes: the kernel's queue is full, and that is told in the place of what is lost.
    let (mut watch, _) = begin(&stay, "/work", 1).await;
    let busy = "for ((i = 0; i < 25000; i++)); do : > $i; done";
    let (.., report) = stay.run(&format!("rm -rf many; {busy}")).await;
    assert_eq!(report.exit_code, Some(0), "{report:?}");
    let mut events = 0;
    let lost = timeout(PATIENCE, async {
        loop {
            events += 1;
            if let Some(WatchEvent::Overflow { of }) = watch.next().await.unwrap() {
                return of;
            }
        }
    });
    assert_eq!(lost.await.unwrap(), Overflow::Events);
    println!("{events} events before the overflow");
    // It goes with the sandbox; who waits hears it.
    let waiting = tokio::spawn(async move { while let Ok(Some(_)) = watch.next().await {} });
    stay.live.close().await;
    timeout(PATIENCE, waiting).await.unwrap().unwrap();
    let gone = stay.live.watch("/work", 1).await.unwrap_err();
    assert!(matches!(gone, LiveError::Gone(_)), "{gone:?}");
    stay.end().await;
}
