//! A registry made up here that answers what a test wants: tokens, other bytes, too many, none.

use crate::oci::digest::Digest;
use crate::oci::tests::fixture::{Lab, Stored, Tar, gzipped, listed};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request's path and its `authorization`.
type Asked = (String, Option<String>);
/// Status and further header lines, body.
type Answer = (&'static str, Vec<u8>);

/// Answers of a registry, by path; a path that has several gives them in turn and the last for good.
struct Fake {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    fn new(answers: impl FnOnce(&str) -> BTreeMap<String, Vec<Answer>>) -> Fake {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, mut answers) = (Arc::clone(&asked), answers(&address));
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(request) = read(&stream) else {
                    continue;
                };
                let path = request.0.clone();
                log.lock().unwrap().push(request);
                let answer = answers.get_mut(&path).map(|all| match all.len() {
                    1 => all[0].clone(),
                    _ => all.remove(0),
                });
                let (head, body) = answer.unwrap_or(("404 Not Found\r\n", Vec::new()));
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {head}content-length: {length}\r\nconnection: close\r\n\r\n");
                let _ = (&stream).write_all(head.as_bytes());
                let _ = (&stream).write_all(&body);
            }
        });
        Fake { address, asked }
    }

    fn paths(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(path, _)| path.clone()).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let mut authorization = None;
    for line in lines {
        let line = line.ok()?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ")?;
        if name.eq_ignore_ascii_case("authorization") {
            authorization = Some(value.to_owned());
        }
    }
    Some((path, authorization))
}

const OK: &str = "200 OK\r\n";
const GONE: &str = "503 Service Unavailable\r\n";

/// An image of one layer, as a registry has it under `own/image`; `change` puts other answers in.
fn image(change: impl FnOnce(&str, &Digests, &mut BTreeMap<String, Vec<Answer>>)) -> Fake {
    let layer = layer();
    let config =
        json!({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [layer.diff_id]}});
    let config = config.to_string().into_bytes();
    let descriptor = |kind: &str, bytes: &[u8]| json!({"mediaType": kind, "size": bytes.len(), "digest": Digest::of(bytes).to_string()});
    let manifest = json!({
        "schemaVersion": 2,
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &layer.bytes)],
    });
    let manifest = manifest.to_string().into_bytes();
    let digests = Digests {
        manifest: Digest::of(&manifest).to_string(),
        layer: Digest::of(&layer.bytes).to_string(),
    };
    Fake::new(|address| {
        let at = |kind: &str, name: &str| format!("/v2/own/image/{kind}/{name}");
        let mut answers = BTreeMap::from([
            (at("manifests", "1"), vec![(OK, manifest.clone())]),
            (at("manifests", &digests.manifest), vec![(OK, manifest)]),
            (
                at("blobs", &Digest::of(&config).to_string()),
                vec![(OK, config)],
            ),
            (at("blobs", &digests.layer), vec![(OK, layer.bytes)]),
        ]);
        change(address, &digests, &mut answers);
        answers
    })
}

struct Digests {
    manifest: String,
    layer: String,
}

fn layer() -> Stored {
    gzipped(Tar::new().file("a", "1").done())
}

fn bring(fake: &Fake, name: &str) -> Result<(Vec<String>, Option<String>), String> {
    let lab = Lab::new();
    let brought = lab.bring_from(&format!("{}/own/image{name}", fake.address));
    brought
        .map(|brought| (listed(&brought.root), brought.reference))
        .map_err(|error| {
            assert!(!lab.path("scratch/root").exists());
            error.to_string()
        })
}

#[test]
fn a_tag_is_asked_for_once_and_its_digest_written_down() {
    let mut digest = String::new();
    let fake = image(|_, digests, _| digest.clone_from(&digests.manifest));
    let (tree, reference) = bring(&fake, ":1").unwrap();
    assert_eq!(tree, ["a 644 1"]);
    let reference = reference.unwrap();
    assert_eq!(reference, format!("{}/own/image@{digest}", fake.address));
    let tags = fake.paths();
    assert_eq!(
        tags.iter()
            .filter(|path| path.ends_with("/manifests/1"))
            .count(),
        1
    );
    assert!(bring(&fake, &format!("@{digest}")).is_ok());
    assert!(bring(&fake, &format!(":any@{digest}")).is_ok());
}

