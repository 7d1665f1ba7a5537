//! What may be asked for of a process, and what a list shows of one.

use super::*;
use serde_json::json;

#[test]
fn one_of_two_says_what_is_run() {
    for (body, argv) in [
        (
            json!({"cmd": "a | b"}),
            Ok(vec!["/bin/bash", "-c", "a | b"]),
        ),
        (json!({"argv": ["ls", "", "-l"]}), Ok(vec!["ls", "", "-l"])),
        (json!({}), Err("cmd")),
        (json!({"cmd": "a", "argv": ["a"]}), Err("argv")),
        (json!({"argv": []}), Err("argv")),
        (json!({"argv": [""]}), Err("argv")),
    ] {
        let request: ProcessRequest = serde_json::from_value(body.clone()).unwrap();
        let command = request.command().map(|(_, _, argv)| argv);
        let command = command.map_err(|problem| problem.field.unwrap());
        assert_eq!(
            command,
            argv.map(|argv| argv.into_iter().map(str::to_owned).collect())
                .map_err(str::to_owned),
            "{body}"
        );
    }
}

#[test]
fn output_is_kept_up_to_what_a_sandbox_may_keep() {
    for (asked, kept) in [
        (None, Some(DEFAULT_KEPT_BYTES)),
        (Some(0), Some(0)),
        (Some(MAX_KEPT_BYTES), Some(MAX_KEPT_BYTES)),
        (Some(MAX_KEPT_BYTES + 1), None),
    ] {
        let request = ProcessRequest {
            kept_bytes: asked,
            ..ProcessRequest::default()
        };
        assert_eq!(request.kept_bytes().ok(), kept);
    }
}

#[test]
fn a_list_has_the_beginning_of_arguments() {
    let owned = |argv: &[&str]| {
        argv.iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let long = "ü".repeat(2000);
    assert_eq!(
        beginning(owned(&["ls", "", "-l"])),
        owned(&["ls", "", "-l"])
    );
    let cut = beginning(owned(&["x", &long, "y"]));
    assert_eq!(cut, owned(&["x", &"ü".repeat(510)]));
    assert!(beginning(vec![String::new(); 1024]).len() < 400);
}

#[test]
fn a_terminal_has_a_size() {
    let size = |rows, columns| SizeBody { rows, columns }.size("pty").is_ok();
    assert!(size(1, 1) && !size(0, 80) && !size(24, 0));
}
