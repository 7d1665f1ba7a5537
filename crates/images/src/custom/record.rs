//! What a manifest says of an image that is not the tool's.

use crate::oci::Dropped;
use languages::custom::CustomImage;
use serde::{Deserialize, Serialize};

/// Beside what every manifest says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomRecord {
    /// Its name, languages and defaults.
    pub description: CustomImage,
    /// What it was made of.
    pub origin: Origin,
}

/// What an image was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Origin {
    /// A user's file.
    File {
        /// SHA-256 of the file, all that it names, and the image that it begins with.
        inputs: String,
    },
    /// An image of the Open Container Initiative.
    Oci {
        /// `sha256:…` of its manifest.
        digest: String,
        /// With which its registry gives it again.
        reference: Option<String>,
        /// What it had and the image has not.
        dropped: Dropped,
    },
    /// Another image, with packages that a program asked for.
    Packages {
        /// SHA-256 of the set and of the image below.
        inputs: String,
        /// The image below.
        base: String,
    },
}

impl Origin {
    /// The digest of all that it was made of: the same inputs need not be made again.
    pub fn inputs(&self) -> &str {
        match self {
            Origin::File { inputs } | Origin::Packages { inputs, .. } => inputs,
            Origin::Oci { digest, .. } => digest,
        }
    }

    /// Whether programs' requests made it, and time takes it away again.
    pub(crate) fn is_cache(&self) -> bool {
        matches!(self, Origin::Packages { .. })
    }
}
