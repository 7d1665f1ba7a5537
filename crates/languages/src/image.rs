//! What a language's root file system is made of, as its file says it.
//!
//! An image holds what its row names and what those files need (libraries, interpreters, targets of links), and
//! nothing else of the packages: no package manager, documentation or setuid program can be forgotten in it, because
//! nothing is kept that was not asked for.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What a language's VMs boot from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Image {
    /// The image of the language of this name, which has its own.
    Of(String),
    /// Its own.
    Own(Box<Recipe>),
}

/// An image of one's own. All paths are relative to the root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// It is built where nobody says which are.
    #[serde(default)]
    pub by_default: bool,
    /// Debian's packages asked for; what they depend on comes with them.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Those that are taken newer than the release has them, from its backports; `*` stands for any letters.
    #[serde(default)]
    pub from_backports: Vec<String>,
    /// A lock file of npm's in the language's folder: its packages come below `usr/lib/node_modules`.
    pub npm: Option<String>,
    /// A lock file of pip's, with hashes, there: its wheels are unpacked where Debian's Python looks.
    pub pip: Option<String>,
    /// The package whose version is the runtime's.
    pub runtime_package: String,
    /// Packages of which every program in `/usr/bin` is kept.
    #[serde(default)]
    pub programs_of: Vec<String>,
    /// What else is kept: globs; `*` stays within a folder, `**` does not.
    #[serde(default)]
    pub keep: Vec<String>,
    /// What is not, though kept by the lines above.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Files of one's own: each path with its file's name in the language's folder.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Links to make, each with its target: what maintainer scripts would have made.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Programs of the image that are run, in a sandbox, while the image is made.
    #[serde(default)]
    pub finish: Vec<Finish>,
    /// The large programs and libraries that every start maps, as mkfs.erofs's expressions: not compressed, for a
    /// page here and there would unpack a cluster each. A tenth of a hello's time.
    #[serde(default)]
    pub mapped: Vec<String>,
    /// Compress in pieces of so many KiB, a power of two from 4 to 64; `None`: 4. Larger ones take a sixth less room, and
    /// a program that reads here and there unpacks more than it wants.
    pub cluster_kib: Option<u32>,
    /// An image that comes out larger is refused: something crept in.
    pub max_mib: u64,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// For progress and errors.
    pub doing: String,
    /// What is run.
    pub argv: Vec<String>,
    /// Its whole environment, besides `LANG`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// Whether a package of Debian's may be called so (its policy, 5.6.7): such names become arguments of apt-get.
pub fn is_debian_package(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (2..=128).contains(&name.len())
        && name.bytes().next().is_some_and(letter)
        && name
            .bytes()
            .all(|byte| letter(byte) || b"+-.".contains(&byte))
}

impl Recipe {
    /// The bound of the image, in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.max_mib * 1024 * 1024
    }
}

/// A name, or a table: told apart by their kind, so that an error is of the one that was meant.
impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Image, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Image;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of another language, whose image it is, or a table")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Image, E> {
                Ok(Image::Of(name.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Image, A::Error> {
                let recipe = Recipe::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Image::Own(Box::new(recipe)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
