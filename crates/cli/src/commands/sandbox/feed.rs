//! Standard input on its way to a process. What comes without a pause goes as one request, piece by piece as it comes:
//! one request a piece would soon be more than a key may send.

use super::service::{Service, ServiceError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};
use rustix::stdio::stdin;
use std::io::{self, Read};
use std::time::Duration;
use ureq::http::Method;

/// After so long without input a request ends. The service ends one itself after 30 seconds, when nothing else is
/// configured.
const PAUSE: Timespec = Timespec {
    tv_sec: 2,
    tv_nsec: 0,
};
/// How long to wait when the key has sent too much already.
const RATE_PAUSE: Duration = Duration::from_secs(1);

/// Feeds all of it, and closes the process' standard input behind it. Comes back early where the process takes no more.
pub fn feed(service: &Service, path: &str) -> Result<(), ServiceError> {
    loop {
        wait_for_input(None).map_err(here)?;
        let mut burst = Burst::default();
        let sent = service.send_bytes(Method::POST, path, &mut burst);
        match sent {
            Ok(()) => {}
            Err(ServiceError::Refused(problem)) if problem.ends_input() => return Ok(()),
            Err(ServiceError::Refused(problem))
                if problem.code == "rate_limited" && !burst.has_begun =>
            {
                std::thread::sleep(RATE_PAUSE);
            }
            Err(error) => return Err(error),
        }
        if let Some(error) = burst.failure {
            return Err(here(error));
        }
        if burst.is_last {
            return match service.nudge(&format!("{path}?close=true")) {
                Err(ServiceError::Refused(problem)) if problem.ends_input() => Ok(()),
                closed => closed,
            };
        }
    }
}

fn here(error: io::Error) -> ServiceError {
    ServiceError::Here(format!("reading the input: {error}"))
}

/// What comes without a pause.
#[derive(Default)]
struct Burst {
    has_begun: bool,
    /// Nothing comes after it.
    is_last: bool,
    failure: Option<io::Error>,
}

impl Read for Burst {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.piece(buffer) {
            Ok(count) => Ok(count),
            // A request that broke off would be told of as one.
            Err(error) => {
                self.failure = Some(error);
                Ok(0)
            }
        }
    }
}

impl Burst {
    fn piece(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.has_begun = true;
        if self.is_last || !wait_for_input(Some(&PAUSE))? {
            return Ok(0);
        }
        let count = loop {
            match read(stdin(), &mut *buffer) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    wait_for_input(None)?;
                }
                done => break done?,
            }
        };
        self.is_last = count == 0;
        Ok(count)
    }
}

/// Whether there is input, or its end, before the time is up.
fn wait_for_input(time: Option<&Timespec>) -> io::Result<bool> {
    let input = stdin();
    let mut fds = [PollFd::new(&input, PollFlags::IN)];
    loop {
        match poll(&mut fds, time) {
            Err(Errno::INTR) => {}
            done => return Ok(done? > 0),
        }
    }
}
