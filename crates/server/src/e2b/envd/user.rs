//! As whom something is done, and what a path is then: relative ones begin in the user's home folder, as does `~`.

use super::connect::{ConnectCode, ConnectError};
use crate::sandboxes::table::UsedSandbox;
use crate::sandboxes::user::UserBody;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::environment::{HOME_DIR, WORK_DIR};
use protocol::supervisor::{EntryKind, MAX_PATH_BYTES};
use sandbox::live::LiveError;
use tokio::sync::OnceCell;

/// Where E2B has its user's home; the guest shows the work folder there, where its image leaves room for it.
pub const HOME: &str = HOME_DIR;
/// Root's.
const ROOT_HOME: &str = "/root";

/// The home of a sandbox's user, once it was looked for.
pub type KnownHome = OnceCell<&'static str>;

/// What the sandbox's own user is called by E2B's clients.
pub const USER: &str = "user";
/// And root.
pub const ROOT: &str = "root";

/// A user by its name, as clients give it; nothing names the usual one.
pub fn named(name: &str) -> Result<UserBody, ConnectError> {
    match name {
        "" | USER => Ok(UserBody::Sandbox),
        ROOT => Ok(UserBody::Root),
        other => {
            let shown = protocol::validate::shown(other);
            let sentence = format!("there is no user {shown}: there are {USER} and {ROOT}");
            Err(ConnectError::new(ConnectCode::Unauthenticated, sentence))
        }
    }
}

/// The user that a call names: `Authorization: Basic base64("NAME:")`.
pub fn of(headers: &HeaderMap) -> Result<UserBody, ConnectError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(UserBody::Sandbox);
    };
    let name = value.to_str().ok().and_then(|text| {
        let (scheme, coded) = text.split_once(' ')?;
        // Another scheme's is a key of the service, and names nobody in the sandbox.
        if !scheme.eq_ignore_ascii_case("basic") {
            return Some(String::new());
        }
        let decoded = String::from_utf8(STANDARD.decode(coded.trim()).ok()?).ok()?;
        let name = decoded.split(':').next()?;
        Some(name.to_owned())
    });
    let wrong = || ConnectError::new(ConnectCode::Unauthenticated, "Authorization names no user");
    named(&name.ok_or_else(wrong)?)
}

/// Refuses root: what is done to files is done as the sandbox's own user.
pub fn check_files(user: UserBody) -> Result<(), ConnectError> {
    match user {
        UserBody::Sandbox => Ok(()),
        UserBody::Root => {
            let sentence = "files are read and written as user; as root, run a command";
            Err(ConnectError::new(ConnectCode::PermissionDenied, sentence))
        }
    }
}

/// The user's home folder.
pub async fn home(used: &UsedSandbox, user: UserBody) -> Result<&'static str, ConnectError> {
    if user == UserBody::Root {
        return Ok(ROOT_HOME);
    }
    let Some(facts) = &used.slot.e2b else {
        return Ok(WORK_DIR);
    };
    let looked = facts.home.get_or_try_init(|| async {
        match used.live.stat(HOME).await {
            Ok(entry) if entry.kind == EntryKind::Folder => Ok(HOME),
            Ok(_) | Err(LiveError::File { .. }) => Ok(WORK_DIR),
            Err(error) => Err(super::problem(used, error)),
        }
    });
    Ok(*looked.await?)
}

/// A path as clients give it, made absolute.
pub async fn path(used: &UsedSandbox, user: UserBody, path: &str) -> Result<String, ConnectError> {
    if path.len() > MAX_PATH_BYTES || path.contains('\0') {
        let sentence = format!("the path is over {MAX_PATH_BYTES} bytes or has a NUL");
        return Err(ConnectError::new(ConnectCode::InvalidArgument, sentence));
    }
    let resolved = match path.starts_with('/') {
        true => cleaned(path),
        false => resolved(home(used, user).await?, path)?,
    };
    match resolved.len() <= MAX_PATH_BYTES {
        true => Ok(resolved),
        false => Err(ConnectError::new(
            ConnectCode::InvalidArgument,
            "the path is too long",
        )),
    }
}

/// A relative path in this home.
fn resolved(home: &str, path: &str) -> Result<String, ConnectError> {
    let rest = match path.strip_prefix('~') {
        None => path,
        Some("") => "",
        Some(rest) => rest.strip_prefix('/').ok_or_else(|| {
            let sentence = "only one's own home is known: ~/";
            ConnectError::new(ConnectCode::InvalidArgument, sentence)
        })?,
    };
    Ok(cleaned(&format!("{home}/{rest}")))
}

/// An absolute path without empty parts, `.` and `..`.
fn cleaned(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_at_home() {
        for (path, expected) in [
            ("a.txt", "/home/user/a.txt"),
            ("./a//b/", "/home/user/a/b"),
            ("~", "/home/user"),
            ("~/a", "/home/user/a"),
            ("", "/home/user"),
            ("../../../etc", "/etc"),
        ] {
            assert_eq!(resolved("/home/user", path).unwrap(), expected, "{path}");
        }
        assert!(resolved("/home/user", "~other/a").is_err());
        assert_eq!(cleaned("/work/../etc/./x//"), "/etc/x");
        assert_eq!(cleaned("/"), "/");
    }

    #[test]
    fn a_user_is_named_by_basic_authorization() {
        let basic = |name: &str| format!("Basic {}", STANDARD.encode(name));
        for (value, expected) in [
            (None, Some(UserBody::Sandbox)),
            (Some(basic("user:")), Some(UserBody::Sandbox)),
            (Some(basic("root:")), Some(UserBody::Root)),
            (Some("Bearer key".to_owned()), Some(UserBody::Sandbox)),
            (Some(basic("nobody:")), None),
            (Some("Basic !".to_owned()), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = &value {
                headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            }
            assert_eq!(of(&headers).ok(), expected, "{value:?}");
        }
    }
}
