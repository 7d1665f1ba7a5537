//! A process' terminal over a WebSocket.
//!
//! | frame | to the terminal | from it |
//! |---|---|---|
//! | binary | bytes typed | bytes shown |
//! | text | `{"rows": 24, "columns": 80}`: its size | `{"replayed": …}`: what was kept is shown, what comes is new |
//! | text | `{"flow": "pause"}`, `{"flow": "resume"}`: whether more is taken | `{"expiring": …}`: the sandbox ends by itself soon |
//! | text | | `{"exit": …}`: how the process ended; then the socket closes |
//!
//! What is shown again asks again (where the cursor is, what terminal this is), and programs that asked are gone: a
//! client answers nothing before `replayed`.
//!
//! A browser's WebSocket takes whatever comes, so a page that draws slowly says when it has enough: the process then
//! waits, as for every slow reader, and no longer.
//!
//! Closing it ends nothing, unless the process was to end with who follows it.

use super::cutter::end_of;
use super::exit::ExitBody;
use super::expiry::Notices;
use super::extract::InProcess;
use super::follower::Follower;
use super::frames::{Closing, Flow, ReplayedBody, Said, Word};
use super::processes::FromQuery;
use super::websocket::{Socket, Wish};
use crate::app::App;
use crate::problem::{HttpCode, Problem};
use crate::sse::KEEP_ALIVE;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::supervisor::ProcessId;
use sandbox::live::{LiveError, LiveSandbox, Output, OutputPiece};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};

/// How long a client may take over the last words.
const GOODBYE: Duration = Duration::from_secs(2);

/// A terminal for people: a WebSocket whose binary frames are the terminal's bytes, both ways. A text frame
/// `{"rows": 24, "columns": 80}` gives it another size; `{"flow": "pause"}` has it send nothing, for at most
/// `header_seconds`, until `{"flow": "resume"}`. Closing it ends nothing, unless the process' `on_disconnect` is `kill`.
/// A text frame `{"replayed": …}` says that what was kept is shown and what comes is new, `{"expiring": …}` that the sandbox ends by itself soon. When the process ends, a text frame
/// `{"exit": …}` says how, and the socket closes.
///
/// A browser names the protocols `llm-firecracker.terminal` and `llm-firecracker.key.KEY`, for it cannot send a key
/// with a WebSocket in another way.
#[utoipa::path(
    get, path = "/api/v1/sandboxes/{id}/processes/{process}/terminal", tag = "sandboxes",
    params(
        ("id" = String, Path, description = "The sandbox"), ("process" = u32, Path, description = "The process"),
        FromQuery,
    ),
    responses((status = 101, description = "It goes on as a WebSocket")),
)]
pub async fn open(
    process: InProcess,
    query: Result<Query<FromQuery>, QueryRejection>,
    mut request: Request,
) -> Result<Response, Problem> {
    let from = FromQuery::taken(query, request.headers())?;
    if !process.info()?.terminal {
        return Err(Problem::new(HttpCode::NoTerminal));
    }
    let wish = Wish::of(&mut request)?;
    let InProcess { used, id } = process;
    // Nobody has written that much: it begins where the output ends now.
    let end = used.live.follow(id, u64::MAX).await;
    let kept_to = end.map_err(|error| used.problem(error))?.from();
    let output = used.live.follow(id, from).await;
    let output = output.map_err(|error| used.problem(error))?;
    let terminal = Terminal {
        app: used.app.clone(),
        live: used.live.clone(),
        process: id,
        flow: watch::Sender::new(Flow::Resume),
        _follower: Follower::of(&used.app, &used.slot, &used.live, id),
    };
    let show = Show {
        shown_to: output.from(),
        output,
        kept_to: Some(kept_to),
        notices: used.slot.notices(),
    };
    Ok(wish.grant(move |socket| async move {
        terminal.talk(socket, show).await;
        drop(used);
    }))
}

/// What is shown, and how far it is.
struct Show {
    output: Output,
    /// The offset of the next byte.
    shown_to: u64,
    /// The offset where what was kept ends, until that is said.
    kept_to: Option<u64>,
    notices: Notices,
}

