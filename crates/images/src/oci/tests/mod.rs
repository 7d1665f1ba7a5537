//! Images made up here, brought through the jail.
//!
//! - `fixture`: a folder of an image, layers and documents as each test wants them
//! - `hostile`, `hostile_names`: what is refused or bounded, each with its answer; `documents`: the same of manifests and configs
//! - `listing`: a child that was taken over
//! - `tree`: what comes out of good layers; `model`: whiteouts and replacement against a simple model;
//!   `noise`: layers with bytes changed

mod documents;
pub(crate) mod fixture;
mod hostile;
mod hostile_names;
mod listing;
mod model;
mod noise;
mod tree;

/// Not a test: what the jail starts, with this name as its only argument.
#[test]
fn oci_flatten_child() {
    if std::env::args().nth(1).as_deref() == Some(super::CHILD_WORD) {
        let code = super::child_main();
        std::process::exit(i32::from(code != std::process::ExitCode::SUCCESS));
    }
}
