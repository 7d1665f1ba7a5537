//! Resolves packages without the command-line tool, for work on this crate.
//!
//!     cargo run -p images --example resolve -- STATE_DIR/images python|node PACKAGE… [--into FOLDER]

use images::ImageStore;
use protocol::packages::rules::{Allowed, PackageRules};
use protocol::packages::{Registry, RequiredPackages};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let split = args.iter().position(|arg| arg == "--into");
    let (args, into) = args.split_at(split.unwrap_or(args.len()));
    let [root, registry, packages @ ..] = args else {
        return Err("usage: resolve STATE_DIR/images python|node PACKAGE… [--into FOLDER]".into());
    };
    let registry = match registry.as_str() {
        "python" => Registry::Pypi,
        "node" => Registry::Npm,
        other => return Err(format!("no registry is for {other}").into()),
    };
    let rules = PackageRules {
        python: Allowed::Any,
        node: Allowed::Any,
        ..PackageRules::default()
    };
    let store = ImageStore::open(Path::new(root))?;
    let asked = RequiredPackages::parse(registry, packages)?;
    let start = Instant::now();
    let set = store.resolver(&rules).resolve(&asked, b"")?;
    for package in &set.packages {
        println!("{} {}", package.name, package.version);
    }
    println!("{} in {:.1} s", set.digest, start.elapsed().as_secs_f64());
    if let Some(folder) = into.get(1) {
        let unpacked = set.unpack(&rules, Path::new(folder), &|_| false)?;
        println!(
            "{} unpacked in {:.1} s",
            unpacked.len(),
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
