//! The signals that ask this tool to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves with the number of the signal that asks us to stop.
pub async fn stop_asked() -> u8 {
    let wait = |kind: SignalKind| async move {
        match signal(kind) {
            Ok(mut stream) => {
                stream.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    // 1, 2, 15: the numbers of signal(7).
    tokio::select! {
        () = wait(SignalKind::hangup()) => 1,
        () = wait(SignalKind::interrupt()) => 2,
        () = wait(SignalKind::terminate()) => 15,
    }
}