impl Show {
    /// What is to be said once what was kept is shown.
    fn replayed(&mut self) -> Option<Word> {
        let shown_to = self.shown_to;
        let next_offset = self.kept_to.take_if(|kept_to| *kept_to <= shown_to)?;
        Some(Word::Replayed(ReplayedBody { next_offset }))
    }

    fn piece(&mut self, piece: OutputPiece) -> Message {
        self.shown_to = end_of(&piece);
        Message::Binary(piece.data.into())
    }
}

struct Terminal {
    app: Arc<App>,
    live: LiveSandbox,
    process: ProcessId,
    /// As the client said last.
    flow: watch::Sender<Flow>,
    _follower: Follower,
}

impl Terminal {
    /// Talks until either side ends it.
    async fn talk(self, socket: Socket, show: Show) {
        let (mut to, mut from) = socket.split();
        // Both at once: who types waits for the process, what it shows does not.
        let closing = tokio::select! {
            closing = self.typed(&mut from) => closing,
            closing = self.shown(show, &mut to) => closing,
            () = self.app.draining.cancelled() => Closing::Stopping,
        };
        let goodbye = async {
            if let Some(frame) = closing.frame() {
                let _ = to.send(Message::Close(Some(frame))).await;
            }
            let _ = to.close().await;
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }

    /// What comes in.
    async fn typed(&self, from: &mut SplitStream<Socket>) -> Closing {
        while let Some(message) = from.next().await {
            let message = match message {
                Ok(message) => message,
                Err(Error::Capacity(_)) => return Closing::TooLarge,
                Err(_) => return Closing::Client,
            };
            let done = match message {
                Message::Binary(bytes) => self.live.write(self.process, &bytes).await,
                Message::Text(text) => match Said::parse(&text) {
                    Some(Said::Size(size)) => self.live.resize(self.process, size).await,
                    Some(Said::Flow(flow)) => {
                        self.flow
                            .send_if_modified(|own| std::mem::replace(own, flow) != flow);
                        Ok(())
                    }
                    None => return Closing::Nonsense,
                },
                Message::Close(_) => return Closing::Client,
                // Pings are answered below this.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
            };
            if let Err(LiveError::Gone(_)) = done {
                return Closing::Gone;
            }
            // To a process that has ended nothing can be typed; its last words are still on their way out.
        }
        Closing::Client
    }

    /// What goes out.
    async fn shown(&self, mut show: Show, to: &mut SplitSink<Socket, Message>) -> Closing {
        let mut flow = self.flow.subscribe();
        loop {
            if let Some(word) = show.replayed()
                && to.send(word.message()).await.is_err()
            {
                return Closing::Client;
            }
            let now = *flow.borrow_and_update();
            let message = tokio::select! {
                piece = show.output.next(), if now == Flow::Resume => match piece {
                    Ok(Some(piece)) => show.piece(piece),
                    Ok(None) => return self.exit(to).await,
                    Err(_) => return Closing::Gone,
                },
                body = show.notices.next() => Word::Expiring(body).message(),
                _ = flow.changed() => continue,
                () = self.held(), if now == Flow::Pause => return Closing::Held,
                () = sleep(KEEP_ALIVE), if now == Flow::Resume => Message::Ping(Vec::new().into()),
            };
            if to.send(message).await.is_err() {
                return Closing::Client;
            }
        }
    }

    /// A pause that lasts as long as a client may take nothing.
    async fn held(&self) {
        sleep(self.app.config().http.header_timeout()).await;
    }

    async fn exit(&self, to: &mut SplitSink<Socket, Message>) -> Closing {
        let Ok(report) = self.live.wait(self.process).await else {
            return Closing::Gone;
        };
        let exit = Box::new(ExitBody::of(&self.live, report));
        let sent: Result<(), Error> = to.send(Word::Exit(exit).message()).await;
        match sent {
            Ok(()) => Closing::Exit,
            Err(_) => Closing::Client,
        }
    }
}
