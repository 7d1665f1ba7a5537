//! The configuration as a table: what can be set, with unit, default, bounds and meaning.
//!
//! | module | what |
//! |---|---|
//! | [`table`] | the table, made from the types that a configuration is read into |
//! | [`file`] | reads a configuration by the table: every fault with its line |
//! | [`origin`] | where each setting in force comes from |
//! | [`check`] | what else must hold for a configuration to be used |
//! | [`reference`] | the table as a page, as text and as a commented configuration |
//! | [`reload`] | what of a changed configuration a running service takes |

pub mod check;
pub mod file;
pub mod origin;
pub mod reference;
pub mod reload;
pub mod table;

use crate::context::languages::LanguagesConfig;
use crate::telemetry::TelemetryConfig;
use audit::AuditConfig;
use sandbox::config::Config;
use serde::Serialize;
use server::ServerConfig;

/// Everything that stands in the configuration file: the sandbox's part, and the service's.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Settings {
    /// Everything but what is below.
    #[serde(flatten)]
    pub sandbox: Config,
    /// `[server]`.
    pub server: ServerConfig,
    /// `[audit]`.
    pub audit: AuditConfig,
    /// `[telemetry]`.
    pub telemetry: TelemetryConfig,
    /// `[languages]`.
    pub languages: LanguagesConfig,
}
