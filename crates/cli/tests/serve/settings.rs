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
        assert_eq!(code, Some(1), "{said}");
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

#[test]
fn the_reference_is_on_the_terminal_as_json_and_as_a_configuration() {
    let folder = Folder::new();
    let config = folder.write("config.toml", "");
    let (code, text) = asked(tool(&config), &["config", "reference", "server.tls"]);
    assert!(
        code == Some(0) && text.contains("server.tls.key") && text.contains("PKCS"),
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
