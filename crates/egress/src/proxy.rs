//! The proxy: a process of its own, which does what is dangerous. It reads what hostile guests and hostile hosts say,
//! asks for names, dials, holds secrets; and has nothing else ([`lock`]).
//!
//! ```text
//!   run        the control channel            session    one VM's names, budget, CA
//!   connection from where-to to the last byte  greet      what is said to the proxy at 127.0.0.1:3128
//!   resolve    names to public addresses      own        addresses that are the host's
//!   requests   HTTP, each judged              carry      bytes as they are
//!   authority  certificates for one VM        tls        towards the outside
//! ```

mod authority;
mod carry;
mod connection;
mod greet;
mod held;
mod lock;
mod meter;
mod own;
mod requests;
mod resolve;
mod run;
mod secrets;
mod session;
mod tls;

pub use run::run;

use crate::control::ChannelError;
use std::os::fd::AsFd as _;

/// What the process does that was started to be the proxy: the service is at the other end of its standard input. `uid`:
/// whose it is to be, where it is root's now.
pub fn run_child(uid: Option<u32>) -> Result<(), ChannelError> {
    run(std::io::stdin().as_fd().try_clone_to_owned()?, uid)
}
