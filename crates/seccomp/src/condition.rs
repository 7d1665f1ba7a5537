//! Conditions on a call's arguments. Only numbers can be compared: what a pointer points at is out
//! of a filter's sight, so a path, or the flags of `clone3`, cannot be a condition.

use serde::de::{self, Deserialize, Deserializer};

/// How an argument is compared with a value, both unsigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater or equal.
    Ge,
    /// Greater.
    Gt,
    /// Less or equal.
    Le,
    /// Less.
    Lt,
    /// Equal in the bits of this mask.
    MaskedEq(u64),
}

/// How much of an argument is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Width {
    /// The low 4 bytes: what the kernel itself looks at for an `int`.
    Dword,
    /// All 8 bytes.
    Qword,
}

/// One argument of a call compared with a value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Which argument, 0 to 5.
    #[serde(deserialize_with = "argument_index")]
    pub index: u8,
    /// How much of it.
    #[serde(rename = "type")]
    pub width: Width,
    /// How it is compared.
    pub op: Operator,
    /// With what.
    pub val: u64,
    /// For readers.
    #[serde(default)]
    pub comment: Option<String>,
}

/// A Linux system call has six arguments at most.
pub const MAX_ARGUMENT_INDEX: u8 = 5;

fn argument_index<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let index = u64::deserialize(deserializer)?;
    match u8::try_from(index) {
        Ok(small) if small <= MAX_ARGUMENT_INDEX => Ok(small),
        _ => Err(de::Error::custom(format_args!(
            "argument index {index} is not in 0..={MAX_ARGUMENT_INDEX}"
        ))),
    }
}

impl Condition {
    pub(crate) fn target(
        &self,
    ) -> Result<seccompiler::SeccompCondition, seccompiler::BackendError> {
        use seccompiler::{SeccompCmpArgLen as Len, SeccompCmpOp as Op};
        let width = match self.width {
            Width::Dword => Len::Dword,
            Width::Qword => Len::Qword,
        };
        let op = match self.op {
            Operator::Eq => Op::Eq,
            Operator::Ne => Op::Ne,
            Operator::Ge => Op::Ge,
            Operator::Gt => Op::Gt,
            Operator::Le => Op::Le,
            Operator::Lt => Op::Lt,
            Operator::MaskedEq(mask) => Op::MaskedEq(mask),
        };
        seccompiler::SeccompCondition::new(self.index, width, op, self.val)
    }
}
