//! A key, from a terminal's WebSocket to its echo: typed to a shell, which shows it by its own line editor.

use super::judged::{Bound, Judged};
use super::room::{Ask, Room};
use crate::BenchError;
use crate::http::client::Lost;
use crate::http::daemon::Daemon;
use crate::stats::summary;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// From the specification of sandboxes: of 95 in 100.
const BOUND: Bound = Bound::at_most(10.0, "ms");
/// Between an echo and the next key: faster than anybody types, and long enough for everything to go to sleep.
const PAUSE: Duration = Duration::from_millis(20);
/// A shell that says nothing for so long has shown its prompt.
const QUIET: Duration = Duration::from_millis(300);
/// A key that is not shown by then never is.
const PATIENCE: Duration = Duration::from_secs(10);
/// Keys to a line: what goes over a terminal's edge is shown in another way.
const LINE: usize = 60;
/// Takes the line away (Ctrl-U).
const KILL_LINE: u8 = 0x15;

type Socket = WebSocketStream<TcpStream>;

/// Types that many.
pub async fn measure(daemon: &Daemon, count: usize) -> Result<Vec<Judged>, BenchError> {
    let times = Room::with(daemon, "a key", async |room| type_keys(room, count).await).await?;
    let Some(times) = summary(&times) else {
        return Ok(vec![]);
    };
    let detail = format!(
        "p50 {:.1} ms, slowest {:.1} ms; {count} keys",
        1e3 * times.p50_seconds,
        1e3 * times.max_seconds
    );
    let what = "a key to its echo, p95";
    Ok(vec![BOUND.judge(what, 1e3 * times.p95_seconds, detail)])
}

async fn type_keys(room: &mut Room, count: usize) -> Result<Vec<Duration>, Lost> {
    let size = json!({ "rows": 24, "columns": 80 });
    let argv = ["bash", "--norc", "--noprofile"];
    let shell = room.start(&json!({ "argv": argv, "pty": size })).await?;
    let path = format!("/processes/{shell}");
    let mut socket = connect(room, &format!("{path}/terminal")).await?;
    quiet(&mut socket).await?;
    let mut times = Vec::new();
    for number in 0..count {
        if number % LINE == 0 {
            socket.send(Message::binary(vec![KILL_LINE])).await?;
            quiet(&mut socket).await?;
        }
        let key = b'a' + (number % 26) as u8;
        sleep(PAUSE).await;
        let begun = Instant::now();
        socket.send(Message::binary(vec![key])).await?;
        let echo = timeout(PATIENCE, echo(&mut socket, key)).await;
        echo.map_err(|_| format!("the key {:?} is not shown", char::from(key)))??;
        times.push(begun.elapsed());
    }
    socket.close(None).await?;
    room.ask(Ask::delete(path)).await?;
    Ok(times)
}

async fn connect(room: &Room, path: &str) -> Result<Socket, Lost> {
    let stream = TcpStream::connect(room.address).await?;
    // A key is one packet.
    stream.set_nodelay(true)?;
    let (socket, _) = client_async(room.url("ws", path), stream).await?;
    Ok(socket)
}

/// Until it says nothing more for a while.
async fn quiet(socket: &mut Socket) -> Result<(), Lost> {
    while let Ok(message) = timeout(QUIET, socket.next()).await {
        message.ok_or("the terminal was closed")??;
    }
    Ok(())
}

async fn echo(socket: &mut Socket, key: u8) -> Result<(), Lost> {
    while let Some(message) = socket.next().await {
        match message? {
            Message::Binary(shown) if shown.contains(&key) => return Ok(()),
            Message::Close(why) => return Err(format!("the terminal was closed: {why:?}").into()),
            _ => {}
        }
    }
    Err("the terminal was closed".into())
}
