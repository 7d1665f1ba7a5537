//! `config` as an operator uses it: what is in force and why, and everything that is wrong with a file.

use crate::service::tool;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}

/// A certificate and its key, PEM.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

/// Exit code and both outputs.
fn asked(mut command: Command, args: &[&str]) -> (Option<i32>, String) {
    let done = command.args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code(), text(&done.stdout) + &text(&done.stderr))
}

fn check(config: &Path) -> (Option<i32>, String) {
    asked(tool(&config.to_owned()), &["config", "check"])
}

#[test]
fn what_is_in_force_says_where_it_comes_from() {
    let folder = Folder::new();
    let config = folder.write(
        "config.toml",
        "[server]\nlisten = 8090\n\n[packages]\nnpm_registry = \"https://me:secret@host/npm\"\n",
    );
    let mut command = tool(&config);
    command.env("LLM_FIRECRACKER_GUEST_ROOT", "1");
    let (code, text) = asked(command, &["config", "show", "--json", "--accel", "tcg"]);
    assert_eq!(code, Some(0), "{text}");
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    let at = |line: u32| Value::from(format!("{}:{line}", config.display()));
    for (name, value, origin) in [
        ("server.listen", Value::from("127.0.0.1:8090"), at(2)),
        ("packages.npm_registry", "https://…@host/npm".into(), at(5)),
        (
            "sandboxes.guest_root",
            true.into(),
            "LLM_FIRECRACKER_GUEST_ROOT".into(),
        ),
        ("engine.accelerator", "tcg".into(), "--accel".into()),
        ("admission.queued", 512.into(), "default".into()),
    ] {
        assert_eq!(
            (&row(name)["value"], &row(name)["origin"]),
            (&value, &origin),
            "{name}"
        );
    }
    let (_, changed) = asked(tool(&config), &["config", "show", "--changed"]);
    assert!(
        changed.contains("server.listen") && !changed.contains("admission"),
        "{changed}"
    );
    assert!(!changed.contains("secret"), "{changed}");
}

