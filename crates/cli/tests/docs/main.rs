//! The documents say what is so: links lead somewhere ([`links`]), each block of commands says what runs it ([`marks`]),
//! pictures fit and can be read ([`picture`]), the recorded tour is the page's ([`cast`]). What blocks print is looked at
//! where VMs are, in the tests of the service; that commands are none that the tool does not know, beside its
//! table of arguments (`src/args/documented.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cast;
#[path = "../shared/console.rs"]
mod console;
mod links;
mod marks;
#[path = "../shared/pages.rs"]
#[expect(
    dead_code,
    reason = "what is typed of a block is for those that run it"
)]
mod pages;
mod picture;
