//! Whether what VMs boot from is there and whole: judged as a job's own VM would be, not by what a manifest claims.

use super::Check;
use crate::app::App;
use ::images::{ImageStore, KernelKind};
use languages::RootImage;
use sandbox::materials::{MaterialsSource, kind_of};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use vmm::GuestKernel;

/// How long a look at the images counts: anybody may ask, and each look reads their manifests.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The last look at the images. Who comes while somebody looks waits for what that one sees.
#[derive(Debug, Default)]
pub struct Looked(Mutex<Option<(Instant, Check)>>);

pub(super) async fn check(app: &App) -> Check {
    let mut looked = app.images_looked.0.lock().await;
    if let Some((at, check)) = looked.as_ref()
        && at.elapsed() < LOOK_AGAIN
    {
        return check.clone();
    }
    let sandbox = &app.rooms.sandbox;
    let look = Look {
        store: app.rooms.images.clone(),
        materials: sandbox.supply().materials().clone(),
        kernel: sandbox.engine().kernel(),
        pooled: sandbox
            .supply()
            .pool()
            .sizes()
            .into_keys()
            .map(|own| own.image())
            .collect(),
    };
    // The first look reads each image whole, as the first job of each does.
    let seen = tokio::task::spawn_blocking(move || look.check()).await;
    let check = seen.unwrap_or_else(|_| {
        let fix = "see the service's log";
        Check::bad("images", "they could not be looked at", fix)
    });
    *looked = Some((Instant::now(), check.clone()));
    check
}

struct Look {
    store: Arc<ImageStore>,
    materials: MaterialsSource,
    kernel: GuestKernel,
    /// Those that VMs are to be kept ready of.
    pooled: Vec<RootImage>,
}

impl Look {
    /// What every VM boots from is whole; there is an image; those of the pool are there; none of the languages' is damaged.
    fn check(&self) -> Check {
        let bad = |detail: String, fix: String| Check::bad("images", detail, fix);
        let kernel = kind_of(self.kernel);
        let kernels = self.store.kernels();
        if !kernels
            .iter()
            .any(|row| row.kind == kernel && row.error.is_none())
        {
            let argument = match kernel {
                KernelKind::Virtual => "virtual",
                KernelKind::UserMode => "uml",
            };
            let fix = format!("llm-firecracker images build --kernel {argument}");
            return bad("there is no usable kernel".into(), fix);
        }
        if let Err(error) = self.materials.check_guest(self.kernel) {
            // The reason has paths in it; who asks may be anybody.
            tracing::warn!(reason = %sandbox::error::chain(&error), "no VM can boot");
            let fix = "the log has the reason; install the guest agent beside the command, and llm-firecracker doctor";
            let detail = "the kernel, the guest agent or its modules cannot be used";
            return bad(detail.into(), fix.into());
        }
        let rows = self.store.list().unwrap_or_default();
        let own = rows.iter().map(|row| row.image);
        let own: Vec<RootImage> = own.filter(|image| !image.is_custom()).collect();
        let (sound, damaged): (Vec<_>, Vec<_>) = own
            .iter()
            .partition(|image| self.store.check(**image).is_ok());
        let custom_is_sound = || {
            let mut custom = rows.iter().filter(|row| row.image.is_custom());
            custom.any(|row| row.error.is_none())
        };
        if let Some(missing) = self.pooled.iter().find(|image| !self.store.holds(**image)) {
            let name = missing.name();
            let detail = format!("a pool is configured of {name}, and there is no image of it");
            return bad(detail, format!("llm-firecracker images build {name}"));
        }
        if !damaged.is_empty() {
            let names = names(&damaged);
            let fix = format!(
                "llm-firecracker images build {names}; or images rm, where it is not needed"
            );
            let detail = format!("cannot be used, so its jobs get an error: {names}");
            return bad(detail, fix);
        }
        if sound.is_empty() && !custom_is_sound() {
            let fix = "llm-firecracker images build NAME".into();
            return bad("there is no usable image".into(), fix);
        }
        Check::good("images", names(&sound))
    }
}

fn names(images: &[&RootImage]) -> String {
    let names: Vec<&str> = images.iter().map(|image| image.name()).collect();
    names.join(" ")
}
