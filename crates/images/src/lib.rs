//! What guests boot from: a kernel, an initramfs with the agent, one root file system a language;
//! built from a distribution's packages, digested, and verified before every boot.
//!
//! In the order in which a build meets them:
//!
//! - `recipe`: the table of languages, what each image is made of
//! - `debian`: packages, with what they depend on, unpacked into a folder; nothing of them is run
//! - `select`: what of that goes into an image; `furnish`: what every image has besides
//! - `rootfs`: both, then the image's own finishing programs in a sandbox, then erofs
//! - `bzimage`, `modules`, `kernel`: `vmlinux` and modules out of the kernel's package
//! - `cpio`: the initramfs' format
//! - `manifest`, [`digest`], `verify`: what is written down of an image, and whether it still holds
//! - `store`, `find`: [`ImageStore`], the folder of images: building and removing, finding
//!
//! Knows nothing of jobs or VMs. Blocking: call from a thread that may wait.

mod bzimage;
mod child;
mod cpio;
mod debian;
pub mod digest;
mod error;
mod find;
mod furnish;
mod kernel;
mod manifest;
mod modules;
mod progress;
mod recipe;
mod rootfs;
mod select;
mod store;
mod verify;

pub use bzimage::KernelError;
pub use cpio::CpioError;
pub use error::ImageError;
pub use find::{Artifact, Guest, ImageRow, Rootfs, VerifyRow};
pub use manifest::{FileRecord, KernelManifest, Package, RootfsManifest};
pub use progress::{Progress, Silent};
pub use store::ImageStore;
