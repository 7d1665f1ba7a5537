//! Builds images without the command-line tool, for work on this crate.
//!
//!     cargo run -p images --example build -- STATE_DIR/images [--force] [kernel] [uml] [IMAGE…]

use images::{ImageStore, KernelKind, Progress, Rebuild};
use languages::RootImage;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

struct Lines(Instant);

impl Progress for Lines {
    fn step(&self, name: &str, done: u64, total: Option<u64>) {
        let percent = total.map_or(0, |total| 100 * done / total.max(1));
        eprintln!(
            "{:6.1} s {percent:3} % {name}",
            self.0.elapsed().as_secs_f64()
        );
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let rebuild = match args.iter().any(|arg| arg == "--force") {
        true => Rebuild::Always,
        false => Rebuild::IfNeeded,
    };
    args.retain(|arg| arg != "--force");
    let Some((root, names)) = args.split_first() else {
        return Err("usage: build STATE_DIR/images [--force] [kernel] [uml] [IMAGE…]".into());
    };
    let store = ImageStore::open(Path::new(root))?;
    for name in names {
        let lines = Lines(Instant::now());
        match RootImage::named(name) {
            Some(image) => store.build(image, rebuild, &lines)?,
            None => store.build_kernel(kernel(name)?, rebuild, &lines)?,
        }
    }
    for row in store.kernels() {
        let mib = row.size_bytes as f64 / 1_048_576.0;
        let (name, package, version) = (row.name, row.package, row.package_version);
        println!("{name:8} {mib:7.1} MiB {package} {version}");
    }
    for row in store.list()? {
        let mib = row.size_bytes as f64 / 1_048_576.0;
        println!(
            "{:8} {mib:7.1} MiB {:3} packages  {}",
            row.image.name(),
            row.packages,
            row.runtime_version
        );
    }
    Ok(())
}

fn kernel(name: &str) -> Result<KernelKind, String> {
    let mut kinds = KernelKind::ALL.into_iter();
    kinds
        .find(|kind| kind.name() == name)
        .ok_or_else(|| format!("no kernel or image is called {name}"))
}
