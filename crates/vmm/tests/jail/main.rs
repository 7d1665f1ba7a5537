//! The jail and the sweep after a crash, on a real host: bubblewrap, namespaces, cgroups. Needs root
//! (each VMM a uid of its own) and bubblewrap; without them each test says 'not run' and why.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod attacks;
mod crash;
mod evidence;
mod guest;
mod host;
mod hostile;
mod images;
mod open;
mod probe;
mod seal;
mod uml;
mod uml_ends;
mod user;
