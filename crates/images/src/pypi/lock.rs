//! A lock file as `pip-compile --generate-hashes` and `uv pip compile` write it: `name==version`, then hashes.

use std::collections::BTreeSet;

/// Packages of one lock file.
const MAX_PACKAGES: usize = 2000;

/// A package and the files that it may come as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pinned {
    /// As the index has it: PEP 503.
    pub(crate) name: String,
    pub(crate) version: String,
    /// In lower-case hex.
    pub(crate) sha256: BTreeSet<String>,
}

impl Pinned {
    /// Its name and version, for messages.
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// All of them, or what is wrong with the first that is none.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Pinned>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let joined = text.replace("\\\n", " ").replace("\\\r\n", " ");
    let lines = joined.lines().map(without_comment);
    let pinned: Result<Vec<Pinned>, String> = lines
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            requirement(line)
                .ok_or_else(|| format!("{line:?} is no NAME==VERSION with --hash=sha256:…"))
        })
        .collect();
    let pinned = pinned?;
    match pinned.len() > MAX_PACKAGES {
        true => Err(format!("more than {MAX_PACKAGES} packages")),
        false => Ok(pinned),
    }
}

fn without_comment(line: &str) -> &str {
    match line.trim_start().starts_with('#') {
        true => "",
        false => line.split(" #").next().unwrap_or_default(),
    }
}

/// Markers are passed over: whoever made the lock did so for guests.
fn requirement(line: &str) -> Option<Pinned> {
    let (what, hashes) = line.split_once("--hash=")?;
    let what = what.split(';').next()?.trim();
    let (name, version) = what.split_once("==")?;
    let name = name.split('[').next()?.trim();
    let plain = |text: &str, more: &[u8]| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
        (1..=128).contains(&text.len()) && text.bytes().all(allowed)
    };
    if !plain(name, b"._-") || !plain(version.trim(), b".+!-_") {
        return None;
    }
    let hashes: Option<BTreeSet<String>> = hashes.split("--hash=").map(sha256).collect();
    Some(Pinned {
        name: normalized(name),
        version: version.trim().to_owned(),
        sha256: hashes?,
    })
}

fn sha256(text: &str) -> Option<String> {
    let digest = text.trim().strip_prefix("sha256:")?;
    (digest.len() == 64 && hex::decode(digest).is_ok()).then(|| digest.to_ascii_lowercase())
}

/// PEP 503.
fn normalized(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_the_tools_write_them_are_read() {
        let (one, other) = ("a".repeat(64), "b".repeat(64));
        let text = format!(
            "# made by a tool\nNum_Py[extra]==2.5.5 ; python_version > '3' \\\n    --hash=sha256:{one} \\\n    \
             --hash=sha256:{other}\n    # via x\n\nsix==1.0 --hash=sha256:{one}  # via y\n"
        );
        let pinned = parse(text.as_bytes()).unwrap();
        let names: Vec<_> = pinned
            .iter()
            .map(|one| (&*one.name, &*one.version, one.sha256.len()))
            .collect();
        assert_eq!(names, [("num-py", "2.5.5", 2), ("six", "1.0", 1)]);
    }

    #[test]
    fn what_is_not_pinned_is_refused() {
        let digest = "a".repeat(64);
        for line in [
            "numpy".to_owned(),
            "numpy==1".to_owned(),
            format!("numpy>=1 --hash=sha256:{digest}"),
            "numpy==1 --hash=md5:aa".to_owned(),
            "numpy==1 --hash=sha256:aa".to_owned(),
            format!("../x==1 --hash=sha256:{digest}"),
            format!("numpy @ file:///etc/passwd --hash=sha256:{digest}"),
            "-r other.txt".to_owned(),
            "--index-url http://elsewhere/".to_owned(),
        ] {
            assert!(parse(line.as_bytes()).is_err(), "{line}");
        }
        assert!(parse(b"\xff").is_err());
    }
}
