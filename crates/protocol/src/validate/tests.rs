use super::*;
use crate::job::JobFile;
use crate::limits::default_maxima;
use proptest::prelude::*;

fn policy() -> Policy {
    Policy {
        defaults: LimitValues::default(),
        maxima: default_maxima(),
        scan_mode: ScanMode::Warn,
        scanner: Scanner::new(&[]).unwrap(),
        sandboxes: SandboxRules::default(),
    }
}

fn request() -> JobRequest {
    JobRequest {
        language: "python".into(),
        code: "print(1)".into(),
        ..JobRequest::default()
    }
}

fn code_of(change: impl FnOnce(&mut JobRequest)) -> Option<ErrorCode> {
    let mut request = request();
    change(&mut request);
    policy().validate(request).err().map(|r| r.code)
}

#[test]
fn the_defaults_are_as_documented() {
    let job = policy().validate(request()).unwrap();
    assert_eq!(job.limits.timeout, Duration::from_secs(10));
    assert_eq!((job.limits.memory_mib, job.limits.vcpus), (512, 1));
    assert_eq!(job.limits.output_bytes, 1024 * 1024);
    assert_eq!(job.trace_id.as_str().len(), 36);
}

#[test]
fn a_language_has_its_aliases_in_any_case_and_a_slip_is_answered() {
    let of = |name: &str| {
        policy().validate(JobRequest {
            language: name.into(),
            ..request()
        })
    };
    for (name, language) in [
        ("Python", "python"),
        ("python3", "python"),
        ("JavaScript", "node"),
    ] {
        assert_eq!(of(name).unwrap().language.name(), language);
    }
    let refused = of("pyhton").unwrap_err().to_string();
    assert!(
        refused.contains("did you mean python? There are bash"),
        "{refused}"
    );
}

#[test]
fn code_is_bounded_to_the_byte() {
    assert_eq!(code_of(|r| r.code = "#".repeat(MAX_CODE_BYTES)), None);
    assert_eq!(
        code_of(|r| r.code = "#".repeat(MAX_CODE_BYTES + 1)),
        Some(ErrorCode::CodeTooLarge)
    );
    assert_eq!(
        code_of(|r| r.code = String::new()),
        Some(ErrorCode::CodeEmpty)
    );
    assert_eq!(
        code_from_bytes(vec![b'a', 0xff]).unwrap_err().code,
        ErrorCode::CodeNotUtf8
    );
}

#[test]
fn a_bucket_of_time_is_within_what_anybody_would_wait() {
    for (millis, fine) in [(0, false), (1, true), (300_000, true), (300_001, false)] {
        let bucket = Duration::from_millis(millis);
        let code = code_of(|r| r.normalize_time = Some(bucket));
        assert_eq!(code.is_none(), fine, "{bucket:?}");
    }
    let for_ever = code_of(|r| r.normalize_time = Some(Duration::MAX));
    assert_eq!(for_ever, Some(ErrorCode::LimitInvalid));
}

#[test]
fn variables_are_counted() {
    let many = |count: usize| {
        code_of(|r| {
            r.env = (0..count)
                .map(|n| (format!("A{n}"), String::new()))
                .collect()
        })
    };
    assert_eq!(many(MAX_ENV), None);
    assert_eq!(many(MAX_ENV + 1), Some(ErrorCode::EnvInvalid));
}

#[test]
fn timeouts_outside_the_bounds_are_refused() {
    for wrong in [0.0, -1.0, 300.001, f64::NAN, f64::INFINITY, 1e308, -0.0] {
        assert_eq!(
            code_of(|r| r.limits.timeout_seconds = Some(wrong)),
            Some(ErrorCode::TimeoutInvalid),
            "{wrong}"
        );
    }
    for right in [300.0, 0.5, 1e-9] {
        assert_eq!(code_of(|r| r.limits.timeout_seconds = Some(right)), None);
    }
}

#[test]
fn sizes_are_refused_in_units_that_people_write() {
    for (number, unit, shown) in [
        (9216, Unit::Mib, "9 GiB"),
        (128, Unit::Mib, "128 MiB"),
        (9217, Unit::Mib, "9217 MiB"),
        (0, Unit::Mib, "0 MiB"),
        (1, Unit::Bytes, "1 bytes"),
        (1 << 20, Unit::Bytes, "1 MiB"),
        (u64::MAX, Unit::Bytes, "18446744073709551615 bytes"),
        (1 << 60, Unit::Mib, "1099511627776 TiB"),
        (1024, Unit::None, "1024"),
    ] {
        assert_eq!(unit.shown(number), shown);
    }
}

