//! What an operator may decide anew while jobs run.

use super::Sandbox;
use crate::config::{Config, ConfigError, IsolationMinimum};
use protocol::validate::Policy;
use std::sync::Arc;

/// What jobs get and may ask for, and what must hold them.
pub(super) struct Rules {
    policy: Arc<Policy>,
    pub(super) minimum: IsolationMinimum,
}

impl Rules {
    pub(super) fn of(config: &Config) -> Result<Rules, ConfigError> {
        Ok(Rules {
            policy: Arc::new(config.policy()?),
            minimum: config.isolation.minimum,
        })
    }
}

impl Sandbox {
    /// The defaults and maxima in force.
    pub fn policy(&self) -> Arc<Policy> {
        self.rules.get().policy.clone()
    }

    /// Takes limits, scan, rules and bounds of another configuration, for jobs that come from now on; on an error
    /// nothing of it.
    pub fn reload(&self, config: &Config) -> Result<(), ConfigError> {
        let rules = Rules::of(config)?;
        self.rules.set(rules);
        self.packages.set_rules(config.packages.clone());
        self.admission.resize(config.admission_bounds());
        Ok(())
    }
}
