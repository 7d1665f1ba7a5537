//! A value that a running service can have replaced: whoever reads it keeps what it read.

use std::sync::{Arc, PoisonError, RwLock};

/// The value in force.
#[derive(Debug, Default)]
pub struct Current<T>(RwLock<Arc<T>>);

impl<T> Current<T> {
    /// This value first.
    pub fn new(value: T) -> Current<T> {
        Current(RwLock::new(Arc::new(value)))
    }

    /// The value now.
    pub fn get(&self) -> Arc<T> {
        let value = self.0.read().unwrap_or_else(PoisonError::into_inner);
        value.clone()
    }

    /// Another value, for whoever reads from now on.
    pub fn set(&self, value: T) {
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *place = Arc::new(value);
    }
}
