//! A SOCKS5 client's two messages (RFC 1928): without a password, and CONNECT alone.

use super::authority::Target;
use crate::reason::Reason;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const VERSION: u8 = 5;
const NO_PASSWORD: u8 = 0;
const NONE_ACCEPTABLE: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
/// Bytes before the target of a request.
const REQUEST_HEADER: usize = 4;

/// How far a message has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<T> {
    /// More must come.
    Incomplete,
    /// It is whole, and this long.
    Whole {
        /// What it says.
        message: T,
        /// Its bytes; what follows is the client's next.
        length: usize,
    },
    /// It is refused: answer with [`reply`], then close.
    Refused(Reason),
}

/// Reads the greeting that these bytes begin with: whether the client does without a password. Answer with
/// [`method_reply`]; without one that both have, close after it.
pub fn greeting(bytes: &[u8]) -> Progress<bool> {
    match bytes {
        [] | [VERSION] => Progress::Incomplete,
        [VERSION, count, rest @ ..] => match rest.get(..usize::from(*count)) {
            None => Progress::Incomplete,
            Some(methods) => Progress::Whole {
                message: methods.contains(&NO_PASSWORD),
                length: 2 + methods.len(),
            },
        },
        _ => Progress::Refused(Reason::ProxyMalformed),
    }
}

/// The answer to a greeting.
pub fn method_reply(without_password: Acceptable) -> [u8; 2] {
    match without_password {
        Acceptable::NoPassword => [VERSION, NO_PASSWORD],
        Acceptable::Nothing => [VERSION, NONE_ACCEPTABLE],
    }
}

/// What of a client's methods is one here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptable {
    /// To do without a password.
    NoPassword,
    /// None.
    Nothing,
}

/// A request to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// To where.
    pub target: Target,
    /// The port, 1 to 65535.
    pub port: u16,
}

/// Reads the request that these bytes begin with.
pub fn request(bytes: &[u8]) -> Progress<Request> {
    match bytes {
        [VERSION, CONNECT, 0, kind, rest @ ..] => match target(*kind, rest) {
            Ok(Some((target, used))) => port(target, rest.get(used..).unwrap_or_default(), used),
            Ok(None) => Progress::Incomplete,
            Err(reason) => Progress::Refused(reason),
        },
        [VERSION, command, ..] if *command != CONNECT => Progress::Refused(Reason::ProxyCommand),
        [] | [VERSION] | [VERSION, CONNECT] | [VERSION, CONNECT, 0] => Progress::Incomplete,
        _ => Progress::Refused(Reason::ProxyMalformed),
    }
}

/// The target, and how many bytes it takes; `None` while it is not whole.
fn target(kind: u8, rest: &[u8]) -> Result<Option<(Target, usize)>, Reason> {
    let address =
        |address: Option<IpAddr>, used| Ok(address.map(|address| (Target::Address(address), used)));
    match kind {
        IPV4 => address(
            rest.first_chunk()
                .map(|bytes: &[u8; 4]| Ipv4Addr::from(*bytes).into()),
            4,
        ),
        IPV6 => address(
            rest.first_chunk()
                .map(|bytes: &[u8; 16]| Ipv6Addr::from(*bytes).into()),
            16,
        ),
        NAME => {
            let Some((length, rest)) = rest.split_first() else {
                return Ok(None);
            };
            let Some(name) = rest.get(..usize::from(*length)) else {
                return Ok(None);
            };
            let target = Target::from_bytes(name).map_err(|error| error.reason())?;
            Ok(Some((target, 1 + name.len())))
        }
        _ => Err(Reason::ProxyMalformed),
    }
}

fn port(target: Target, rest: &[u8], used: usize) -> Progress<Request> {
    match rest
        .first_chunk()
        .map(|bytes: &[u8; 2]| u16::from_be_bytes(*bytes))
    {
        None => Progress::Incomplete,
        Some(0) => Progress::Refused(Reason::ProxyMalformed),
        Some(port) => Progress::Whole {
            message: Request { target, port },
            length: REQUEST_HEADER + used + 2,
        },
    }
}

/// The answer to a request: connected, or why not in the few words that SOCKS5 has.
pub fn reply(outcome: Result<(), Reason>) -> [u8; 10] {
    let code = match outcome {
        Ok(()) => 0,
        Err(Reason::ProxyCommand) => 7,
        Err(Reason::ProxyMalformed | Reason::AuditUnavailable | Reason::ProxyUnavailable) => 1,
        Err(Reason::NoAddress) => 4,
        Err(Reason::UpstreamUnreachable) => 5,
        // The rules do not allow it.
        Err(_) => 2,
    };
    // Which address the host connects from is none of the guest's business.
    [VERSION, code, 0, IPV4, 0, 0, 0, 0, 0, 0]
}

#[cfg(test)]
mod tests;
