//! What guests boot from: a kernel, an initramfs with the agent, one root file system a language;
//! built from a distribution's packages, digested, and verified before every boot.
//!
//! In the order in which a build meets them:
//!
//! - `recipe`: what every image is made of; the rest is in each language's row
//! - `debian`: packages, with what they depend on, in the versions of a lock, unpacked into a folder; nothing of them is run
//! - `npm`, `pypi`: packages of these registries, as lock files name them, by `download` into the same folder, a `target`
//! - `kept`: what of that came before and need not come again
//! - `select`: what of that goes into an image; `prepare`: what every image has besides
//! - [`resolve`]: which packages of them a program needs that asks for some
//! - `rootfs`: both, then the image's own finishing programs in a sandbox, then erofs
//! - `kernel`: `vmlinux` and modules out of the kernel's package, by `bzimage` and `modules`; User-Mode
//!   Linux, compiled from its source's package
//! - `confine`: the sandbox of whatever is run meanwhile
//! - `cpio`: the initramfs' format
//! - `manifest`, [`digest`], `verify`: what is written down of an image, and whether it still holds
//! - `layout`, `store`, `kernels`, `guest`, `find`: [`ImageStore`], the folder of images: building and
//!   removing, finding
//! - `outdated`: what of the images is no longer mended
//! - [`custom`]: images that users make; `inspect`: what is in one
//! - [`bundle`]: images in one file, for other hosts
//! - [`oci`]: images of others, from a registry, a folder or an archive
//!
//! Knows nothing of jobs or VMs. Blocking: call from a thread that may wait.

pub mod bundle;
mod bzimage;
mod child;
mod confine;
mod cpio;
pub mod custom;
mod debian;
pub mod digest;
mod download;
mod error;
mod file_age;
mod find;
mod guest;
mod inspect;
mod kept;
mod kernel;
mod kernels;
mod layout;
mod manifest;
mod modules;
mod npm;
pub mod oci;
mod outdated;
mod pack;
mod prepare;
mod progress;
mod pypi;
mod recipe;
pub mod resolve;
mod rootfs;
mod select;
mod shared;
mod store;
mod target;
mod verify;

pub use bundle::{BundleError, BundleRow, ImportRow, ImportState};
pub use bzimage::KernelError;
pub use cpio::CpioError;
pub use debian::lock::LockUse;
pub use error::ImageError;
pub use find::{Artifact, ImageRow, Rootfs, VerifyRow};
pub use guest::Guest;
pub use inspect::Inspected;
pub use kernel::KernelKind;
pub use kernel::uml::config::OptionError;
pub use kernels::KernelRow;
pub use manifest::{
    FileRecord, KernelManifest, Package, PackageSource, RootfsManifest, UmlManifest,
};
pub use outdated::{MovedPackage, OutdatedRow};
pub use progress::{Progress, Rebuild, Silent};
pub use shared::SHARED_FOLDERS;
pub use store::ImageStore;
