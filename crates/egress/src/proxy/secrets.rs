//! Secrets: read once, before the process locks itself in, and never said to anybody but the host that a rule names.

use crate::policy::{Inject, Policy, SecretSource};
use std::collections::HashMap;
use std::fmt;
use std::io::Read as _;

/// The longest secret, in bytes: a header's line has 8 KiB in the shortest servers.
const MAX_SECRET_BYTES: u64 = 4 * 1024;

/// A secret's value. It is shown nowhere.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The value, for the one place where it goes out.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// All that the policies name.
#[derive(Debug, Default)]
pub struct Secrets(HashMap<SecretSource, Secret>);

impl Secrets {
    /// Reads them. One that cannot be had is told, and its rule lets nothing out.
    pub fn read<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Secrets {
        let mut secrets = HashMap::new();
        for inject in policies.into_iter().flat_map(Policy::injections) {
            let source = &inject.source;
            if secrets.contains_key(source) {
                continue;
            }
            match value(source) {
                Ok(secret) => _ = secrets.insert(source.clone(), secret),
                Err(why) => tracing::error!(%source, why, "a secret cannot be had"),
            }
        }
        Secrets(secrets)
    }

    /// The value of one.
    pub fn of(&self, inject: &Inject) -> Option<&Secret> {
        self.0.get(&inject.source)
    }
}

fn value(source: &SecretSource) -> Result<Secret, &'static str> {
    let text = match source {
        SecretSource::Env(name) => {
            std::env::var(name).map_err(|_| "it is not in the environment")?
        }
        SecretSource::File(path) => {
            let file = std::fs::File::open(path).map_err(|_| "its file cannot be read")?;
            let mut text = String::new();
            let read = file.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text);
            read.map_err(|_| "its file is no text")?;
            text
        }
    };
    let text = text.trim_end_matches(['\n', '\r']);
    let is_fit = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte) || byte >= 0x80;
    match text.len() as u64 {
        0 => Err("it is empty"),
        1..=MAX_SECRET_BYTES if text.bytes().all(is_fit) => Ok(Secret(text.to_owned())),
        1..=MAX_SECRET_BYTES => Err("it has a character that no header has"),
        _ => Err("it is over 4 KiB"),
    }
}
