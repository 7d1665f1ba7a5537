//! The languages besides the first five: [`THIN`] with every run of the tests, the others where they are asked for, for
//! each costs an image and half a minute of VMs.

use super::{Sources, check_all};
use super::{c, cpp, java, lua, perl, php, r, ruby, sqlite, typescript};

/// Asks for all of them (`scripts/test.sh --all`).
const ALL: &str = "LLM_FIRECRACKER_ALL_LANGUAGES";
/// One that is compiled, one that is not, and one whose program is no file to its interpreter: small images.
const THIN: &[&str] = &["c", "perl", "sqlite"];

fn check(sources: &Sources) {
    if THIN.contains(&sources.language) || std::env::var_os(ALL).is_some() {
        check_all(sources);
    } else {
        println!("not run: {}, which {ALL}=1 asks for", sources.language);
    }
}

#[test]
fn c_cases() {
    check(&c::SOURCES);
}

#[test]
fn cpp_cases() {
    check(&cpp::SOURCES);
}

#[test]
fn java_cases() {
    check(&java::SOURCES);
}

#[test]
fn lua_cases() {
    check(&lua::SOURCES);
}

#[test]
fn perl_cases() {
    check(&perl::SOURCES);
}

#[test]
fn php_cases() {
    check(&php::SOURCES);
}

#[test]
fn r_cases() {
    check(&r::SOURCES);
}

#[test]
fn ruby_cases() {
    check(&ruby::SOURCES);
}

#[test]
fn sqlite_cases() {
    check(&sqlite::SOURCES);
}

#[test]
fn typescript_cases() {
    check(&typescript::SOURCES);
}
