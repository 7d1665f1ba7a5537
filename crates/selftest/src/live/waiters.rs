//! The client of an agent that was taken over: it asks for a bit of everything, and waits. In this order, so that the
//! agent's script can name all of it:
//!
//! | asked for | names |
//! |---|---|
//! | a process | process 1, its standard input stream 1 |
//! | its output, taken | stream 2 |
//! | its output, never taken | stream 3 |
//! | an entry, a folder | requests 1 and 2 |
//! | a file's content, taken | request 3, stream 4 |
//! | a file's content, given | request 4, stream 5 |
//! | what changes in a folder, taken | request 5, stream 6 |

use super::{GOING, Seen, spec};
use crate::request::TALK_LANGUAGE;
use protocol::language::named;
use sandbox::live::{LiveError, LiveSandbox, ProcessSpec, Stdin};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long the agent may take to answer what it means to answer.
const BEGINNING: Duration = Duration::from_secs(20);
/// How long it takes, at most, until what is asked for has its number.
const ASKED: Duration = Duration::from_millis(50);
/// A path that the agent is asked about.
const PATH: &str = "/work/file";

/// Asks for all of it and waits so many seconds for the sandbox's end; one that stays is closed.
pub async fn attack(sandbox: &LiveSandbox, seconds: f64) -> Seen {
    let mut seen = Seen::default();
    let mut waiting = JoinSet::new();
    match timeout(BEGINNING, ask(sandbox, &mut waiting)).await {
        Ok(Ok(())) => {}
        // It may have ended before all was asked for.
        Ok(Err(error)) => seen.note(format!("not asked for: {error}")),
        Err(_) => seen.breach("the agent never began"),
    }
    let _ = timeout(Duration::from_secs_f64(seconds), sandbox.ended()).await;
    if sandbox.is_alive() {
        seen.note("the client closes it");
        sandbox.close().await;
    } else {
        let why = why(sandbox).await;
        seen.note(&why);
        seen.gone = Some(why);
        if timeout(GOING, sandbox.ended()).await.is_err() {
            seen.breach("the VM stays");
        }
    }
    let heard = timeout(GOING, async {
        while waiting.join_next().await.is_some() {}
    });
    if heard.await.is_err() {
        seen.breach("somebody still waits");
    }
    seen
}

async fn ask(sandbox: &LiveSandbox, waiting: &mut JoinSet<()>) -> Result<(), LiveError> {
    let process = sandbox.start(ProcessSpec {
        stdin: Stdin::Open,
        ..spec(named(TALK_LANGUAGE), &["talk"])
    });
    let process = process.await?;
    let mut taken = sandbox.follow(process, 0).await?;
    let unread = sandbox.follow(process, 0).await?;
    let own = sandbox.clone();
    waiting.spawn(async move {
        own.ended().await;
        drop(unread);
    });
    waiting.spawn(async move { while let Ok(Some(_)) = taken.next().await {} });
    let own = sandbox.clone();
    waiting.spawn(async move { drop(own.wait(process).await) });
    // One after the other, or their numbers would be anyone's.
    let own = sandbox.clone();
    waiting.spawn(async move { drop(own.stat(PATH).await) });
    sleep(ASKED).await;
    let own = sandbox.clone();
    waiting.spawn(async move { drop(own.list(PATH, 1).await) });
    sleep(ASKED).await;
    let mut reader = sandbox.read_file(PATH).await?;
    waiting.spawn(async move { while let Ok(Some(_)) = reader.next().await {} });
    let mut writer = sandbox.write_file(PATH).await?;
    let own = sandbox.clone();
    let watch = own.watch(PATH, 1).await?;
    waiting.spawn(async move {
        let mut watch = watch;
        while let Ok(Some(_)) = watch.next().await {}
    });
    waiting.spawn(async move { while writer.write(&[b'x'; 1000]).await.is_ok() {} });
    let own = sandbox.clone();
    waiting.spawn(async move { while own.write(process, &[b'x'; 1000]).await.is_ok() {} });
    Ok(())
}

/// The reason that everybody hears.
async fn why(sandbox: &LiveSandbox) -> String {
    match timeout(GOING, sandbox.stat(PATH)).await {
        Ok(Err(error)) => error.to_string(),
        Ok(Ok(_)) => "it still answers".into(),
        Err(_) => "nobody says why".into(),
    }
}
