//! Languages as data. A language is one file, `NAME.toml`, and maybe a folder `NAME` of drivers beside it: the tool's
//! own are in `data/`, embedded at compile time, an operator's in a folder that [`load`] reads.
//!
//! 1. [`row`] and [`image`] are what a file may say, field by field.
//! 2. [`check`] holds each field to its bounds, and no two languages to one name.
//! 3. [`folder`] reads an operator's folder.
//! 4. [`root_image`] is what VMs boot from: each language's own image, and others that hold several languages, of `images/`.
//! 5. [`custom`] adds images that users made.
//! 6. [`shebang`] reads a language from a program's first line, [`suggest`] tells what a wrong name may have meant.
//! 7. [`modules`] knows which image has a module that a program did not find.
//! 8. [`table`] is the one table of a process, and [`Language`] a row of it.
//!
//! Nothing here knows a VM, a request or an image's making.

mod check;
pub mod custom;
mod error;
mod folder;
pub mod image;
mod modules;
mod root_image;
pub mod row;
mod shebang;
mod suggest;
mod table;

pub use error::LanguageError;
pub use folder::{MAX_DRIVERS, MAX_DRIVERS_BYTES};
pub use modules::images_with_module;
pub use root_image::{RootImage, image_names, images};
pub use row::{DRIVERS, PROGRAM, Row};
pub use suggest::{closest, instead_of_image, instead_of_language};
pub use table::{Driver, Language, all, load, named, names};
