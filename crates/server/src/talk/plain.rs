//! Plain HTTP where TLS is spoken: a sentence instead of a connection that is cut.

use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Bytes of the request that are read before it is answered: unread ones would have the answer thrown away.
const READ_BYTES: usize = 8 * 1024;

const ANSWER: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\
    Content-Length: 47\r\n\r\nthis port speaks TLS: ask for https://, please\n";

/// Whether the first byte is that of a request line: a TLS record begins with 22.
pub async fn is_spoken(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first[0].is_ascii_alphabetic()
}

/// Says so, and ends it.
pub async fn refuse(mut stream: TcpStream, patience: Duration) {
    tracing::info!("plain HTTP was spoken where TLS is: https:// was meant");
    let answer = async {
        let mut request = vec![0; READ_BYTES];
        let _ = stream.read(&mut request).await?;
        stream.write_all(ANSWER).await?;
        stream.shutdown().await
    };
    // Who is gone, or does not read, is told nothing.
    let _ = tokio::time::timeout(patience, answer).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let text = std::str::from_utf8(ANSWER).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.ends_with(&format!("Content-Length: {}", body.len())),
            "{}",
            body.len()
        );
    }
}
