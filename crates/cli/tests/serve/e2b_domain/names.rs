//! A network and mount namespace in which all names of one domain are this machine's, and no others are anybody's. The
//! host's own files and network stay as they are.

use rustix::mount::{MountPropagationFlags, mount_bind, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::io::{Error, Result};
use std::net::UdpSocket;
use std::process::Command;

/// Who is asked for names.
const RESOLVER: &str = "/etc/resolv.conf";
/// The longest question by UDP, in bytes (RFC 1035).
const QUESTION_BYTES: usize = 512;
/// Before the questions, in bytes.
const HEADER_BYTES: usize = 12;
/// An IPv4 address (RFC 1035).
const TYPE_A: [u8; 2] = [0, 1];

/// The namespaces of this thread and of what it starts. They go with the last of them.
pub struct Namespace {
    _resolver: tempfile::NamedTempFile,
}

impl Namespace {
    /// Enters new ones, in which the domain's names are 127.0.0.1.
    pub fn enter(domain: &str) -> Result<Namespace> {
        let resolver = tempfile::NamedTempFile::new()?;
        std::fs::write(&resolver, "nameserver 127.0.0.1\n")?;
        // SAFETY: no descriptor is unshared, and this thread's alone are the namespaces.
        unsafe { unshare_unsafe(UnshareFlags::NEWNET | UnshareFlags::NEWNS)? };
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        mount_change("/", private)?;
        mount_bind(resolver.path(), RESOLVER)?;
        let up = Command::new("ip")
            .args(["link", "set", "lo", "up"])
            .status()?;
        if !up.success() {
            return Err(Error::other(format!("ip link set lo up: {up}")));
        }
        let socket = UdpSocket::bind("127.0.0.1:53")?;
        let domain = in_labels(domain);
        std::thread::spawn(move || answer(&socket, &domain));
        Ok(Namespace {
            _resolver: resolver,
        })
    }
}

/// A name as it stands in a question.
fn in_labels(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|label| {
        let length = u8::try_from(label.len()).unwrap();
        std::iter::once(length).chain(label.bytes())
    });
    labels.chain([0]).collect()
}

/// Answers for as long as the test runs.
fn answer(socket: &UdpSocket, domain: &[u8]) {
    let mut buffer = [0; QUESTION_BYTES];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        if let Some(said) = answered(&buffer[..length], domain) {
            let _ = socket.send_to(&said, from);
        }
    }
}

/// What is said to a question: an address for the domain's names, nothing for other kinds, and that others are not there.
fn answered(question: &[u8], domain: &[u8]) -> Option<Vec<u8>> {
    let (header, rest) = question.split_at_checked(HEADER_BYTES)?;
    let name = rest.iter().position(|byte| *byte == 0)? + 1;
    let asked = rest.get(..name + 4)?;
    let is_ours = asked[..name].to_ascii_lowercase().ends_with(domain);
    let has_address = is_ours && asked[name..name + 2] == TYPE_A;
    let code = if is_ours { 0 } else { 3 };
    let mut said = header[..2].to_vec();
    // An answer, with authority, one question.
    said.extend([
        0x85,
        0x80 | code,
        0,
        1,
        0,
        u8::from(has_address),
        0,
        0,
        0,
        0,
    ]);
    said.extend(asked);
    if has_address {
        // The question's name and kind, a minute, four bytes.
        said.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    Some(said)
}

#[test]
fn names_of_the_domain_have_an_address_and_others_none() {
    let domain = in_labels("sandboxes.test");
    for (name, kind, answers, code) in [
        ("api.Sandboxes.test", 1, 1, 0),
        ("49983-x.sandboxes.test", 28, 0, 0),
        ("example.org", 1, 0, 3),
    ] {
        let mut question = vec![7, 8, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        question.extend(in_labels(name));
        question.extend([0, kind, 0, 1]);
        let said = answered(&question, &domain).unwrap();
        assert_eq!(
            (said[..2].to_vec(), said[7], said[3] & 15),
            (vec![7, 8], answers, code)
        );
    }
    assert_eq!(answered(&[1, 2, 3], &domain), None);
}
