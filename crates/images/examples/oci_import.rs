//! Brings an OCI image into a folder and packs it: `oci_import SOURCE SCRATCH`; prints what came, how long it took and the most
//! memory that it or a program of its held.

use images::Silent;
use images::oci::{self, Source};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|word| word == oci::CHILD_WORD) {
        return oci::child_main();
    }
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<(), Box<dyn Error>> {
    let [source, scratch] = args else {
        return Err("usage: oci_import SOURCE SCRATCH".into());
    };
    let source: Source = source.parse()?;
    let start = Instant::now();
    let digest = oci::digest_of(&source)?;
    let asked = start.elapsed();
    let start = Instant::now();
    let brought = oci::bring_and_pack(&source, Path::new(scratch), &Silent)?;
    let took = start.elapsed();
    println!("{brought:#?}");
    println!("digest {digest} in {:.3} s", asked.as_secs_f64());
    println!("brought and packed in {:.2} s", took.as_secs_f64());
    Ok(())
}
