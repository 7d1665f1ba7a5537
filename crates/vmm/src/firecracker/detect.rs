//! Which Firecracker is here.

use super::version;
use crate::config::VmmConfig;
use crate::error::VmmError;
use crate::jail::find_program;
use std::path::{Path, PathBuf};

/// Where `llm-firecracker setup` installs engines, below the state folder.
pub const ENGINES: &str = "engines";

/// What to do when there is none.
const HOW: &str = "llm-firecracker setup";

/// A Firecracker and its jailer, of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The VMM.
    pub firecracker: PathBuf,
    /// Its jailer; `None` with the development flag only.
    pub jailer: Option<PathBuf>,
    /// Their version.
    pub version: String,
}

/// Whether both programs are there; says nothing about their versions.
pub fn is_installed(config: &VmmConfig) -> bool {
    find(config, "firecracker", config.firecracker_path.as_deref()).is_ok()
        && find(config, "jailer", config.jailer_path.as_deref()).is_ok()
}

/// Finds both, of a supported version and of the same.
pub fn installed(config: &VmmConfig) -> Result<Found, VmmError> {
    let firecracker = find(config, "firecracker", config.firecracker_path.as_deref())?;
    let version = version::of(&firecracker)?;
    if config.without_jailer {
        return Ok(Found {
            firecracker,
            jailer: None,
            version,
        });
    }
    let jailer = find(config, "jailer", config.jailer_path.as_deref())?;
    let jailers = version::of(&jailer)?;
    if jailers != version {
        return Err(VmmError::Unusable {
            program: jailer,
            reason: format!(
                "it is version {jailers}, Firecracker {version}; both must be of one release"
            ),
        });
    }
    Ok(Found {
        firecracker,
        jailer: Some(jailer),
        version,
    })
}

/// The configured path, else the one in `PATH`, else the one that setup installed.
fn find(config: &VmmConfig, name: &str, configured: Option<&Path>) -> Result<PathBuf, VmmError> {
    find_program(name, configured, HOW).or_else(|missing| {
        let own = config.state_dir.join(ENGINES).join(name);
        match configured {
            None if own.is_file() => find_program(name, Some(&own), HOW),
            _ => Err(missing),
        }
    })
}
