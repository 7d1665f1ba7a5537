//! Packages that requests ask for: in a store of these tests' own, with the real registries where a test needs one, and
//! with a registry that hangs or is not there where it needs that.

use crate::lab::{self, Service, answer};
use images::{ImageStore, Rebuild, Silent};
use protocol::packages::rules::PackageRules;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:9/simple";
const HEADER: &str =
    "# /// script\n# dependencies = [\"six\"]\n# ///\nimport six\nprint(six.__name__)\n";

/// A state folder of one test's own, with the images of these languages and the kernels.
fn state_of_own(languages: &[&str]) -> Option<(tempfile::TempDir, PathBuf)> {
    if !languages.iter().all(|language| lab::can_run(language)) {
        return None;
    }
    let from = std::fs::canonicalize(lab::state_dir().join("images")).unwrap();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let to = folder.path().join("images");
    let is_wanted = |name: &str| {
        let of = |language: &&str| {
            name == format!("{language}.json") || name.starts_with(&format!("{language}-"))
        };
        languages.iter().any(of)
    };
    for (place, all) in [
        ("kernel", true),
        ("uml", true),
        ("initramfs", true),
        ("rootfs", false),
    ] {
        std::fs::create_dir_all(to.join(place)).unwrap();
        for entry in std::fs::read_dir(from.join(place)).into_iter().flatten() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            // `python-data` is no `python-DIGEST`.
            if all || (is_wanted(&name) && !name.contains("-data")) {
                std::fs::copy(entry.path(), to.join(place).join(&name)).unwrap();
            }
        }
    }
    Some((folder, to))
}

async fn service(state: &Path, rules: &str) -> Service {
    let mut config = lab::sandbox_config();
    config.vmm.state_dir = state.into();
    config.packages = toml::from_str::<PackageRules>(rules).unwrap();
    config.admission.running = 1;
    lab::start_with(config, lab::server_config()).await
}

/// Says that a test cannot run where no registry can be reached.
fn is_reached(status: u16, body: &Value) -> bool {
    let unreached = status == 503 && body["code"] == "packages_unavailable";
    if unreached {
        let required = std::env::var_os("LLM_FIRECRACKER_REQUIRE").is_some();
        assert!(!required, "not run: no registry can be reached: {body}");
        println!("not run: no registry can be reached");
    }
    !unreached
}

