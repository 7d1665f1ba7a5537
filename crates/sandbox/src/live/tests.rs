//! Live sandboxes whose guest is scripted, an honest one and many hostile ones.

mod connections;
mod files;
pub(super) mod guest;
mod hostile;
mod life;
mod processes;
mod saving;
