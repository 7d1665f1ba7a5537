//! Bodies of requests, up to the job that they become.

use protocol::job::JobRequest;
use protocol::language::Language;
use protocol::limits::{MAX_CODE_BYTES, MAX_FILES, MAX_FILES_BYTES, MAX_TIMEOUT_SECONDS};
use protocol::packages::MAX_REQUIREMENTS;
use protocol::packages::program::{PACKAGE_JSON, Program};
use protocol::packages::rules::PackageRules;
use protocol::path::check_relative;
use protocol::validate::Policy;
use sandbox::config::Config;
use serde_json::{Map, Value};
use server::body::parse;
use server::e2b::envd::connect::{Envelope, Envelopes};
use server::e2b::envd::multipart::{Form, PartHead, Piece};
use server::execute::request::ExecuteRequest;
use server::problem::Problem;
use server::sessions::body::{CellRequest, SessionBody, SessionRequest};
use std::sync::OnceLock;

/// `POST /api/v1/execute`.
pub fn execute(bytes: &[u8]) {
    match parse::<ExecuteRequest>(bytes) {
        Err(problem) => is_plain(&problem),
        Ok(request) => match request.submission(None) {
            Err(rejection) => is_plain(&rejection.into()),
            Ok(submission) => {
                needs(&submission.request, &submission.packages);
                stays_in_bounds(policy(), submission.request);
            }
        },
    }
}

/// Packages of a program, where any may be asked for: names with versions come of it, or words.
fn needs(request: &JobRequest, named: &[String]) {
    let Some(language) = Language::from_label(&request.language) else {
        return;
    };
    let mut files = request.files.iter();
    let program = Program {
        language,
        code: &request.code,
        package_json: files
            .find(|file| file.path == PACKAGE_JSON)
            .map(|file| &file.data.0[..]),
        named,
        python_version: "3.13.5",
    };
    match program.needs(&PackageRules::default().with_any()) {
        Err(rejection) => is_plain(&rejection.into()),
        Ok(needs) => {
            let lines = needs.packages.map(|all| all.lines()).unwrap_or_default();
            assert!(lines.len() <= MAX_REQUIREMENTS);
            let is_option = |line: &String| line.starts_with('-') || line.contains("://");
            assert!(!lines.iter().any(is_option), "{lines:?}");
        }
    }
}

/// `POST /api/v2/execute`, in Piston's words.
pub fn piston(bytes: &[u8]) {
    match parse::<Map<String, Value>>(bytes) {
        Err(problem) => is_plain(&problem),
        Ok(body) => match server::piston::request::parse(body, policy()) {
            Err(sentence) => is_plain(&server::piston::request::refused(sentence)),
            Ok(asked) => {
                assert!(asked.stdin.ends_with('\n'));
                stays_in_bounds(policy(), asked.job);
            }
        },
    }
}

/// A stream of the Connect protocol, as E2B's clients send input: however it is cut, the same comes out, and no more is
/// held than came in.
pub fn envelopes(bytes: &[u8]) {
    let whole = cut_into(bytes, bytes.len());
    assert_eq!(whole, cut_into(bytes, 7));
    for message in whole {
        if let Err(problem) = parse::<Map<String, Value>>(&message) {
            is_plain(&problem);
        }
    }
}

/// The messages of a stream that comes in pieces of this size.
fn cut_into(bytes: &[u8], size: usize) -> Vec<Vec<u8>> {
    let mut envelopes = Envelopes::default();
    let mut messages = Vec::new();
    for piece in bytes.chunks(size.max(1)) {
        envelopes.push(piece);
        assert!(envelopes.held() <= bytes.len());
        loop {
            match envelopes.next_whole() {
                Ok(Some(Envelope::Message(message))) => messages.push(message),
                Ok(Some(Envelope::End)) | Err(_) => return messages,
                Ok(None) => break,
            }
        }
    }
    messages
}

/// A form of files, whose boundary is `B`: however it is cut, the same parts come out.
pub fn form(bytes: &[u8]) {
    assert_eq!(parts(bytes, bytes.len()), parts(bytes, 5));
}

/// Names and contents of a form's parts, or that it is none.
fn parts(bytes: &[u8], size: usize) -> Option<Vec<(PartHead, Vec<u8>)>> {
    let mut form = Form::between("B");
    let mut parts: Vec<(PartHead, Vec<u8>)> = Vec::new();
    for piece in bytes.chunks(size.max(1)) {
        form.push(piece);
        while let Some(piece) = form.next_piece().ok()? {
            match piece {
                Piece::Part(head) => parts.push((head, Vec::new())),
                Piece::Data(data) => parts.last_mut()?.1.extend_from_slice(&data),
                Piece::PartEnd => {}
                Piece::Over => return Some(parts),
            }
        }
    }
    form.finish().ok()?;
    Some(parts)
}

/// `POST /api/v1/sessions` and a session's programs.
pub fn sessions(bytes: &[u8]) {
    match parse::<SessionRequest>(bytes) {
        Err(problem) => is_plain(&problem),
        Ok(request) => match request.seconds(&server::config::SessionBounds::default()) {
            Err(problem) => is_plain(&problem),
            Ok(_) => stays_in_bounds(policy(), request.job()),
        },
    }
    if let Ok(cell) = parse::<CellRequest>(bytes) {
        let session = SessionBody {
            id: String::new(),
            language: "python",
            created_at: String::new(),
            expires_at: String::new(),
            busy: false,
            idle_timeout: 1.0,
            timeout: 1.0,
            memory_mib: 512,
            vcpus: 1,
        };
        stays_in_bounds(policy(), cell.job(&session).0);
    }
}

/// What passes is within every bound that no configuration lifts; what does not is refused in words.
pub(crate) fn stays_in_bounds(policy: &Policy, request: JobRequest) {
    let job = match policy.validate(request) {
        Ok(job) => job,
        Err(rejection) => return is_plain(&rejection.into()),
    };
    assert!((1..=MAX_CODE_BYTES).contains(&job.code.len()));
    for time in [job.limits.timeout, job.limits.compile_timeout] {
        assert!(!time.is_zero() && time.as_secs_f64() <= MAX_TIMEOUT_SECONDS);
    }
    if let Some(bucket) = job.normalize_time {
        assert!(!bucket.is_zero() && bucket.as_secs_f64() <= MAX_TIMEOUT_SECONDS);
    }
    let bytes: usize = job.files.iter().map(|file| file.data.0.len()).sum();
    assert!(job.files.len() <= MAX_FILES && bytes <= MAX_FILES_BYTES);
    assert!(
        job.files
            .iter()
            .all(|file| check_relative(&file.path).is_ok())
    );
    let has_nul = |text: &String| text.contains('\0');
    assert!(!job.args.iter().any(has_nul));
    assert!(
        !job.env
            .iter()
            .any(|(name, value)| has_nul(name) || has_nul(value))
    );
}

/// A refusal says something, and nothing that a terminal acts on.
fn is_plain(problem: &Problem) {
    assert!(!problem.detail.is_empty());
    assert!(
        !problem.detail.chars().any(char::is_control),
        "{:?}",
        problem.detail
    );
    assert!(
        problem.detail.len() <= 4096,
        "{} bytes",
        problem.detail.len()
    );
}

/// The default configuration's; its patterns are compiled once.
pub(crate) fn policy() -> &'static Policy {
    static POLICY: OnceLock<Policy> = OnceLock::new();
    POLICY.get_or_init(|| match Config::default().policy() {
        Ok(policy) => policy,
        Err(error) => panic!("the default configuration is refused: {error}"),
    })
}
