//! What a result says of its ending, and as JSON.

use super::*;

fn result(status: Status) -> JobResult {
    let failure = Failure {
        code: ErrorCode::HostFailed,
        message: "x".into(),
        field: None,
    };
    JobResult::failed(TraceId::parse("t").unwrap(), status, failure)
}

#[test]
fn seconds_are_told_to_the_microsecond() {
    let timings = Timings {
        queue: 0.1 + 0.2,
        boot: 0.123_456_789,
        total: 1e9 + 0.1,
        ..Timings::default()
    };
    let told = serde_json::to_string(&timings).unwrap();
    assert!(
        told.starts_with(r#"{"queue":0.3,"boot":0.123457,"compile":0.0,"#),
        "{told}"
    );
    assert!(told.contains(r#""total":1000000000.1,"#), "{told}");
}

#[test]
fn the_tools_exit_code_tells_the_ending() {
    assert_eq!(result(Status::Timeout).tool_exit_code(), 124);
    assert_eq!(result(Status::Oom).tool_exit_code(), 137);
    assert_eq!(result(Status::Rejected).tool_exit_code(), 2);
    assert_eq!(result(Status::Internal).tool_exit_code(), 125);
    let mut own = result(Status::Error);
    own.exit_code = Some(3);
    assert_eq!(own.tool_exit_code(), 3);
    own.exit_code = None;
    own.signal = Some(11);
    assert_eq!(own.tool_exit_code(), 139);
}

#[test]
fn bytes_that_are_no_text_come_as_base64_too() {
    let mut result = result(Status::Ok);
    result.stdout = b"a\0\xff".to_vec();
    result.stderr = "ü".into();
    let json = serde_json::to_value(&result).unwrap();
    assert_eq!(json["stdout"], "a\0\u{fffd}");
    assert_eq!(json["stdout_base64"], "YQD/");
    assert_eq!(json["stderr"], "ü");
    assert!(json.get("stderr_base64").is_none());
}
