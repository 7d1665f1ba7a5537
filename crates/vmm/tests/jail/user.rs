//! The tool as an ordinary user's: no uid of its own for a VM, maybe no cgroup, all other walls.

use crate::evidence::{assert_namespaces, assert_rlimits, assert_status};
use crate::host::{copy, host_of_anyone};
use crate::images;
use crate::uml::{MEMORY_MIB, missing, uml};
use crate::uml_ends::kill_tool;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use vmm::uml::scratch;

/// A number that is nobody's.
const UID: u32 = 61_234;

/// A folder of his, with this test program and images in it, for root's own may be closed to him.
pub struct User {
    folder: tempfile::TempDir,
}

impl User {
    /// `None`, and the reason printed, where something was not built.
    pub fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        if images::copy_uml(path).is_none() {
            missing("no kernel of User-Mode Linux, root file system or agent");
            return None;
        }
        copy(&std::env::current_exe().unwrap(), &path.join("tests"));
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::create_dir(path.join("own")).unwrap();
        if rustix::process::geteuid().is_root() {
            chown(path.join("own"), Some(UID), Some(UID)).unwrap();
        }
        Some(Self { folder })
    }

    /// Where his tests put their files.
    pub fn own_folder(&self) -> PathBuf {
        self.folder.path().join("own")
    }

    /// One of these tests, run by him; `wrapper` is a program and its arguments that runs it.
    pub fn command(&self, wrapper: &[&str], test: &str) -> Command {
        let path = self.folder.path();
        let program = path.join("tests");
        let mut command = match wrapper {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        command
            .args(["--exact", test, "--nocapture"])
            .env("JAIL_TEST_FOLDER", self.own_folder())
            .env("JAIL_TEST_AGENT", path.join("agent"))
            .env("LLM_FIRECRACKER_STATE_DIR", path)
            // A host may keep namespaces from ordinary users: that is no missing image.
            .env_remove("LLM_FIRECRACKER_REQUIRE")
            .current_dir("/");
        if rustix::process::geteuid().is_root() {
            command.uid(UID).gid(UID);
        }
        command
    }
}

/// What a test that another process ran has printed; its failure is this one's.
pub fn succeeded(output: &Output) -> String {
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{text}");
    assert!(output.status.success(), "{text}");
    text
}

/// The user's part of the next test; alone it does nothing.
#[tokio::test]
async fn inside() {
    if std::env::var_os("JAIL_TEST_FOLDER").is_none() {
        return;
    }
    let host = host_of_anyone("user").unwrap();
    // Opening the engine runs the probe.
    let Some(uml) = uml(&host).await else { return };
    let jail = &uml.engine.identity().jail;
    println!("{jail}");
    assert!(jail.contains("same-uid"), "{jail}");
    let uid = rustix::process::geteuid().as_raw();
    let (one, two) = (uml.live("one").await, uml.live("two").await);
    for pid in [one.kernel, one.job] {
        assert_status(pid, uid..uid + 1, 2);
        assert_namespaces(pid, two.kernel);
        assert_rlimits(pid, scratch(MEMORY_MIB).bytes);
    }
    one.vm.close().await.unwrap();
    two.vm.close().await.unwrap();
    assert!(host.runs().is_empty());
    println!("it ran as {uid}");
}

#[test]
fn an_ordinary_user_runs_uml_too() {
    let Some(user) = User::new() else { return };
    let output = user.command(&[], "user::inside").output().unwrap();
    let text = succeeded(&output);
    let ran = if rustix::process::geteuid().is_root() {
        format!("it ran as {UID}")
    } else {
        "it ran as".into()
    };
    assert!(text.contains(&ran) || text.contains("not run: "));
}

/// Runs what follows as a container without privileges does: processes and mounts of its own, no capabilities.
const CONTAINER: &[&str] = &[
    "unshare",
    "--map-current-user",
    "--pid",
    "--fork",
    "--mount-proc",
    "setpriv",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--no-new-privs",
];

/// The same as root of users of its own.
const CONTAINERS_ROOT: &[&str] = &[
    "unshare",
    "--map-root-user",
    "--pid",
    "--fork",
    "--mount-proc",
];

#[test]
fn inside_an_unprivileged_container_a_user_runs_uml_and_root_hears_of_it() {
    let Some(user) = User::new() else { return };
    let output = user.command(CONTAINER, "user::inside").output().unwrap();
    if String::from_utf8_lossy(&output.stderr).contains("unshare: ") {
        println!("not run: no user namespaces here");
        return;
    }
    let text = succeeded(&output);
    assert!(text.contains("it ran as"), "{text}");
    let output = user.command(CONTAINERS_ROOT, "user::inside").output();
    let text = succeeded(&output.unwrap());
    assert!(
        text.contains("As an ordinary user of this container"),
        "{text}"
    );
}

/// Without a namespace around bubblewrap, and without a cgroup, a VM's end is only what each of its
/// processes asked for.
#[test]
fn kill_9_of_an_ordinary_users_tool_ends_its_kernel() {
    let Some(user) = User::new() else { return };
    let probed = user.command(&[], "user::inside").output().unwrap();
    if succeeded(&probed).contains("not run: ") {
        return;
    }
    let tool = user
        .command(&[], "uml_ends::tool_to_be_killed")
        .env("JAIL_TEST_STATE", user.own_folder().join("state"))
        .env("JAIL_TEST_CGROUP", "llm-firecracker-user")
        .stdout(Stdio::piped())
        .spawn();
    kill_tool(tool.unwrap());
}
