//! Bodies of requests, up to the job that they become.

use protocol::job::JobRequest;
use protocol::limits::{MAX_CODE_BYTES, MAX_FILES, MAX_FILES_BYTES, MAX_TIMEOUT_SECONDS};
use protocol::path::check_relative;
use protocol::validate::Policy;
use sandbox::config::Config;
use serde_json::{Map, Value};
use server::body::parse;
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
            Ok(submission) => stays_in_bounds(policy(), submission.request),
        },
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
