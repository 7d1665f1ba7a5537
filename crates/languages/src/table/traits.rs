//! A language among others: equal, ordered and hashed by its place in the table; written and read as its label.

use super::{Language, names};
use crate::suggest::instead_of_language;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

impl PartialEq for Language {
    fn eq(&self, other: &Language) -> bool {
        self.0.order == other.0.order
    }
}

impl Eq for Language {}

impl PartialOrd for Language {
    fn partial_cmp(&self, other: &Language) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Language {
    fn cmp(&self, other: &Language) -> Ordering {
        self.0.order.cmp(&other.0.order)
    }
}

impl Hash for Language {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.order.hash(state);
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.label())
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Language, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Language;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "one of: {}", names())
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Language, E> {
                let unknown = || {
                    let instead = instead_of_language(name);
                    E::custom(format!("language {name:?} is not known, {instead}"))
                };
                Language::from_label(name).ok_or_else(unknown)
            }
        }
        deserializer.deserialize_str(Name)
    }
}
