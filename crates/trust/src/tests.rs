//! The judgement by a table, and the walk over real files.

use super::*;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

/// The tool's user, and somebody else.
const ME: u32 = 1000;
const OTHER: u32 = 1001;

#[test]
fn owner_and_mode_decide() {
    for (uid, gid, mode, expected) in [
        (0, 0, 0o100755, None),
        (ME, ME, 0o100600, None),
        // Root's file with another group that only reads.
        (0, OTHER, 0o100640, None),
        (OTHER, OTHER, 0o100600, Some(Flaw::Owner(OTHER))),
        (ME, ME, 0o100666, Some(Flaw::Writable(0o666))),
        (ME, OTHER, 0o100660, Some(Flaw::Writable(0o660))),
        (ME, ME, 0o100664, Some(Flaw::WritableByCustom(0o664))),
        (0, 0, 0o041777, Some(Flaw::WritableByCustom(0o1777))),
        (0, 0, 0o040777, Some(Flaw::Writable(0o777))),
        // Stickiness takes nothing from who owns the folder.
        (OTHER, OTHER, 0o041777, Some(Flaw::Owner(OTHER))),
    ] {
        assert_eq!(flaw(uid, gid, mode, ME), expected, "{uid} {gid} {mode:o}");
    }
}

fn with_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_that_others_could_change_is_refused_with_the_spot() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, file) = (dir.path().join("folder"), dir.path().join("folder/file"));
    fs::create_dir(&folder).unwrap();
    fs::write(&file, "").unwrap();
    with_mode(&folder, 0o755);
    with_mode(&file, 0o600);
    check("configuration", &file).unwrap();
    check_secret("key", &file).unwrap();

    with_mode(&file, 0o644);
    check("configuration", &file).unwrap();
    let error = check_secret("key", &file).unwrap_err().to_string();
    assert!(error.contains("readable by everyone"), "{error}");

    with_mode(&file, 0o602);
    let error = check("configuration", &file).unwrap_err().to_string();
    assert!(
        error.starts_with("configuration ") && error.contains("0602"),
        "{error}"
    );

    with_mode(&file, 0o600);
    with_mode(&folder, 0o777);
    let error = check("configuration", &file).unwrap_err().to_string();
    let spot = format!("{} is writable by others", folder.display());
    assert!(error.contains(&spot), "{error}");
}

#[test]
fn every_folder_that_a_link_leads_through_counts() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for name in ["first", "open", "last"] {
        fs::create_dir(at(name)).unwrap();
        with_mode(&at(name), 0o755);
    }
    fs::write(at("last/file"), "").unwrap();
    with_mode(&at("last/file"), 0o600);
    // The folder of the second link is on no lexical path and on no resolved one.
    symlink(at("open/link"), at("first/link")).unwrap();
    symlink("../last/file", at("open/link")).unwrap();
    check("image", &at("first/link")).unwrap();
    with_mode(&at("open"), 0o777);
    let error = check("image", &at("first/link")).unwrap_err().to_string();
    assert!(error.contains("/open is writable"), "{error}");
    check("image", &at("last/file")).unwrap();

    // Above a folder that is behind a link is what the kernel says, not what the path does.
    fs::create_dir(at("last/deep")).unwrap();
    symlink(at("last/deep"), at("first/deep")).unwrap();
    check("image", &at("first/deep/../file")).unwrap();
    with_mode(&at("last"), 0o777);
    let error = check("image", &at("first/deep/../file"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("/last is writable"), "{error}");

    symlink(at("round"), at("round")).unwrap();
    assert!(matches!(
        check("image", &at("round")),
        Err(Untrusted::Unseen { .. })
    ));
}

/// To give a file away is root's right.
#[test]
fn another_users_file_and_another_users_link_are_refused() {
    if !rustix::process::geteuid().is_root() {
        println!("not run: the tests are not root's");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (file, link) = (dir.path().join("file"), dir.path().join("link"));
    fs::write(&file, "").unwrap();
    with_mode(&file, 0o600);
    symlink(&file, &link).unwrap();
    check("agent", &link).unwrap();
    std::os::unix::fs::lchown(&link, Some(OTHER), None).unwrap();
    assert!(
        check("agent", &link)
            .unwrap_err()
            .to_string()
            .contains("uid 1001")
    );
    std::os::unix::fs::lchown(&link, Some(0), None).unwrap();
    std::os::unix::fs::chown(&file, Some(OTHER), None).unwrap();
    assert!(
        check("agent", &link)
            .unwrap_err()
            .to_string()
            .contains("uid 1001")
    );
}