#[test]
fn a_token_is_fetched_where_one_is_wanted() {
    let fake = image(|address, _, answers| {
        let head = format!(
            "401 Unauthorized\r\nwww-authenticate: Bearer realm=\"http://{address}/token\",service=\"own\"\r\n"
        );
        let head: &'static str = Box::leak(head.into_boxed_str());
        answers
            .get_mut("/v2/own/image/manifests/1")
            .unwrap()
            .insert(0, (head, Vec::new()));
        let path = "/token?scope=repository%3Aown%2Fimage%3Apull&service=own";
        answers.insert(path.to_owned(), vec![(OK, br#"{"token":"abc"}"#.to_vec())]);
    });
    bring(&fake, ":1").unwrap();
    let asked = fake.asked.lock().unwrap().clone();
    let last = asked.last().unwrap();
    assert_eq!(last.1.as_deref(), Some("Bearer abc"));
    assert_eq!(asked[0].1, None);
}

#[test]
fn other_answers_than_promised_are_refused() {
    type Change = fn(&str, &Digests, &mut BTreeMap<String, Vec<Answer>>);
    fn blob(digests: &Digests) -> String {
        format!("/v2/own/image/blobs/{}", digests.layer)
    }
    let cases: [(Change, &str); 7] = [
        (
            |_, digests, answers| drop(answers.remove(&blob(digests))),
            "the answer is 404",
        ),
        (
            |_, digests, answers| {
                let mut other = layer().bytes;
                other[20] ^= 1;
                drop(answers.insert(blob(digests), vec![(OK, other)]));
            },
            "has the digest sha256:",
        ),
        (
            |_, digests, answers| drop(answers.insert(blob(digests), vec![(OK, vec![0; 1 << 20])])),
            "as promised",
        ),
        (
            |_, digests, answers| drop(answers.insert(blob(digests), vec![(OK, vec![0; 3])])),
            "has 3 bytes, not",
        ),
        (
            |_, _, answers| {
                drop(answers.insert(
                    "/v2/own/image/manifests/1".to_owned(),
                    vec![(OK, vec![b' '; 5 << 20])],
                ))
            },
            "more than the bound of 4194304",
        ),
        // Nowhere by plain HTTP, and no password to there.
        (
            |_, digests, answers| {
                let head = "307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/elsewhere\r\n";
                drop(answers.insert(blob(digests), vec![(head, Vec::new())]));
            },
            "307",
        ),
        (
            |_, _, answers| {
                let head = "401 Unauthorized\r\nwww-authenticate: Bearer realm=\"http://elsewhere.example/token\"\r\n";
                drop(answers.insert(
                    "/v2/own/image/manifests/1".to_owned(),
                    vec![(head, Vec::new())],
                ));
            },
            "it is to give tokens without TLS",
        ),
    ];
    for (change, expected) in cases {
        let error = bring(&image(change), ":1").unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let zeros = format!("@sha256:{}", "0".repeat(64));
    let other = image(|_, _, answers| {
        let manifest = answers["/v2/own/image/manifests/1"].clone();
        answers.insert(format!("/v2/own/image/manifests/{}", &zeros[1..]), manifest);
    });
    let error = bring(&other, &zeros).unwrap_err();
    assert!(error.contains("not sha256:0000"), "{error}");
}

#[test]
fn what_passes_is_tried_again() {
    let fake = image(|_, digests, answers| {
        let path = format!("/v2/own/image/blobs/{}", digests.layer);
        answers
            .get_mut(&path)
            .unwrap()
            .insert(0, (GONE, Vec::new()));
    });
    assert_eq!(bring(&fake, ":1").unwrap().0, ["a 644 1"]);
}
