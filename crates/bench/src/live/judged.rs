//! A figure beside its bound.

use serde::Serialize;

/// On which side of its bound a figure has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The bound, or less.
    AtMost,
    /// The bound, or more.
    AtLeast,
}

/// A bound.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// On which side of it a figure has to be.
    pub side: Side,
    /// In `unit`.
    pub value: f64,
    /// As it is written behind a figure.
    pub unit: &'static str,
}

/// What was measured, and whether it is as it has to be.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// What.
    pub what: String,
    /// What it was, in `unit`.
    pub value: f64,
    /// On which side of its bound that has to be.
    pub side: Side,
    /// The bound, in `unit`.
    pub bound: f64,
    /// Of both.
    pub unit: &'static str,
    /// It is on that side.
    pub held: bool,
    /// What the figure is made of, in words.
    pub detail: String,
}

impl Bound {
    /// At most this.
    pub const fn at_most(value: f64, unit: &'static str) -> Bound {
        let side = Side::AtMost;
        Bound { side, value, unit }
    }

    /// At least this.
    pub const fn at_least(value: f64, unit: &'static str) -> Bound {
        let side = Side::AtLeast;
        Bound { side, value, unit }
    }

    /// Judges a figure. One that is none (nothing was measured) is not held.
    pub fn judge(self, what: impl Into<String>, value: f64, detail: String) -> Judged {
        Judged {
            what: what.into(),
            value,
            side: self.side,
            bound: self.value,
            unit: self.unit,
            held: match self.side {
                Side::AtMost => value <= self.value,
                Side::AtLeast => value >= self.value,
            },
            detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_on_its_bound_is_held_and_none_is_not() {
        for (bound, value, held) in [
            (Bound::at_most(10.0, "ms"), 10.0, true),
            (Bound::at_most(10.0, "ms"), 10.1, false),
            (Bound::at_most(10.0, "ms"), -3.0, true),
            (Bound::at_least(50.0, "MB/s"), 50.0, true),
            (Bound::at_least(50.0, "MB/s"), 49.9, false),
            (Bound::at_most(10.0, "ms"), f64::NAN, false),
            (Bound::at_least(50.0, "MB/s"), f64::NAN, false),
        ] {
            let judged = bound.judge("it", value, String::new());
            assert_eq!(judged.held, held, "{judged:?}");
        }
    }
}
