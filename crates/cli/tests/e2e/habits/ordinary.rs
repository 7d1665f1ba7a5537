//! Users who are not root.
