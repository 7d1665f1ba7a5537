//! What `mmdebstrap` unpacks packages in where it is not root: a user namespace with ids of this user's own.

use crate::error::ImageError;
use std::path::Path;
use std::{env, fs};

/// Sets a namespace's ids up; it is setuid.
const NEWUIDMAP: &str = "newuidmap";
/// Whose ids are whose.
const SUBUIDS: &str = "/etc/subuid";

/// Fails, saying what is missing, where none can be made: `mmdebstrap` says only that it has no mode to work in.
pub fn check() -> Result<(), ImageError> {
    let path = env::var_os("PATH").unwrap_or_default();
    if !env::split_paths(&path).any(|folder| folder.join(NEWUIDMAP).exists()) {
        return Err(ImageError::ToolMissing {
            tool: "newuidmap, with which users who are not root unpack packages (package uidmap),"
                .to_owned(),
        });
    }
    let uid = rustix::process::geteuid().as_raw();
    match has_ids(uid, &read("/etc/passwd"), &read(SUBUIDS)) {
        true => Ok(()),
        false => Err(ImageError::NoSubordinateIds { uid }),
    }
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(file)).unwrap_or_default()
}

/// By the user's name or number.
fn has_ids(uid: u32, passwd: &str, subuids: &str) -> bool {
    let uid = uid.to_string();
    let is_user = |line: &&str| line.split(':').nth(2) == Some(&uid);
    let name = passwd
        .lines()
        .find(is_user)
        .and_then(|line| line.split(':').next());
    let owners = subuids.lines().filter_map(|line| line.split(':').next());
    owners
        .into_iter()
        .any(|owner| owner == uid || Some(owner) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_by_name_or_number() {
        let passwd = "root:x:0:0::/root:/bin/sh\nann:x:1001:1001::/home/ann:/bin/sh\n";
        assert!(has_ids(
            1001,
            passwd,
            "bob:100000:65536\nann:165536:65536\n"
        ));
        assert!(has_ids(1001, passwd, "1001:165536:65536\n"));
        assert!(!has_ids(1001, passwd, "bob:100000:65536\n"));
        assert!(!has_ids(1002, passwd, "ann:165536:65536\n"));
    }
}
