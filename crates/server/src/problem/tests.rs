//! Problems as clients get them.

use super::*;

#[test]
fn no_code_stands_in_both_tables() {
    let mut seen = std::collections::HashSet::new();
    let http = HTTP_CODES.iter().map(|code| code.as_str());
    let jobs = protocol::error_code::ERROR_CODES
        .iter()
        .map(|code| code.as_str());
    for code in http.chain(jobs) {
        assert!(seen.insert(code), "{code}");
    }
}

#[test]
fn an_event_of_a_refusal_says_nothing_that_the_client_sent() {
    let secret = "DB_PASSWORD=hunter2";
    for (field, public) in [
        ("env", Some("env")),
        ("env.DB_PASSWORD=hunter2", Some("env")),
        ("files[3].hunter2", Some("files")),
        (secret, None),
        ("", None),
    ] {
        let problem = Problem::with(HttpCode::FieldInvalid, secret).field(field);
        assert_eq!(problem.public_field(), public, "{field}");
        assert!(!problem.public_sentence().contains("hunter2"));
        assert!(problem.public_sentence().contains("field_invalid"));
    }
}

#[test]
fn what_the_inside_says_stays_inside() {
    for code in protocol::error_code::ERROR_CODES {
        let failure = Failure {
            code: *code,
            message: "cannot open /var/lib/x\n  console: panicked at src/main.rs".into(),
            field: None,
        };
        let problem = Problem::failed(&failure, "t");
        let of_host = matches!(
            code,
            ErrorCode::ImageMissing | ErrorCode::ImageDamaged | ErrorCode::PackagesUnavailable
        );
        if problem.status.as_u16() == 500 || of_host {
            assert!(!problem.detail.contains("/var"), "{code}");
        }
    }
}
