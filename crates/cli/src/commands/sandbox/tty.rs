//! `sandbox exec -t`: the user's terminal over a WebSocket. What the program draws reaches it as it is: that is what a
//! terminal is for.

use super::address;
use super::exec::{Ended, Process, Size, Wanted};
use super::exit::Exit;
use super::service::{Service, ServiceError, off_thread};
use super::told::Started;
use crate::raw_terminal::RawTerminal;
use crate::signals;
use anyhow::Context as _;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use std::convert::Infallible;
use std::io::Write as _;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// From an address to a WebSocket.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// Bytes of input read at once; the service takes 64 KiB.
const READ_BYTES: usize = 16 * 1024;

type Socket = WebSocketStream<TcpStream>;

/// The last text that comes.
#[derive(Deserialize)]
struct Last {
    exit: Exit,
}

/// Runs the process and stays until it ends.
pub async fn run(
    service: &Service,
    sandbox: &str,
    wanted: Wanted,
    raw: RawTerminal,
) -> anyhow::Result<Ended> {
    let (asked, wanted) = (service.clone(), wanted.in_background());
    let path = format!("{}/processes", address::sandbox(sandbox));
    let started: Started = off_thread(move || asked.post(&path, &wanted)).await?;
    started.tell_walls();
    let process = Process {
        service: service.clone(),
        path: address::process(sandbox, started.id),
    };
    let ended = talk(&process, &raw).await;
    // As it was, before anything is said.
    drop(raw);
    process.forget().await;
    ended
}

async fn talk(process: &Process, raw: &RawTerminal) -> anyhow::Result<Ended> {
    let socket = timeout(CONNECT_DEADLINE, connect(process)).await;
    let socket = socket.map_err(|_| ServiceError::Cut("no WebSocket in time".to_owned()))??;
    let (mut to, mut from) = socket.split();
    let exit = tokio::select! {
        exit = show(&mut from) => exit?,
        never = pass_on(&mut to, raw) => match never? {},
        number = signals::stop_asked() => return Ok(Ended::Stopped(number)),
    };
    Ok(Ended::ByItself(exit))
}

async fn connect(process: &Process) -> Result<Socket, ServiceError> {
    let service = &process.service;
    let base = &service.base;
    let stream = TcpStream::connect((base.host.as_str(), base.port)).await;
    let stream = stream.map_err(|error| service.absent(error))?;
    // A key is one packet.
    let _ = stream.set_nodelay(true);
    let url = format!(
        "{}{}/terminal",
        base.text.replacen("http", "ws", 1),
        process.path
    );
    let uri = url.parse().map_err(|_| ServiceError::Address(url))?;
    let mut request = ClientRequestBuilder::new(uri);
    if let Some(Ok(key)) = service.authorization().map(|key| key.to_str()) {
        request = request.with_header("Authorization", key);
    }
    match client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => {
            let body = answer.body().as_deref().unwrap_or_default();
            Err(service.no(answer.status(), body))
        }
        Err(error) => Err(ServiceError::Cut(error.to_string())),
    }
}

/// Writes what comes, until the process ended.
async fn show(from: &mut SplitStream<Socket>) -> anyhow::Result<Exit> {
    let mut exit = None;
    let mut why = "how the process ended is not known".to_owned();
    while let Some(message) = from.next().await {
        match message {
            Ok(Message::Binary(bytes)) => tokio::task::block_in_place(|| {
                let mut out = std::io::stdout().lock();
                out.write_all(&bytes).and_then(|()| out.flush())
            })?,
            Ok(Message::Text(text)) => {
                exit = serde_json::from_str(&text).ok().map(|Last { exit }| exit);
                if exit.is_some() {
                    break;
                }
            }
            Ok(Message::Close(Some(frame))) => why = frame.reason.to_string(),
            Ok(_) => {}
            Err(error) => {
                why = error.to_string();
                break;
            }
        }
    }
    exit.ok_or_else(|| ServiceError::Cut(why).into())
}

/// Passes on what is typed, and the terminal's size when it has another; never comes back but with an error.
async fn pass_on(
    to: &mut SplitSink<Socket, Message>,
    raw: &RawTerminal,
) -> anyhow::Result<Infallible> {
    let mut sizes = signal(SignalKind::window_change()).context("SIGWINCH")?;
    let mut input = tokio::io::stdin();
    let mut bytes = vec![0; READ_BYTES];
    let mut typing = true;
    loop {
        let message = tokio::select! {
            count = input.read(&mut bytes), if typing => match count.context("reading the input")? {
                0 => {
                    typing = false;
                    continue;
                }
                count => Message::binary(bytes[..count].to_vec()),
            },
            _ = sizes.recv() => Message::text(serde_json::to_string(&Size::from(raw.size()))?),
        };
        if to.send(message).await.is_err() {
            // Why it ended is what comes last.
            return std::future::pending().await;
        }
    }
}
