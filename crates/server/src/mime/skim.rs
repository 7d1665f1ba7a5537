//! Whether a text is JSON that an ordinary parser takes, told without keeping anything of it.
//!
//! It stands in the middle of an answer: a program that leaves brackets nested a thousand deep, half a
//! surrogate pair or a number that no float holds must not make the answer around it unreadable.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Arrays and objects inside each other. The common parsers' own bounds begin at 128, and the answer
/// around it takes a few.
const MAX_DEPTH: usize = 100;

/// Whether it is.
pub fn is_plain(text: &str) -> bool {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = (&mut json).deserialize_any(Skim(MAX_DEPTH));
    read.is_ok() && json.end().is_ok()
}

/// Reads a value and forgets it; so many levels are left.
#[derive(Clone, Copy)]
struct Skim(usize);

impl Skim {
    fn inner<E: Error>(self) -> Result<Skim, E> {
        match self.0.checked_sub(1) {
            Some(left) => Ok(Skim(left)),
            None => Err(E::custom("nested too deep")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Skim {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skim {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while members.next_key_seed(inner)?.is_some() {
            members.next_value_seed(inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_takes_what_a_parser_takes(text in "[\\[\\]{}:,\"0-9a-z\\\\ .eE+-]{0,24}|\\PC{0,12}") {
            let parsed = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            prop_assert_eq!(is_plain(&text), parsed);
        }

        #[test]
        fn depth_is_bounded(depth in 0usize..300) {
            let text = format!("{}{}", "[".repeat(depth + 1), "]".repeat(depth + 1));
            prop_assert_eq!(is_plain(&text), depth < MAX_DEPTH);
        }
    }
}
