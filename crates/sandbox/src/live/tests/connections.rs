//! Connections to ports: an honest guest, hostile ones, and who goes away.

use super::guest::{Guest, open};
use crate::live::*;
use protocol::link::{Event, Frame, StreamId};
use protocol::supervisor::{GuestControl, HostControl, INPUT_WINDOW_BYTES, MAX_CONNECTIONS};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

impl Guest {
    /// A connection that is asked for: to which port, the stream to the guest, the one to the host.
    async fn connect_asked(&mut self) -> (u16, StreamId, StreamId) {
        match self.asked().await {
            HostControl::Connect {
                port,
                to_guest,
                to_host,
            } => {
                self.link
                    .open_incoming_granted(to_guest, INPUT_WINDOW_BYTES);
                self.link.open_outgoing(to_host);
                (port, to_guest, to_host)
            }
            other => panic!("{other:?}"),
        }
    }

    /// The same, taken.
    async fn connects(&mut self) -> (StreamId, StreamId) {
        let (_, to_guest, to_host) = self.connect_asked().await;
        self.say(GuestControl::Connected { to_host }).await;
        (to_guest, to_host)
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_go_both_ways_to_their_ends() {
    let (sandbox, mut guest, _seen) = open().await;
    let (connection, (to_guest, to_host)) = tokio::join!(sandbox.connect(8000), guest.connects());
    let mut connection = connection.unwrap();
    let sent = vec![7; 3 * INPUT_WINDOW_BYTES as usize];
    let talk = async {
        connection.write_all(&sent).await.unwrap();
        connection.shutdown().await.unwrap();
        let mut came = Vec::new();
        connection.read_to_end(&mut came).await.unwrap();
        assert!(connection.write_all(b"more").await.is_err());
        came
    };
    let answer = async {
        let mut got = Vec::new();
        loop {
            match guest.event().await.unwrap() {
                Event::Data(stream, data) if stream == to_guest => {
                    guest.link.used(stream, data.len());
                    got.extend(data);
                }
                Event::End(stream) if stream == to_guest => break,
                Event::Room(_) => {}
                other => panic!("{other:?}"),
            }
        }
        for _ in 0..100 {
            guest.send(to_host, &[9; 4096]).await;
        }
        guest.end(to_host).await;
        got
    };
    let (came, got) = tokio::join!(talk, answer);
    assert!(got == sent && came == vec![9; 100 * 4096]);
}

#[tokio::test(start_paused = true)]
async fn what_nothing_listens_on_is_told_and_the_next_is_served() {
    let (sandbox, mut guest, _seen) = open().await;
    for errno in [111, 11, -1] {
        let (refused, ()) = tokio::join!(sandbox.connect(1), async {
            let (_, to_guest, to_host) = guest.connect_asked().await;
            guest.link.refuse(to_guest);
            guest.link.end(to_host);
            guest
                .say(GuestControl::NotConnected { to_host, errno })
                .await;
        });
        assert_eq!(refused.unwrap_err(), LiveError::NotConnected { errno });
    }
    let (connection, _) = tokio::join!(sandbox.connect(2), guest.connects());
    assert!(connection.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_is_told_to_the_guest_whenever_that_is() {
    let (sandbox, mut guest, _seen) = open().await;
    // Before the guest answers, whose answer then means nothing.
    let late = tokio::time::timeout(Duration::from_secs(5), sandbox.connect(1));
    let (late, (_, _, to_host)) = tokio::join!(late, guest.connect_asked());
    assert!(late.is_err());
    assert_eq!(guest.refused().await, to_host);
    guest.say(GuestControl::Connected { to_host }).await;
    guest.end(to_host).await;
    // After it.
    let (connection, (_, to_host)) = tokio::join!(sandbox.connect(2), guest.connects());
    drop(connection.unwrap());
    assert_eq!(guest.refused().await, to_host);
    assert!(sandbox.is_alive());
}

impl Guest {
    /// The stream that is wanted no more.
    async fn refused(&mut self) -> StreamId {
        loop {
            if let Event::Refused(stream) = self.event().await.unwrap() {
                return stream;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_are_open_than_there_may_be() {
    let (sandbox, mut guest, _seen) = open().await;
    let mut open = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        let (connection, _) = tokio::join!(sandbox.connect(1), guest.connects());
        open.push(connection.unwrap());
    }
    let refused = sandbox.connect(1).await.unwrap_err();
    assert!(matches!(refused, LiveError::TooMany { max, .. } if max == MAX_CONNECTIONS));
    open.pop();
    guest.refused().await;
    let (again, _) = tokio::join!(sandbox.connect(1), guest.connects());
    assert!(again.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_more_may_still_answer() {
    let (sandbox, mut guest, _seen) = open().await;
    let (connection, (to_guest, to_host)) = tokio::join!(sandbox.connect(8000), guest.connects());
    let mut connection = connection.unwrap();
    let talk = async {
        let bytes = vec![7; 4 * INPUT_WINDOW_BYTES as usize];
        connection.write_all(&bytes).await.unwrap();
        let mut came = Vec::new();
        connection.read_to_end(&mut came).await.unwrap();
        came
    };
    let answer = async {
        guest.link.refuse(to_guest);
        guest.send(to_host, b"413").await;
        guest.end(to_host).await;
        while guest.event().await.is_some() {}
    };
    let came = tokio::select! {
        came = talk => came,
        () = answer => panic!("the channel closed"),
        () = tokio::time::sleep(Duration::from_secs(60)) => panic!("it waits"),
    };
    assert_eq!(came, b"413");
}

/// A breach, of a connection that is asked for and of one that is open.
type Hostile = (&'static str, fn([StreamId; 2]) -> Vec<Frame>, &'static str);

fn control(message: &GuestControl) -> Frame {
    Frame::control(message).unwrap()
}

const HOSTILE: &[Hostile] = &[
    (
        "bytes before it answers",
        |[asked, _]| vec![Frame::Data(asked, vec![1])],
        "bytes of a connection that is none",
    ),
    (
        "an end before it answers",
        |[asked, _]| vec![Frame::End(asked)],
        "before it answered",
    ),
    (
        "an answer twice",
        |[_, to_host]| vec![control(&GuestControl::Connected { to_host })],
        "nobody asked for",
    ),
    (
        "an answer for nothing",
        |_| vec![control(&GuestControl::Connected { to_host: 99 })],
        "nobody asked for",
    ),
    (
        "bytes of what was not taken",
        |[to_host, _]| {
            let errno = 111;
            vec![
                control(&GuestControl::NotConnected { to_host, errno }),
                Frame::Data(to_host, vec![1]),
            ]
        },
        "bytes of a connection that is none",
    ),
    (
        "more than there is credit for",
        |[_, to_host]| vec![Frame::Data(to_host, vec![1; 32 * 1024]); 3],
        "beyond its credit",
    ),
];

#[tokio::test(start_paused = true)]
async fn a_guest_that_breaks_the_protocol_ends_the_sandbox() {
    for (what, frames, why) in HOSTILE {
        let (sandbox, mut guest, _seen) = open().await;
        let (connection, (_, to_host)) = tokio::join!(sandbox.connect(1), guest.connects());
        let mut connection = connection.unwrap();
        let own = sandbox.clone();
        let asked = tokio::spawn(async move { own.connect(3).await.map(drop) });
        let (_, _, waits) = guest.connect_asked().await;
        let mut bytes = Vec::new();
        for frame in frames([waits, to_host]) {
            frame.write_to(&mut bytes);
        }
        guest.raw(&bytes).await;
        // Before anything is read, which would be credit for more.
        sandbox.ended().await;
        let ended = connection.read_to_end(&mut Vec::new()).await;
        let told = ended.unwrap_err().to_string();
        assert!(told.contains(why), "{what}: {told}");
        assert!(asked.await.unwrap().is_err(), "{what}");
    }
}