#[test]
fn numbers_outside_the_maxima_are_refused() {
    for (code, change) in [
        (
            ErrorCode::MemoryInvalid,
            (|r| r.limits.memory_mib = Some(u64::MAX)) as fn(&mut JobRequest),
        ),
        (ErrorCode::MemoryInvalid, |r| {
            r.limits.memory_mib = Some(127)
        }),
        (ErrorCode::VcpusInvalid, |r| r.limits.vcpus = Some(0)),
        (ErrorCode::VcpusInvalid, |r| r.limits.vcpus = Some(1 << 40)),
        (ErrorCode::LimitInvalid, |r| r.limits.pids = Some(0)),
        (ErrorCode::LanguageUnknown, |r| r.language = "Pythn".into()),
        (ErrorCode::LanguageUnknown, |r| {
            r.language = "x".repeat(10_000_000)
        }),
        (ErrorCode::TraceIdInvalid, |r| {
            r.trace_id = Some("../../x".into())
        }),
        (ErrorCode::ArgsInvalid, |r| r.args = vec!["a\0b".into()]),
        (ErrorCode::EnvInvalid, |r| {
            r.env.insert("A=B".into(), "".into());
        }),
        (ErrorCode::FilesInvalid, |r| {
            r.files = vec![JobFile {
                path: "../x".into(),
                data: Default::default(),
            }]
        }),
    ] {
        assert_eq!(code_of(change), Some(code));
    }
}

#[test]
fn a_refusal_shows_no_raw_control_characters() {
    let mut wrong = request();
    wrong.language = "\u{202e}\x1b[31m\0".into();
    let message = policy().validate(wrong).unwrap_err().to_string();
    assert!(message.chars().all(|c| !c.is_control() && c != '\u{202e}'));
}

#[test]
fn the_scan_warns_blocks_or_looks_away() {
    let bomb = |mode| {
        let mut request = request();
        request.code = ":(){ :|:& };:".into();
        request.scan = mode;
        policy().validate(request)
    };
    assert_eq!(bomb(None).unwrap().patterns_found, ["fork-bomb"]);
    assert!(bomb(Some(ScanMode::Off)).unwrap().patterns_found.is_empty());
    assert_eq!(
        bomb(Some(ScanMode::Block)).unwrap_err().code,
        ErrorCode::PatternBlocked
    );
}

proptest! {
    #[test]
    fn whatever_passes_is_within_every_bound(
        language in prop_oneof![Just("bash".to_owned()), ".{0,8}"],
        code in ".{0,64}",
        timeout in proptest::option::of(any::<f64>()),
        memory in proptest::option::of(any::<u64>()),
        vcpus in proptest::option::of(0u64..8),
        trace_id in proptest::option::of(".{0,70}"),
        args in proptest::collection::vec(".{0,20}", 0..4),
    ) {
        let request = JobRequest {
            language, code, trace_id, args,
            limits: RequestedLimits { timeout_seconds: timeout, memory_mib: memory, vcpus, ..Default::default() },
            ..JobRequest::default()
        };
        match policy().validate(request) {
            Ok(job) => {
                prop_assert!(job.limits.timeout > Duration::ZERO && job.limits.timeout <= Duration::from_secs(300));
                prop_assert!((128..=4096).contains(&job.limits.memory_mib));
                prop_assert!((1..=4).contains(&job.limits.vcpus));
                prop_assert!(!job.code.is_empty());
            }
            Err(rejection) => prop_assert!(rejection.to_string().len() < 1024),
        }
    }
}

#[test]
fn a_root_is_writable_where_it_may_be_and_as_large_as_the_memory_allows() {
    let asked = |allowed, writable_mib, memory_mib| {
        let policy = Policy {
            sandboxes: SandboxRules {
                writable: allowed,
                ..SandboxRules::default()
            },
            ..policy()
        };
        let limits = RequestedLimits {
            writable_mib,
            memory_mib: Some(memory_mib),
            ..RequestedLimits::default()
        };
        let job = policy.validate(JobRequest {
            limits,
            ..request()
        });
        job.map(|job| job.limits.writable_mib)
            .map_err(|rejection| (rejection.code, rejection.field))
    };
    let too_large = Err((ErrorCode::LimitInvalid, "writable_mib"));
    for (allowed, writable_mib, memory_mib, expected) in [
        (false, None, 512, Ok(0)),
        (true, None, 512, Ok(0)),
        (
            false,
            Some(0),
            512,
            Err((ErrorCode::WritableForbidden, "writable")),
        ),
        (true, Some(0), 512, Ok(128)),
        (true, Some(256), 512, Ok(256)),
        (true, Some(257), 512, too_large),
        (true, Some(2048), 4096, Ok(2048)),
        (true, Some(u64::MAX), 4096, too_large),
    ] {
        assert_eq!(
            asked(allowed, writable_mib, memory_mib),
            expected,
            "{allowed} {writable_mib:?} of {memory_mib}"
        );
    }
}
