//! Bodies of any size, where the service may say no before all of it is sent: it answers and closes the connection, and
//! the HTTP client by itself would tell of the connection and not of the answer.

use std::fmt::Debug;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};
use ureq::{Agent, Error};

/// One upload: an agent of its own for it, and whether the other end takes any more.
pub struct Upload {
    /// Sends it.
    pub agent: Agent,
    closed: Closed,
}

/// The other end takes no more; what it said before that can still be read.
#[derive(Debug, Clone, Default)]
struct Closed(Arc<AtomicBool>);

impl Closed {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Upload {
    /// As this agent is configured.
    pub fn as_by(agent: &Agent) -> Upload {
        let closed = Closed::default();
        let connector = DefaultConnector::new().chain(Watching(closed.clone()));
        let resolver = DefaultResolver::default();
        Upload {
            agent: Agent::with_parts(agent.config().clone(), connector, resolver),
            closed,
        }
    }

    /// These bytes, to their end, or until nobody takes them.
    pub fn body<'a>(&self, bytes: &'a mut dyn Read) -> impl Read + use<'a> {
        Taken {
            bytes,
            closed: self.closed.clone(),
        }
    }
}

struct Taken<'a> {
    bytes: &'a mut dyn Read,
    closed: Closed,
}

impl Read for Taken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.closed.is_set() {
            true => Ok(0),
            false => self.bytes.read(buffer),
        }
    }
}

#[derive(Debug)]
struct Watching(Closed);

impl<In: Transport> Connector<In> for Watching {
    type Out = Watched<In>;

    fn connect(
        &self,
        _details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Watched<In>>, Error> {
        let closed = self.0.clone();
        Ok(chained.map(|inner| Watched { inner, closed }))
    }
}

#[derive(Debug)]
struct Watched<In> {
    inner: In,
    closed: Closed,
}

impl<In: Transport> Transport for Watched<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.closed.is_set() {
            return Ok(());
        }
        match self.inner.transmit_output(amount, timeout) {
            Err(Error::Io(error)) if is_closed(&error) => {
                self.closed.0.store(true, Ordering::Relaxed);
                Ok(())
            }
            sent => sent,
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        !self.closed.is_set() && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

fn is_closed(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use crate::args::ServiceArgs;
    use crate::commands::sandbox::service::{Service, ServiceError};
    use std::io::{Read as _, Write as _, repeat};
    use std::net::{Shutdown, TcpListener};
    use ureq::http::Method;

    const PROBLEM: &str = r#"{"detail":"full","code":"disk_full"}"#;

    /// How much of the body the other end takes before it answers and goes, and whether it says something at all.
    #[test]
    fn an_answer_before_the_end_of_a_body_is_heard() {
        let answer = format!(
            "HTTP/1.1 507 F\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{PROBLEM}",
            PROBLEM.len()
        );
        for (before, answer, said) in [
            ("", answer.as_str(), "full [disk_full]"),
            ("HTTP/1.1 100 C\r\n\r\n", &answer, "full [disk_full]"),
            ("HTTP/1.1 100 C\r\n\r\n", "", "ended too early"),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = Some(format!("http://{}", listener.local_addr().unwrap()));
            let (before, answer) = (before.to_owned(), answer.to_owned());
            let other = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 4096]);
                stream.write_all(before.as_bytes()).unwrap();
                if !before.is_empty() {
                    stream.read_exact(&mut [0; 100_000]).unwrap();
                }
                stream.write_all(answer.as_bytes()).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
            });
            let service = Service::of(&ServiceArgs { url, key: None }).unwrap();
            let sent = service.send_bytes(Method::PUT, "/", &mut repeat(b'x'));
            let error: ServiceError = sent.unwrap_err();
            assert!(error.to_string().contains(said), "{said}: {error}");
            other.join().unwrap();
        }
    }
}
