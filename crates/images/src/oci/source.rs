//! What a user names an image by.

use crate::oci::error::OciError;
use crate::oci::registry::reference::Reference;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

const FOLDER: &str = "oci:";
const ARCHIVE: &str = "docker-archive:";

/// Where an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source(pub(crate) Place);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Folder { path: PathBuf, tag: Option<String> },
    Archive { path: PathBuf, name: Option<String> },
    Registry(Reference),
}

impl Source {
    /// Refuses what may be another image tomorrow, or needs a registry to say what it is today: a tag without a digest.
    pub fn require_digest(&self) -> Result<(), OciError> {
        match &self.0 {
            Place::Registry(reference) if reference.digest.is_none() => Err(OciError::Name {
                text: self.to_string(),
                why: "without a registry's word it needs a digest (…@sha256:…)".to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

impl FromStr for Source {
    type Err = OciError;

    fn from_str(text: &str) -> Result<Source, OciError> {
        let wrong = |why: &str| OciError::Name {
            text: text.to_owned(),
            why: why.to_owned(),
        };
        let local = |rest: &str| {
            let (path, name) = match rest.split_once(':') {
                Some((path, name)) => (path, Some(name)),
                None => (rest, None),
            };
            match path.is_empty() || name == Some("") {
                true => Err(wrong("a path is to follow, and a name after another colon")),
                false => Ok((PathBuf::from(path), name.map(str::to_owned))),
            }
        };
        Ok(Source(if let Some(rest) = text.strip_prefix(FOLDER) {
            let (path, tag) = local(rest)?;
            Place::Folder { path, tag }
        } else if let Some(rest) = text.strip_prefix(ARCHIVE) {
            let (path, name) = local(rest)?;
            Place::Archive { path, name }
        } else {
            Place::Registry(Reference::parse(text).map_err(|why| wrong(&why))?)
        }))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, path, name) = match &self.0 {
            Place::Folder { path, tag } => (FOLDER, path, tag),
            Place::Archive { path, name } => (ARCHIVE, path, name),
            Place::Registry(reference) => return write!(formatter, "{reference}"),
        };
        write!(formatter, "{kind}{}", path.display())?;
        match name {
            Some(name) => write!(formatter, ":{name}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_and_written_alike() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (text, written) in [
            ("oci:folder", None),
            ("oci:/a/folder:tag", None),
            ("docker-archive:a.tar", None),
            ("docker-archive:a.tar:repo/name:1.0", None),
            ("registry.example/a/b:tag", None),
            ("localhost:5000/a", Some("localhost:5000/a:latest")),
            ("127.0.0.1:5000/a:1", None),
            (&format!("registry.example/a@{digest}"), None),
            (&format!("registry.example/a:1@{digest}"), None),
        ] {
            let source: Source = text.parse().unwrap();
            assert_eq!(source.to_string(), written.unwrap_or(text));
            let digest = text.contains('@') || !text.contains("/a");
            let pinned = source.require_digest().is_ok();
            let local = text.starts_with("oci:") || text.starts_with("docker-archive:");
            assert_eq!(pinned, digest || local, "{text}");
        }
    }

    #[test]
    fn what_names_no_image_says_why() {
        for (text, why) in [
            ("oci:", "a path is to follow"),
            ("oci:folder:", "a path is to follow"),
            ("docker-archive::name", "a path is to follow"),
            ("python", "no registry"),
            ("python:3.12", "no registry"),
            ("library/python", "no registry"),
            ("docker.io/", "no repository"),
            ("registry.example/Upper", "lower-case"),
            ("registry.example/a/../b", "lower-case"),
            ("registry.example/a:", "tag"),
            ("registry.example/a@sha256:00", "no digest"),
            ("registry.example/a@sha512:00", "no digest"),
            ("http://registry.example/a", "no registry"),
            ("registry.example:99999/a", "no registry"),
            ("registry.example/a b", "lower-case"),
        ] {
            let error = text.parse::<Source>().unwrap_err().to_string();
            assert!(error.contains(why) && error.contains(text), "{error}");
        }
    }
}
