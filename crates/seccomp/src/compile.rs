//! From a profile to a program.
//!
//! `seccompiler` compiles one match action a program. Filters that share an action form a group,
//! each group is compiled, and the groups are laid end to end: a group's last instruction, its
//! 'no filter matched', makes way for the next group. Jumps are relative, so nothing else moves.
//! A call is in one group only (checked when parsed), so the first group that knows it decides.

use crate::action::Action;
use crate::arch::Arch;
use crate::error::{Error, Result};
use crate::profile::{Filter, Profile};
use crate::program::{Instruction, MAX_INSTRUCTIONS, Program};
use seccompiler::{BackendError, BpfProgram, SeccompFilter, SeccompRule};
use std::collections::BTreeMap;

pub(crate) fn compile(profile: &Profile, arch: Arch) -> Result<Program> {
    let mut groups: BTreeMap<Action, BTreeMap<i64, Vec<SeccompRule>>> = BTreeMap::new();
    for filter in &profile.filters {
        let Some(number) = arch.number(&filter.syscall) else {
            continue;
        };
        let rules = groups
            .entry(filter.action)
            .or_default()
            .entry(number)
            .or_default();
        rules.extend(rule(filter).map_err(|error| backend(profile, arch, &error))?);
    }
    if groups.is_empty() {
        // Still a program: the default action, behind the check of the architecture.
        let other = if profile.default_action == Action::Allow {
            Action::KillProcess
        } else {
            Action::Allow
        };
        groups.insert(other, BTreeMap::new());
    }

    let mut instructions = prelude(profile, arch);
    let count = groups.len();
    for (index, (action, rules)) in groups.into_iter().enumerate() {
        let filter = SeccompFilter::new(
            rules,
            profile.default_action.target(),
            action.target(),
            arch.target(),
        );
        let mut group: BpfProgram = filter
            .and_then(TryInto::try_into)
            .map_err(|error| backend(profile, arch, &error))?;
        if index + 1 < count {
            group.pop();
        }
        instructions.extend(group.iter().map(|i| Instruction {
            code: i.code,
            jt: i.jt,
            jf: i.jf,
            k: i.k,
        }));
    }
    if instructions.len() > MAX_INSTRUCTIONS {
        return Err(too_large(profile, arch, instructions.len()));
    }
    Ok(Program::new(instructions))
}

fn rule(filter: &Filter) -> std::result::Result<Option<SeccompRule>, BackendError> {
    if filter.conditions.is_empty() {
        return Ok(None);
    }
    let conditions = filter
        .conditions
        .iter()
        .map(|c| c.target())
        .collect::<std::result::Result<_, _>>()?;
    SeccompRule::new(conditions).map(Some)
}

/// x32 calls carry the audit architecture of x86_64 but numbers from 0x4000_0000: a list of denied
/// numbers would not know them (seccomp(2), 'Caveats'). They fail as on a kernel without x32.
fn prelude(profile: &Profile, arch: Arch) -> Vec<Instruction> {
    const LOAD_NUMBER: Instruction = Instruction {
        code: 0x20,
        jt: 0,
        jf: 0,
        k: 0,
    };
    const IF_X32: Instruction = Instruction {
        code: 0x35,
        jt: 0,
        jf: 1,
        k: 0x4000_0000,
    };
    const RETURN_ENOSYS: Instruction = Instruction {
        code: 0x06,
        jt: 0,
        jf: 0,
        k: 0x0005_0000 | 38,
    };
    if arch == Arch::X86_64 && profile.default_action.permits() {
        vec![LOAD_NUMBER, IF_X32, RETURN_ENOSYS]
    } else {
        Vec::new()
    }
}

fn backend(profile: &Profile, arch: Arch, error: &BackendError) -> Error {
    match error {
        BackendError::FilterTooLarge(instructions) => too_large(profile, arch, *instructions),
        other => Error::Compile {
            profile: profile.name.clone(),
            arch,
            reason: other.to_string(),
        },
    }
}

fn too_large(profile: &Profile, arch: Arch, instructions: usize) -> Error {
    Error::TooLarge {
        profile: profile.name.clone(),
        arch,
        instructions,
        max: MAX_INSTRUCTIONS,
    }
}