#[test]
fn everything_that_is_wrong_is_told_with_its_line_and_nothing_is_started() {
    let folder = Folder::new();
    let (pem, key) = certificate();
    let (_, other_key) = certificate();
    folder.write("cert.pem", &pem);
    folder.write("key.pem", &key);
    folder.write("other.pem", &other_key);
    folder.write("keys.json", "{\"keys\":[]}");
    let good = |key: &str, listen: &str| {
        format!(
            "[server]\nlisten = {listen:?}\nkeys_file = {:?}\n[server.tls]\ncertificate = {:?}\nkey = {:?}\n",
            folder.at("keys.json"),
            folder.at("cert.pem"),
            folder.at(key)
        )
    };
    let config = folder.write("config.toml", &good("key.pem", "localhost:0"));
    let (code, text) = check(&config);
    assert!(code == Some(0) && text.contains("can be used"), "{text}");
    // By the rows of the table, each with a line of its own.
    let mode = |name: &str, mode| {
        std::fs::set_permissions(folder.at(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let told = |text: &str, line: &str, words: &[&str]| {
        let (code, said) = {
            let config = folder.write("config.toml", text);
            check(&config)
        };
        assert_eq!(code, Some(2), "{said}");
        for word in words.iter().chain([&line]) {
            assert!(said.contains(word), "{word}: {said}");
        }
    };
    told(
        &good("other.pem", "8090"),
        "config.toml:5:",
        &["TLS", "cert.pem"],
    );
    told(
        &good("key.pem", "0.0.0.0:8090"),
        "config.toml:2:",
        &["no API keys", "keys add"],
    );
    mode("keys.json", 0o644);
    told(
        &good("key.pem", "8090"),
        "config.toml:3:",
        &["keys.json", "readable by everyone"],
    );
    mode("keys.json", 0o600);
    folder.write("keys.json", "{");
    told(
        &good("key.pem", "8090"),
        "config.toml:3:",
        &["keys.json", "is not valid"],
    );
    let two = "[pool.pyton]\nmin = 1\nmax = 1\n[vmm]\nuid_base = 4294967290\nuid_cont = 5\n";
    told(
        two,
        "config.toml:6:",
        &["uid_count?", "config.toml:1:", "pyton"],
    );
    told("[vmm]\nuid_base = 4294967290\n", "config.toml:2:", &["uid"]);
    told(
        "[limits.defaults]\nmemory_mib = 8192\n",
        "config.toml:2:",
        &["is over"],
    );
    assert!(!folder.at("audit").exists());
}

/// What can be read and does not do what it says: a fault where it never can (exit code 2), else a warning.
#[test]
fn what_cannot_work_is_told_before_it_is_tried() {
    let folder = Folder::new();
    std::fs::create_dir(folder.at("images")).unwrap();
    let (fault, warning) = (2, 0);
    for (text, code, line, words) in [
        (
            "[admission]\nmemory_mib = 100\n",
            fault,
            ":3: ",
            "no job with the default limits",
        ),
        (
            "[admission]\nmemory_mib = 500\n",
            warning,
            ":3: warning: ",
            "no job with the default limits",
        ),
        (
            "[pool.python]\nmin = 100000\nmax = 100000\n",
            warning,
            ":3: warning: ",
            "may never be full",
        ),
        (
            "[pool.ruby]\nmin = 1\nmax = 1\n",
            warning,
            ":3: warning: ",
            "images build ruby",
        ),
        (
            "[pool.python]\nmin = 5\nmax = 4\n",
            fault,
            ":3: ",
            "min 5 is over max 4",
        ),
        (
            "[server.key_defaults]\nrequests_per_second = 0\n",
            warning,
            ":3: warning: ",
            "waits 1000 seconds",
        ),
        (
            "[server.key_defaults]\nrequests_per_second = -1\n",
            fault,
            ":3: ",
            "more than 0",
        ),
        (
            "[vmm]\nqemu_path = \"/no/qemu\"\n",
            fault,
            ":3: ",
            "/no/qemu is no file",
        ),
        (
            "[vmm]\ncgroup_parent = \"../x\"\n",
            fault,
            ":3: ",
            "cannot lead out",
        ),
        (
            "[server]\nkeys_file = \"/no/keys.json\"\n",
            warning,
            ":3: warning: ",
            "not there yet",
        ),
        (
            "[scan]\npatterns = [{ name = \"a\", expression = \"(\" }]\n",
            fault,
            ":3: ",
            "\"a\" is no valid",
        ),
        // One fault hides no other, nor what else cannot work.
        (
            "[limits.defaults]\npids = 5000\nvcpus = 9\n[server]\nlisten = \"x\"\n",
            fault,
            ":3: ",
            "limits.defaults.vcpus is over",
        ),
        (
            "[egress.policies.web]\nallow = [ { host = \"*.com\" } ]\n",
            fault,
            "config.toml",
            "egress.policies.web: allow, entry 1: host: \"*.com\"",
        ),
        (
            "[server]\nlisten = \"127.0.0.1:99999\"\n[limits.defaults]\npids = 5000\n",
            fault,
            ":5: ",
            "limits.defaults.pids is over",
        ),
    ] {
        let config = folder.write("config.toml", &format!("# a comment\n{text}"));
        let state = folder.0.path().display().to_string();
        let (ended, said) = asked(tool(&config), &["config", "check", "--state-dir", &state]);
        assert_eq!(ended, Some(code), "{text}: {said}");
        assert!(
            said.contains(line) && said.contains(words),
            "{text}: {said}"
        );
    }
    let config = folder.write("config.toml", "");
    let mut command = tool(&config);
    command.env("LLM_FIRECRACKER_LANGUAGE_DIR", "/x");
    let (code, said) = asked(command, &["config", "check"]);
    assert!(
        code == Some(0) && said.contains("warning: the variable LLM_FIRECRACKER_LANGUAGE_DIR"),
        "{said}"
    );
    let mut command = tool(&config);
    command.env("LLM_FIRECRACKER_ACCEL", "fast");
    let (code, said) = asked(command, &["config", "check"]);
    assert!(
        code == Some(2) && said.contains("the variable LLM_FIRECRACKER_ACCEL"),
        "{said}"
    );
}

#[test]
fn the_reference_is_on_the_terminal_as_json_and_as_a_configuration() {
    let folder = Folder::new();
    let config = folder.write("config.toml", "");
    let (code, text) = asked(tool(&config), &["config", "reference", "server.tls"]);
    assert!(
        code == Some(0) && text.contains("server.tls.key") && text.contains("PKCS"),
        "{text}"
    );
    let (_, text) = asked(tool(&config), &["config", "reference", "scan.patterns"]);
    assert!(
        text.contains("name = text") && text.contains("{ name = \"wipe\""),
        "{text}"
    );
    let (_, text) = asked(tool(&config), &["config", "show", "server.tls"]);
    assert!(
        text.contains("server.tls.key") && !text.contains("vmm"),
        "{text}"
    );
    let (code, text) = asked(tool(&config), &["config", "show", "nosuch"]);
    assert!(
        code == Some(2) && text.contains("no setting's name"),
        "{text}"
    );
    let (_, text) = asked(tool(&config), &["config", "reference", "--json"]);
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let body = rows
        .iter()
        .find(|row| row["name"] == "server.http.body_bytes")
        .unwrap();
    assert_eq!(
        (&body["unit"], &body["default"], &body["reload"]),
        (&"bytes".into(), &6_291_456.into(), &true.into())
    );
    let (_, text) = asked(tool(&config), &["config", "reference", "--toml"]);
    let written = folder.write("reference.toml", &text);
    assert_eq!(check(&written).0, Some(0));
    let (code, text) = asked(tool(&config), &["serve", "--listen", "nowhere"]);
    assert!(code == Some(2) && text.contains("localhost:PORT"), "{text}");
}
