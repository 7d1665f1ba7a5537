//! Clients that are not ours: curl with the examples of the docs, a client of Piston's API and a
//! tester of OpenAPI pages, both from PyPI (`scripts/test-clients.sh` installs them).

use crate::lab;
use crate::service::{Service, tool};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A program of the virtual environment; says so when it is missing.
fn python_client(name: &str) -> Option<PathBuf> {
    let path = repository().join("target/test-clients/bin").join(name);
    if path.exists() || !lab::not_run(&format!("{name} is missing: scripts/test-clients.sh")) {
        return path.exists().then_some(path);
    }
    None
}

fn said(done: &Output) -> String {
    let both = [done.stdout.as_slice(), done.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// One curl command of a page, and what stands below it: pieces of its output, in their order.
struct Example {
    command: String,
    output: Vec<String>,
}

/// A command from `curl ` to the comment after it, which is `# … piece … piece …`.
fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut lines = page.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line.starts_with("curl ") {
            let (mut command, mut output) = (line.to_owned(), String::new());
            for line in lines.by_ref() {
                if let Some(pieces) = line.strip_prefix("# …") {
                    output = pieces.to_owned();
                    break;
                }
                command = format!("{command}\n{line}");
            }
            let pieces = output.split('…').map(str::trim);
            let pieces = pieces.filter(|piece| !piece.is_empty());
            let output = pieces.map(str::to_owned).collect();
            examples.push(Example { command, output });
        }
    }
    examples
}

#[tokio::test(flavor = "multi_thread")]
async fn the_curl_examples_of_the_docs_print_what_they_say() {
    let _alone = lab::alone().await;
    let languages = ["python", "node", "bash"];
    if lab::program("curl", "curl").is_none() || !languages.into_iter().all(lab::can_run) {
        return;
    }
    let service = Service::start("examples", "");
    let address = service.base.strip_prefix("http://").unwrap();
    for (page, least) in [("README.md", 3), ("docs/api.md", 3)] {
        let text = std::fs::read_to_string(repository().join(page)).unwrap();
        let examples = examples(&text);
        assert!(examples.len() >= least, "{page} has {}", examples.len());
        for Example { command, output } in examples {
            let here = command.replace("localhost:8080", address);
            let script = format!(
                "set -eo pipefail\ncurl() {{ command curl --fail-with-body \"$@\"; }}\n{here}"
            );
            let done = Command::new("bash").args(["-c", &script]).output().unwrap();
            let said = said(&done);
            assert!(done.status.success(), "{page}: {command}\n{said}");
            assert!(!output.is_empty(), "{page}: {command} shows no output");
            let mut rest = said.as_str();
            for piece in output {
                let found = rest.find(&piece);
                let at = found.unwrap_or_else(|| panic!("{page}: {command}\n{piece} in {said}"));
                rest = &rest[at + piece.len()..];
            }
        }
    }
    service.stop();
}

/// What a user of the client writes; only the address is ours.
const PISTON: &str = "
import sys
from ultra_piston import File, PistonClient
client = PistonClient(base_url=sys.argv[1] + '/api/v2', rate_limit=0, app_name='test')
runtimes = {runtime.language: runtime for runtime in client.get_runtimes()}
assert {'python', 'javascript', 'bash'} <= set(runtimes), runtimes
for language, code, out in [
    ('python', 'import sys; print(sys.argv[1], input())', 'one two\\n'),
    ('javascript', 'console.log(process.argv[2], 7 * 6)', 'one 42\\n'),
    ('bash', 'read line; echo $1 $line; exit 3', 'one two\\n'),
]:
    done = client.post_execute(language, runtimes[language].version, File(content=code), stdin='two\\n', args=['one'], run_timeout=20000)
    assert done.run.stdout == out, done
    assert done.run.code == (3 if language == 'bash' else 0), done
    print(done.language, done.version, repr(done.run.stdout))
";

#[tokio::test(flavor = "multi_thread")]
async fn a_piston_client_from_pypi_runs_jobs_unchanged() {
    let _alone = lab::alone().await;
    let Some(python) = python_client("python") else {
        return;
    };
    if !["python", "node", "bash"].into_iter().all(lab::can_run) {
        return;
    }
    let service = Service::start("piston", "");
    // The client waits 5 seconds at most; a language's first job makes its snapshot.
    for language in ["python", "node", "bash"] {
        let first = json!({"language": language, "code": "1"});
        service.execute(&first).await;
    }
    let mut client = Command::new(python);
    let client = client.args(["-c", PISTON, &service.base]);
    let done = client.output().unwrap();
    assert!(done.status.success(), "{}", said(&done));
    print!("ultra-piston: {}", said(&done));
    service.stop();
}

/// Routes that answer with events for as long as somebody listens are asked for JSON by default.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_that_openapi_allows_gets_a_500_or_an_undocumented_answer() {
    let _alone = lab::alone().await;
    let Some(schemathesis) = python_client("schemathesis") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let keys_file = dir.path().join("keys.json");
    let limits = "[server.key_defaults]\nrequests_per_second = 100000.0\nburst = 100000\n";
    let more = format!("[server]\nkeys_file = {keys_file:?}\n{limits}");
    let config = lab::config_file("openapi", &more);
    let add = ["keys", "add", "tester", "--run", "--admin"];
    let key = tool(&config).args(add).output().unwrap().stdout;
    let key = String::from_utf8(key).unwrap();
    let service = Service::start("openapi", &more);
    let examples = std::env::var("LLM_FIRECRACKER_EXAMPLES").unwrap_or_else(|_| "12".into());
    let done = Command::new(schemathesis)
        .current_dir(dir.path())
        .arg("run")
        .arg(format!("{}/openapi.json", service.base))
        .args(["--max-examples", &examples, "--seed", "1", "--no-color"])
        .args(["--request-timeout", "120", "--continue-on-failure"])
        // Not "stateful": since languages without an image are listed it waits for minutes, and why is not known.
        .args(["--phases", "examples,coverage,fuzzing"])
        // What the schema cannot say: a path below the work folder, a language that has an image.
        .args(["--exclude-checks", "positive_data_acceptance"])
        // Streams that end when their client goes, which a tester never does, and cells, each of which may run as long
        // as its interpreter lets it: `server/tests/http/sandboxes` has these.
        .args([
            "--exclude-path-regex",
            "sandboxes/[^/]+/(contexts|execute|files/watch)",
        ])
        .args(["--header", &format!("Authorization: Bearer {}", key.trim())])
        .output()
        .unwrap();
    let said = said(&done);
    let log = service.stop();
    assert!(done.status.success(), "{said}\n{log}");
    let summary = said.lines().rev().take(20).collect::<Vec<_>>();
    println!(
        "{}",
        summary.into_iter().rev().collect::<Vec<_>>().join("\n")
    );
}
