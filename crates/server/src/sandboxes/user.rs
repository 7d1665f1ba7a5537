//! As whom a process runs, as clients say it.

use protocol::supervisor::ProcessUser;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// As whom a process runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum UserBody {
    /// The sandbox's own user, without capabilities.
    #[default]
    Sandbox,
    /// Root of the guest: the wall inside the VM is down, and the VM is the wall.
    Root,
}

impl From<UserBody> for ProcessUser {
    fn from(user: UserBody) -> ProcessUser {
        match user {
            UserBody::Sandbox => ProcessUser::Sandbox,
            UserBody::Root => ProcessUser::Root,
        }
    }
}

impl From<ProcessUser> for UserBody {
    fn from(user: ProcessUser) -> UserBody {
        match user {
            ProcessUser::Sandbox => UserBody::Sandbox,
            ProcessUser::Root => UserBody::Root,
        }
    }
}