fn python(code: &str, packages: &[&str]) -> Value {
    json!({ "language": "python", "code": code, "packages": packages })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_asked_for_is_refused_by_the_settings_name() {
    let state = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for (rules, body, words) in [
        ("", python("1", &["six"]), "PyPI may not be asked for here"),
        (
            "python = [\"six\"]",
            python("1", &["attrs"]),
            "attrs is not in the list",
        ),
        (
            "python = [\"six\"]",
            python(&HEADER.replace("\"six", "\"attrs"), &[]),
            "attrs is not in the list",
        ),
        (
            "python = \"any\"",
            python("1", &["six @ https://host/six.whl"]),
            "six @ https",
        ),
        (
            "python = \"any\"",
            python("1", &["--index-url=x"]),
            "--index-url",
        ),
        (
            "python = \"any\"",
            python("# /// script\n# requires-python = \"<3\"\n# ///\n", &[]),
            "requires Python <3",
        ),
        (
            "python = \"any\"",
            json!({"language": "bash", "code": ":", "packages": ["six"]}),
            "programs in bash",
        ),
        (
            "node = \"any\"",
            json!({"language": "node", "code": "1", "files": [{"path": "package.json", "content": "[]"}]}),
            "package.json cannot be read",
        ),
    ] {
        let service = service(state.path(), rules).await;
        let (status, told) = service.execute(&body).await;
        assert_eq!(
            (status, &told["code"]),
            (400, &json!("packages_refused")),
            "{told}"
        );
        let detail = told["detail"].as_str().unwrap();
        assert!(
            detail.contains(words) && detail.contains("[packages]"),
            "{detail}"
        );
        service.end().await;
    }
    let service = service(state.path(), "").await;
    let (status, told) =
        answer(service.post("/api/v1/sandboxes", &json!({"packages": ["six"]}))).await;
    assert_eq!((status, &told["code"]), (400, &json!("packages_refused")));
    let (_, told) = service
        .execute(&json!({"language": "python", "code": "1", "packages": "six"}))
        .await;
    assert_eq!(told["code"], "packages_refused", "{told}");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_are_there_are_found_again_and_are_nobody_elses_to_name() {
    let Some((state, images)) = state_of_own(&["python"]) else {
        return;
    };
    let service = service(state.path(), "python = \"any\"").await;
    let code = "import six; print(six.__name__)";
    let (status, first) = service.execute(&python(code, &["six"])).await;
    if !is_reached(status, &first) {
        return;
    }
    assert_eq!(
        (status, &first["stdout"]),
        (200, &json!("six\n")),
        "{first}"
    );
    // Without the resolver nothing is resolved.
    std::fs::remove_dir_all(images.join("tools")).unwrap();
    for body in [
        python(code, &["six"]),
        python(HEADER, &[]),
        python(HEADER, &["six"]),
    ] {
        let (status, again) = service.execute(&body).await;
        assert_eq!(
            (status, &again["stdout"]),
            (200, &json!("six\n")),
            "{again}"
        );
    }
    assert!(!images.join("tools").exists());
    let made = service.post("/api/v1/sandboxes", &json!({"packages": ["six"]}));
    let (status, sandbox) = answer(made).await;
    assert_eq!(status, 201, "{sandbox}");
    let name = sandbox["image"].as_str().unwrap();
    let (_, told) = service
        .execute(&json!({"language": "python", "image": name, "code": code}))
        .await;
    assert_eq!(told["code"], "image_unknown");
    let (_, other) = service
        .execute(&json!({"language": "python", "image": "no-such", "code": code}))
        .await;
    assert!(!other.to_string().contains(name));
    let listed: Value = service.get("/api/v1/rootfs").await.json().await.unwrap();
    assert!(!listed.to_string().contains(name), "{listed}");
    let (status, told) = service
        .execute(&python(code, &["no-such-package-of-anybody-1"]))
        .await;
    assert_eq!(
        (status, &told["code"]),
        (400, &json!("packages_unresolved")),
        "{told}"
    );
    let detail = told["detail"].as_str().unwrap();
    assert!(detail.contains("no-such-package-of-anybody-1"), "{detail}");
    for inside in ["://", "/tmp", "/var", state.path().to_str().unwrap()] {
        assert!(!detail.contains(inside), "{detail}");
    }
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_json_asks_for_a_node_programs_packages_where_they_are_on() {
    let Some((state, _)) = state_of_own(&["node"]) else {
        return;
    };
    let body = json!({
        "language": "node", "code": "console.log(require('is-odd')(3))",
        "files": [{"path": "package.json", "content": "{\"dependencies\": {\"is-odd\": \"^3\"}}"}],
    });
    let off = service(state.path(), "").await;
    let (status, told) = off.execute(&body).await;
    assert_eq!((status, &told["exit_code"]), (200, &json!(1)), "{told}");
    off.end().await;
    let on = service(state.path(), "node = [\"is-odd@^3\"]").await;
    let (status, told) = on.execute(&body).await;
    if is_reached(status, &told) {
        assert_eq!((status, &told["stdout"]), (200, &json!("true\n")), "{told}");
    }
    on.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_has_no_effect_where_packages_are_off() {
    if !lab::can_run("python") {
        return;
    }
    let service = lab::start().await;
    let code = "# /// script\n# dependencies = [\"six\"]\n# ///\nprint('runs')\n";
    let (status, told) = service.execute(&python(code, &[])).await;
    assert_eq!((status, &told["stdout"]), (200, &json!("runs\n")), "{told}");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_not_there_is_told_without_a_word_of_the_host() {
    let Some((state, _)) = state_of_own(&["python"]) else {
        return;
    };
    let rules = format!("python = \"any\"\npython_index = \"{NOWHERE}\"");
    let service = service(state.path(), &rules).await;
    let response = service
        .post("/api/v1/execute", &python("1", &["six"]))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    let told: Value = response.json().await.unwrap();
    assert_eq!(told["code"], "packages_unavailable");
    for inside in ["127.0.0.1", "simple", "/", "uv"] {
        assert!(!told["detail"].as_str().unwrap().contains(inside), "{told}");
    }
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_hangs_blocks_no_other_request_and_a_key_may_wait_for_few() {
    let Some((state, _)) = state_of_own(&["python"]) else {
        return;
    };
    // Takes every connection and never says a word.
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let rules = format!(
        "python = \"any\"\nmax_seconds = 60\npython_index = \"http://{}/simple\"",
        deaf.local_addr().unwrap()
    );
    let service = service(state.path(), &rules).await;
    let waiting: Vec<_> = (0..server::packages::MAX_OF_KEY)
        .map(|number| {
            let body = python("1", &[&format!("six=={number}")]);
            tokio::spawn(service.post("/api/v1/execute", &body).send())
        })
        .collect();
    let app_knows = Duration::from_secs(1);
    tokio::time::sleep(app_knows).await;
    let (status, told) = service.execute(&python("1", &["attrs"])).await;
    assert_eq!(
        (status, &told["code"]),
        (429, &json!("too_many_jobs")),
        "{told}"
    );
    // One place to run in, and it is free.
    let body = python("print(1)", &[]);
    let plain = service.execute(&body);
    let (status, told) = tokio::time::timeout(Duration::from_secs(45), plain)
        .await
        .unwrap();
    assert_eq!((status, &told["stdout"]), (200, &json!("1\n")), "{told}");
    assert!(waiting.iter().all(|request| !request.is_finished()));
    for request in waiting {
        request.abort();
    }
    service.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_another_process_made_is_found() {
    let Some((state, images)) = state_of_own(&["bash"]) else {
        return;
    };
    let service = service(state.path(), "").await;
    let file = state.path().join("made-elsewhere.toml");
    std::fs::write(&file, "from = \"bash\"\n[env]\nMADE = \"elsewhere\"\n").unwrap();
    let spec = images::custom::spec::ImageSpec::read(&file).unwrap();
    let other = ImageStore::open(&images).unwrap();
    other
        .build_custom(&spec, Rebuild::IfNeeded, &Silent)
        .unwrap();
    // It was this process, which now knows no more of it than if it had been another.
    languages::custom::forget("made-elsewhere");
    let body = json!({"image": "made-elsewhere", "language": "bash", "code": "echo $MADE"});
    let (status, told) = service.execute(&body).await;
    assert_eq!(
        (status, &told["stdout"]),
        (200, &json!("elsewhere\n")),
        "{told}"
    );
    service.end().await;
}
