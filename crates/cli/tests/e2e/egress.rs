//! Programs with a way out, in real VMs, against an outside that the test made.

mod world;

use crate::lab::{self, lab};
use crate::tool::{Done, Tool};
use serde_json::{Value, json};
use world::{HOST, OUTSIDE, World};

const SECRET: &str = "sekrit-8f1d2c-never-in-a-guest";
/// What programs ask for, one line a URL: its status and body, or the error's words.
const ASKS: &str = r#"
import json, os, sys, urllib.error, urllib.request
for line in sys.argv[1:]:
    method, url = line.split(" ", 1)
    try:
        request = urllib.request.Request(url, method=method, data=b"x" if method == "POST" else None)
        with urllib.request.urlopen(request, timeout=20) as answer:
            print(json.dumps({"url": url, "status": answer.status, "body": answer.read().decode()[:400]}))
    except urllib.error.HTTPError as error:
        print(json.dumps({"url": url, "status": error.code, "body": error.read().decode()[:400]}))
    except Exception as error:
        print(json.dumps({"url": url, "error": str(error)}))
print(json.dumps({"env": dict(os.environ)}))
"#;

fn names() -> Value {
    json!({
        "api.example": [OUTSIDE],
        "web.example": [OUTSIDE],
        "inner.example": ["10.0.0.1"],
        "loop.example": ["127.0.0.1", "::1"],
        "metadata.example": ["169.254.169.254"],
        "mapped.example": ["::ffff:10.0.0.1"],
        "mixed.example": ["10.0.0.1", OUTSIDE],
        "own.example": [HOST],
    })
}

/// An outside for python's programs; where it cannot be made, says so or fails.
fn world() -> Option<World> {
    if !lab().has("python") {
        return None;
    }
    let made = World::new(&names());
    made.inspect_err(|why| lab::not_run(&format!("a network with a policy: {why}")))
        .ok()
}

fn policies(world: &World) -> String {
    let base = std::fs::read_to_string(&lab().config).unwrap();
    let text = format!(
        r#"{base}
[egress]
resolvers = ["{OUTSIDE}:53"]
[egress.policies.web]
allow = [
  {{ host = "web.example" }}, {{ host = "web.example", ports = [80] }}, {{ host = "mixed.example" }},
  {{ host = "inner.example" }}, {{ host = "loop.example" }}, {{ host = "metadata.example" }}, {{ host = "mapped.example" }},
  {{ host = "own.example" }},
]
[egress.policies.one-api]
allow = [ {{ host = "api.example", methods = ["POST"], paths = ["/v1/*"], inject = {{ header = "authorization", value_from = "env:API_KEY", prefix = "Bearer " }} }} ]
"#
    );
    let path = world.path("config.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The tool in the namespace that has the outside as its neighbour.
fn asks(world: &World, policy: &str, lines: &[&str]) -> (Done, Value) {
    let config = policies(world);
    let done = Tool::with(&lab().state, config.as_ref())
        .within(&world.namespace())
        .env("API_KEY", SECRET)
        .env("SSL_CERT_FILE", world.path("ca.pem").to_str().unwrap())
        .program("py", ASKS)
        .args(["--json", "--egress", policy, "--"])
        .args(lines)
        .go();
    let result = done.json();
    (done, result)
}

/// Each line of what the program printed.
fn answers(result: &Value) -> Vec<Value> {
    let text = result["stdout"].as_str().unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn reason<'a>(result: &'a Value, host: &str) -> Option<&'a str> {
    let denied = result["egress"]["denied"].as_array()?;
    denied.iter().find(|it| it["host"] == host)?["reason"].as_str()
}

#[test]
fn what_a_policy_lists_is_reached_and_nothing_else() {
    let Some(world) = world() else {
        return;
    };
    let lines = [
        "GET https://web.example/a",
        "GET http://web.example/b",
        "GET https://mixed.example/c",
        "GET https://api.example/",
        "GET https://web.example:8443/",
        "GET https://inner.example/",
        "GET https://loop.example/",
        "GET https://metadata.example/",
        "GET https://mapped.example/",
        "GET https://own.example/",
        &format!("GET https://{OUTSIDE}/"),
    ];
    let (_, result) = asks(&world, "web", &lines);
    let told = answers(&result);
    assert_eq!(told.len(), lines.len() + 1, "{result}");
    for told in &told[..3] {
        assert_eq!(told["status"], 200, "{told}: {result}");
    }
    for told in &told[3..lines.len()] {
        assert!(told["error"].is_string(), "{told}: {result}");
    }
    for (host, expected) in [
        ("api.example", "host_not_listed"),
        ("inner.example", "address_not_public"),
        ("loop.example", "address_not_public"),
        ("metadata.example", "address_not_public"),
        ("mapped.example", "address_not_public"),
        ("own.example", "address_own"),
        (OUTSIDE, "address_literal"),
    ] {
        assert_eq!(reason(&result, host), Some(expected), "{host}: {result}");
    }
    assert_eq!(result["egress"]["connections"], 3, "{result}");
    // Nobody was asked for a name that no rule has.
    let heard = world.heard();
    assert!(
        !heard.iter().any(|line| line.starts_with("dns api.example")),
        "{heard:?}"
    );
    assert!(
        heard.iter().any(|line| line.starts_with("http GET /a")),
        "{heard:?}"
    );
}

#[test]
fn a_secret_goes_to_the_api_that_a_rule_names_and_is_nowhere_in_the_guest() {
    let Some(world) = world() else {
        return;
    };
    let lines = [
        "POST https://api.example/v1/messages",
        "GET https://api.example/v1/messages",
        "POST https://api.example/v2/messages",
        "POST https://api.example/v1/%2e%2e/admin",
    ];
    let (done, result) = asks(&world, "one-api", &lines);
    let told = answers(&result);
    assert_eq!(told[0]["status"], 200, "{result}");
    for told in &told[1..4] {
        assert_eq!(told["status"], 403, "{told}: {result}");
    }
    let heard = world.heard();
    let upstream: Vec<&String> = heard
        .iter()
        .filter(|line| line.starts_with("http "))
        .collect();
    assert_eq!(
        upstream,
        [&format!("http POST /v1/messages Bearer {SECRET}")]
    );
    // The stand-in shows the request in its answer: that is the one way in which a guest gets to see it.
    let of_guest = format!("{}{:?}", told[4], &told[1..4]);
    assert!(!of_guest.contains(SECRET), "{of_guest}");
    let key = told[4]["env"]["API_KEY"].as_str().unwrap();
    assert!(key.starts_with("placeholder-"), "{key}");
    assert!(!String::from_utf8_lossy(&done.stderr).contains(SECRET));
}

#[test]
fn without_a_policy_there_is_no_network_and_an_unknown_one_is_refused() {
    if !lab().has("python") {
        return;
    }
    let asked = "import socket; socket.create_connection(('93.184.216.2', 443), 5)";
    let done = Tool::run("py", asked).go();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("Network is unreachable"), "{said}");
    let done = Tool::run("py", "1")
        .args(["--json", "--egress", "nosuch"])
        .go();
    let result = done.json();
    assert_eq!(result["failure"]["code"], "egress_unknown", "{result}");
    assert_eq!(done.status.code(), Some(2));
}
