//! What E2B's clients are told of a sandbox. Its Python client takes these fields unguarded: each is always there.

use super::facts::LifecycleRules;
use crate::paused::table::Entry;
use crate::sandboxes::body::SandboxBody;
use crate::sandboxes::slot::SandboxSlot;
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of E2B's daemon whose calls are answered here: from 0.6.2 on clients would set metadata of files.
pub const ENVD_VERSION: &str = "0.6.4";
/// Older clients append it to a sandbox's name.
pub const CLIENT_ID: &str = "local";

/// A sandbox that was made or connected to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectedBody {
    #[serde(flatten)]
    name: NameBody,
    envd_access_token: String,
    traffic_access_token: String,
    domain: String,
}

/// What every answer has of a sandbox.
#[derive(Debug, Serialize)]
pub struct NameBody {
    #[serde(rename = "templateID")]
    template_id: String,
    alias: String,
    #[serde(rename = "sandboxID")]
    sandbox_id: String,
    #[serde(rename = "clientID")]
    client_id: &'static str,
    #[serde(rename = "envdVersion")]
    envd_version: &'static str,
}

/// A sandbox as it is listed.
#[derive(Debug, Serialize)]
pub struct ListedBody {
    #[serde(flatten)]
    name: NameBody,
    #[serde(rename = "startedAt")]
    started_at: String,
    #[serde(rename = "endAt")]
    end_at: String,
    #[serde(rename = "cpuCount")]
    cpu_count: u32,
    #[serde(rename = "memoryMB")]
    memory_mb: u32,
    #[serde(rename = "diskSizeMB")]
    disk_size_mb: u32,
    metadata: BTreeMap<String, String>,
    state: State,
}

/// A sandbox in full.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DetailBody {
    #[serde(flatten)]
    listed: ListedBody,
    envd_access_token: String,
    allow_internet_access: bool,
    domain: String,
    lifecycle: Lifecycle,
}

/// What a sandbox is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It runs.
    Running,
    /// It is saved, or about to be, and goes on when it is connected to.
    Paused,
}

impl State {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Paused => "paused",
        }
    }
}

/// What becomes of a sandbox whose time is up.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Lifecycle {
    on_timeout: &'static str,
    auto_resume: bool,
}

impl Lifecycle {
    fn of(rules: &LifecycleRules) -> Lifecycle {
        Lifecycle {
            on_timeout: match rules.auto_pause {
                true => "pause",
                false => "kill",
            },
            auto_resume: rules.auto_resume,
        }
    }
}

impl NameBody {
    fn of(id: &str, template: &str) -> NameBody {
        NameBody {
            template_id: template.to_owned(),
            alias: template.to_owned(),
            sandbox_id: id.to_owned(),
            client_id: CLIENT_ID,
            envd_version: ENVD_VERSION,
        }
    }
}

impl ConnectedBody {
    /// `None`: it is not one of an E2B client.
    pub fn of(slot: &SandboxSlot, domain: &str) -> Option<ConnectedBody> {
        let facts = slot.e2b.as_ref()?;
        Some(ConnectedBody {
            name: NameBody::of(&slot.id, &facts.template),
            envd_access_token: facts.tokens.access.reveal().to_owned(),
            traffic_access_token: facts.tokens.traffic.reveal().to_owned(),
            domain: domain.to_owned(),
        })
    }
}

impl ListedBody {
    /// `None`: it is not one of an E2B client, or its VM does not run yet.
    pub fn of(slot: &SandboxSlot) -> Option<ListedBody> {
        let facts = slot.e2b.as_ref()?;
        let SandboxBody {
            created_at,
            expires_at,
            metadata,
            memory_mib,
            vcpus,
            ..
        } = slot.body()?;
        Some(ListedBody {
            name: NameBody::of(&slot.id, &facts.template),
            started_at: created_at,
            end_at: expires_at,
            cpu_count: vcpus,
            memory_mb: memory_mib,
            disk_size_mb: slot.disk_mib(),
            metadata,
            state: State::Running,
        })
    }

    /// One that is paused; `None`: it is not one of an E2B client.
    pub fn of_paused(entry: &Entry) -> Option<ListedBody> {
        let (about, limits) = (&entry.about, &entry.job.limits);
        let facts = about.e2b.as_ref()?;
        Some(ListedBody {
            name: NameBody::of(&entry.id, &facts.template),
            started_at: about.created_at.to_string(),
            end_at: about.expires_at.to_string(),
            cpu_count: limits.vcpus,
            memory_mb: limits.memory_mib,
            disk_size_mb: limits.tmpfs_mib.saturating_add(limits.writable_mib),
            metadata: about.metadata.clone(),
            state: State::Paused,
        })
    }

    /// What it is at.
    pub fn state(&self) -> State {
        self.state
    }

    /// When it began (RFC 3339, UTC).
    pub fn started_at(&self) -> &str {
        &self.started_at
    }

    /// The name that its client asked for.
    pub fn template(&self) -> &str {
        &self.name.template_id
    }

    /// As it was sent.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.name.sandbox_id
    }
}

impl DetailBody {
    /// `None`: it is not one of an E2B client, or its VM does not run yet.
    pub fn of(slot: &SandboxSlot, domain: &str) -> Option<DetailBody> {
        let facts = slot.e2b.as_ref()?;
        Some(DetailBody {
            listed: ListedBody::of(slot)?,
            envd_access_token: facts.tokens.access.reveal().to_owned(),
            // A sandbox has no network.
            allow_internet_access: false,
            domain: domain.to_owned(),
            lifecycle: Lifecycle::of(&facts.lifecycle),
        })
    }

    /// One that is paused; `None`: it is not one of an E2B client.
    pub fn of_paused(entry: &Entry, domain: &str) -> Option<DetailBody> {
        let facts = entry.about.e2b.as_ref()?;
        Some(DetailBody {
            listed: ListedBody::of_paused(entry)?,
            envd_access_token: facts.tokens.access.reveal().to_owned(),
            allow_internet_access: false,
            domain: domain.to_owned(),
            lifecycle: Lifecycle::of(&facts.lifecycle),
        })
    }
}
