//! What a program returns is what its profile says, for calls and arguments drawn at random.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod bpf;

use bpf::{AUDIT_ARCH_X86_64, Call};
use proptest::prelude::*;
use seccomp::condition::{Condition, Operator, Width};
use seccomp::{Action, Arch, Profile};

/// The kernel's return values (include/uapi/linux/seccomp.h).
fn returned(action: Action) -> u32 {
    match action {
        Action::Allow => 0x7fff_0000,
        Action::Log => 0x7ffc_0000,
        Action::Trap => 0x0003_0000,
        Action::KillThread => 0,
        Action::KillProcess => 0x8000_0000,
        Action::Errno(number) => 0x0005_0000 | u32::from(number),
    }
}

/// The profile read as its documentation says, without BPF.
fn expected(profile: &Profile, arch: Arch, call: &Call) -> Action {
    let name = arch.name(i64::from(call.number));
    let matching = profile.filters.iter().find(|filter| {
        Some(filter.syscall.as_str()) == name && filter.conditions.iter().all(|c| holds(c, call))
    });
    matching.map_or(profile.default_action, |filter| filter.action)
}

fn holds(condition: &Condition, call: &Call) -> bool {
    let cut = |value: u64| match condition.width {
        Width::Dword => value & 0xffff_ffff,
        Width::Qword => value,
    };
    let (argument, value) = (
        cut(call.args[usize::from(condition.index)]),
        cut(condition.val),
    );
    match condition.op {
        Operator::Eq => argument == value,
        Operator::Ne => argument != value,
        Operator::Ge => argument >= value,
        Operator::Gt => argument > value,
        Operator::Le => argument <= value,
        Operator::Lt => argument < value,
        Operator::MaskedEq(mask) => argument & cut(mask) == value & cut(mask),
    }
}

const CALLS: [&str; 8] = [
    "read", "clone", "ioctl", "socket", "ptrace", "prctl", "open", "mount",
];
const EDGES: [u64; 8] = [
    0,
    1,
    2,
    0xff,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    u64::MAX,
];

fn action() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(r#""allow""#.to_owned()),
        Just(r#""log""#.to_owned()),
        Just(r#""trap""#.to_owned()),
        Just(r#""kill_process""#.to_owned()),
        (1u16..4096).prop_map(|n| format!(r#"{{"errno":{n}}}"#)),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let op = prop_oneof![
        prop::sample::select(&["eq", "ne", "ge", "gt", "le", "lt"][..])
            .prop_map(|op| format!("{op:?}")),
        prop::sample::select(&EDGES[..]).prop_map(|mask| format!(r#"{{"masked_eq":{mask}}}"#)),
    ];
    (
        0u8..6,
        prop::bool::ANY,
        op,
        prop::sample::select(&EDGES[..]),
    )
        .prop_map(|(index, wide, op, val)| {
            let width = if wide { "qword" } else { "dword" };
            format!(r#"{{"index":{index},"type":"{width}","op":{op},"val":{val}}}"#)
        })
}

fn filter() -> impl Strategy<Value = String> {
    let own = prop::option::weighted(0.3, action());
    (
        prop::sample::select(&CALLS[..]),
        prop::collection::vec(condition(), 0..5),
        own,
    )
        .prop_map(|(call, args, own)| {
            let own = own.map_or(String::new(), |action| format!(r#","action":{action}"#));
            format!(r#"{{"syscall":"{call}","args":[{}]{own}}}"#, args.join(","))
        })
}

fn profile() -> impl Strategy<Value = String> {
    (action(), action(), prop::collection::vec(filter(), 0..5)).prop_map(
        |(default, matched, filters)| {
            format!(
                "{{\"default_action\":{default},\"filter_action\":{matched},\"filters\":[{}]}}",
                filters.join(",\n")
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_program_decides_as_its_profile_says(
        json in profile(),
        calls in prop::collection::vec((prop::sample::select(&CALLS[..]), prop::array::uniform6(prop::sample::select(&EDGES[..]))), 40),
    ) {
        // Refused profiles (two actions for one call and the like) have nothing to compare.
        if let Ok(profile) = Profile::parse(&json, "drawn") {
            let program = profile.compile_for(Arch::X86_64).unwrap();
            for (name, args) in calls {
                let call = Call::new(Arch::X86_64.number(name).unwrap(), args);
                let action = expected(&profile, Arch::X86_64, &call);
                prop_assert_eq!(bpf::run(&program, &call), returned(action), "{} {:?}\n{}", name, args, json);
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = Profile::parse(&text, "drawn");
    }

    #[test]
    fn any_damaged_profile_compiles_or_is_refused(json in profile(), at in 0usize..400, byte in 0u8..128) {
        let mut bytes = json.into_bytes();
        let place = at % bytes.len();
        bytes[place] = byte;
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(profile) = Profile::parse(&text, "drawn")
        {
            for arch in seccomp::arch::ARCHES {
                let _ = profile.compile_for(arch);
            }
        }
    }
}

#[test]
fn every_builtin_decides_as_written_for_every_call_on_every_architecture() {
    for name in seccomp::builtin_names() {
        let profile = Profile::builtin(name).unwrap();
        for (arch, audit_arch) in [
            (Arch::X86_64, AUDIT_ARCH_X86_64),
            (Arch::Aarch64, 0xC000_00B7),
        ] {
            let program = profile.compile_for(arch).unwrap();
            for number in (0..470).filter(|number| arch.name(*number).is_some()) {
                for first in [0, 1, 0x1000_0000, 0x7E02_0000, 40] {
                    let call = Call {
                        audit_arch,
                        ..Call::new(number, [first, 0x5412, 0x2000, 0, 0, 0])
                    };
                    let action = expected(&profile, arch, &call);
                    assert_eq!(
                        bpf::run(&program, &call),
                        returned(action),
                        "{name} {arch} {:?} {first:#x}",
                        arch.name(number)
                    );
                }
            }
        }
    }
}

#[test]
fn calls_of_another_abi_never_pass() {
    for name in seccomp::builtin_names() {
        let program = Profile::builtin(name)
            .unwrap()
            .compile_for(Arch::X86_64)
            .unwrap();
        let i386 = Call {
            audit_arch: 0x4000_0003,
            ..Call::new(11, [0; 6])
        };
        assert_eq!(
            bpf::run(&program, &i386),
            returned(Action::KillProcess),
            "{name}: i386"
        );
        let x32_mount = Call::new(0x4000_0000 | 165, [0; 6]);
        assert_ne!(
            bpf::run(&program, &x32_mount),
            returned(Action::Allow),
            "{name}: x32"
        );
    }
}
