//! The table of images: what each language's root file system is made of.
//!
//! An image holds what its row names and what those files need (libraries, interpreters, targets of
//! links), and nothing else of the packages: no package manager, documentation or setuid program
//! can be forgotten in it, because nothing is kept that was not asked for.

use crate::debian::Suite;
use protocol::language::Language;

/// The release that all packages come from.
pub(crate) const SUITE: Suite = Suite::Plain("bookworm");
/// Whose kernel guests run: built for virtual machines, few drivers, quick to boot.
pub(crate) const KERNEL_PACKAGE: &str = "linux-image-cloud-amd64";
/// Changes when images made by older versions of this crate are to be built again.
pub(crate) const FORMAT: u32 = 5;

const MIB: u64 = 1024 * 1024;

/// A program of the image that is run, in a sandbox, while the image is made.
#[derive(Debug)]
pub(crate) struct Finish {
    /// For progress and errors.
    pub(crate) doing: &'static str,
    pub(crate) argv: &'static [&'static str],
    pub(crate) env: &'static [(&'static str, &'static str)],
}

/// One row.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) language: Language,
    /// The packages asked for; what they depend on comes with them.
    pub(crate) packages: &'static [&'static str],
    /// The package whose version is the runtime's.
    pub(crate) runtime_package: &'static str,
    /// Packages of which every program in `/usr/bin` is kept.
    pub(crate) programs_of: &'static [&'static str],
    /// What else is kept: globs; `*` stays within a folder, `**` does not.
    pub(crate) keep: &'static [&'static str],
    /// What is not, though kept by the lines above.
    pub(crate) drop: &'static [&'static str],
    /// Files of our own, each with its content.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// Links to make, each with its target: what maintainer scripts would have made.
    pub(crate) links: &'static [(&'static str, &'static str)],
    pub(crate) finish: &'static [Finish],
    /// The large programs and libraries that every start maps, as mkfs.erofs's expressions: not compressed, for a
    /// page here and there would unpack a cluster each. A tenth of a hello's time.
    pub(crate) mapped: &'static [&'static str],
    /// An image that comes out larger is refused: something crept in.
    pub(crate) max_bytes: u64,
}

/// Kept in every image: programs in these languages start others, or end threads.
pub(crate) const KEEP_ALWAYS: &[&str] = &[
    // Loaded by name when a thread ends: no file asks for it.
    "usr/lib/x86_64-linux-gnu/libgcc_s.so.1",
    // What LANG=C.UTF-8 names: without it, text is counted and folded as bytes.
    "usr/lib/locale/C.utf8/**",
    "usr/share/zoneinfo/**",
];

/// In every image: the packages of [`KEEP_ALWAYS`]. Those of [`PROGRAMS_ALWAYS`] come besides.
pub(crate) const PACKAGES_ALWAYS: &[&str] = &["libc-bin", "tzdata"];

/// Packages of which every image has all programs: what shells and `subprocess` expect to find.
pub(crate) const PROGRAMS_ALWAYS: &[&str] = &[
    "bash",
    "coreutils",
    "dash",
    "debianutils",
    "diffutils",
    "findutils",
    "gawk",
    "grep",
    "gzip",
    "hostname",
    "procps",
    "sed",
    "tar",
];

/// Links in every image.
pub(crate) const LINKS_ALWAYS: &[(&str, &str)] = &[
    ("usr/bin/awk", "gawk"),
    ("usr/bin/which", "which.debianutils"),
];

/// What of them is left out: their packages' own, for nobody's program.
pub(crate) const DROP_ALWAYS: &[&str] = &["usr/bin/bashbug", "usr/share/zoneinfo/{right,posix}/**"];

/// Makes the folder of compiled sources that Go reads; also where the image's `GOCACHE` points.
pub(crate) const GO_CACHE: &str = "/usr/lib/go-build";

/// How Go compiles, in the image and for its jobs.
const GO_ENV: &[(&str, &str)] = &[
    ("CGO_ENABLED", "0"),
    ("GO111MODULE", "off"),
    ("GOCACHE", GO_CACHE),
    ("GOTOOLCHAIN", "local"),
];

/// Two lists: what a program may import, for the compiler, and all, for the linker, which also gets
/// what a program can read of its own build.
const LIST_GO_LIBRARY: &str = r#"
set -e
cd /tmp
format='{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}'
go list -export -deps -f "$format" std > $GOCACHE/importcfg.link
while read -r line; do
    case $line in *internal*|*vendor/*) ;; *) printf '%s\n' "$line" ;; esac
done < $GOCACHE/importcfg.link > $GOCACHE/importcfg
printf 'package main\nfunc main() {}\n' > main.go
go build -x -o main main.go 2>&1 | while read -r line; do
    case $line in modinfo*) printf '%s\n' "$line" ;; esac
done >> $GOCACHE/importcfg.link
"#;

/// All rows.
pub(crate) const RECIPES: &[Recipe] = &[
    Recipe {
        language: Language::Bash,
        packages: &["bc", "bsdextrautils", "jq", "xxd"],
        runtime_package: "bash",
        programs_of: &["bc", "bsdextrautils", "jq", "xxd"],
        keep: &[],
        drop: &[],
        files: &[],
        links: &[("usr/bin/sh", "bash")],
        finish: &[],
        mapped: &[],
        max_bytes: 15 * MIB,
    },
    Recipe {
        language: Language::Python,
        packages: &[
            "python3",
            "python3-distutils",
            "python3-gdbm",
            "python3-ipython",
        ],
        runtime_package: "python3.11-minimal",
        programs_of: &[],
        keep: &[
            "usr/bin/python3",
            "usr/bin/python3.11",
            "usr/lib/python3.11/**",
            "usr/lib/python3/**",
        ],
        drop: &[
            "usr/lib/python3.11/test/**",
            "usr/lib/python3.11/EXTERNALLY-MANAGED",
            "usr/lib/python3/dist-packages/*-info",
            "usr/lib/python3/dist-packages/*-info/**",
            "usr/lib/python3/dist-packages/**/tests/**",
            // What sessions do not ask of IPython: completion, installing. The `.pth` would be read by every start.
            "usr/lib/python3/dist-packages/*.pth",
            "usr/lib/python3/dist-packages/{_distutils_hack,jedi,parso,pkg_resources,setuptools}/**",
        ],
        files: &[(
            "usr/lib/python3.11/sitecustomize.py",
            include_str!("../files/sitecustomize.py"),
        )],
        links: &[("usr/bin/sh", "dash"), ("usr/bin/python", "python3")],
        finish: &[Finish {
            doing: "compiling the standard library",
            // 'unchecked': the sources lie on a read-only file system beside them.
            argv: &[
                "/usr/bin/python3",
                "-m",
                "compileall",
                "-q",
                "--invalidation-mode",
                "unchecked-hash",
                "/usr/lib/python3.11",
                "/usr/lib/python3/dist-packages",
            ],
            env: &[("PYTHONHASHSEED", "0")],
        }],
        mapped: &["usr/bin/python3\\.", "/lib(c|m)\\.so"],
        max_bytes: 56 * MIB,
    },
    Recipe {
        language: Language::Node,
        packages: &["nodejs"],
        runtime_package: "nodejs",
        programs_of: &[],
        keep: &["usr/bin/node", "usr/share/nodejs/**"],
        drop: &[],
        files: &[],
        links: &[("usr/bin/sh", "dash"), ("usr/bin/nodejs", "node")],
        finish: &[],
        mapped: &["/lib(node|c|m|stdc\\+\\+)\\.so"],
        max_bytes: 90 * MIB,
    },
    Recipe {
        language: Language::Go,
        packages: &["golang-1.19-go"],
        runtime_package: "golang-1.19-go",
        programs_of: &[],
        keep: &["usr/lib/go-1.19/**", "usr/share/go-1.19/{pkg,src}/**"],
        drop: &[
            "usr/lib/go-1.19/bin/gofmt",
            "usr/lib/go-1.19/pkg/linux_amd64/cmd/**",
            "usr/lib/go-1.19/pkg/tool/linux_amd64/\
             {addr2line,api,cgo,cover,dist,doc,fix,nm,objdump,pprof,test2json,trace,vet}",
            "usr/share/go-1.19/src/cmd/**",
            "usr/share/go-1.19/src/**/testdata/**",
            "usr/share/go-1.19/src/**/*_test.go",
            // Other systems and processors: `go` would open each only to set it aside.
            "usr/share/go-1.19/src/**/*_{aix,android,darwin,dragonfly,freebsd,illumos,ios,js,netbsd,openbsd,\
             plan9,solaris,windows,zos}.{go,s}",
            "usr/share/go-1.19/src/**/*_{386,arm,arm64,loong64,mips,mips64,mips64le,mips64x,mipsle,mipsx,ppc64,\
             ppc64le,ppc64x,riscv64,s390x,wasm}.{go,s}",
        ],
        files: &[],
        links: &[
            ("usr/bin/sh", "dash"),
            ("usr/bin/go", "../lib/go-1.19/bin/go"),
        ],
        finish: &[
            Finish {
                // Most of the standard library comes compiled in the package; what depends on cgo there
                // ('net' and all above it) has to be compiled again for CGO_ENABLED=0.
                doing: "compiling the standard library without cgo",
                argv: &["/usr/bin/go", "build", "std"],
                env: GO_ENV,
            },
            Finish {
                // What `go build` would look up anew for every program: see the agent's go-build.sh.
                doing: "listing the standard library's files",
                argv: &["/bin/sh", "-c", LIST_GO_LIBRARY],
                env: GO_ENV,
            },
        ],
        mapped: &[],
        max_bytes: 260 * MIB,
    },
    Recipe {
        language: Language::Rust,
        packages: &["gcc", "libc6-dev", "rustc"],
        runtime_package: "rustc",
        programs_of: &[],
        keep: &[
            "usr/bin/rustc",
            "usr/lib/rustlib/x86_64-unknown-linux-gnu/lib/*.rlib",
            // What programs are linked to: the compiler's own copy, and the name by which it finds it.
            "usr/lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd-*.so",
            // The linker and its driver, without the C compiler.
            "usr/bin/x86_64-linux-gnu-gcc-12",
            "usr/bin/x86_64-linux-gnu-ld.bfd",
            "usr/lib/gcc/x86_64-linux-gnu/12/{collect2,liblto_plugin.so}",
            "usr/lib/gcc/x86_64-linux-gnu/12/{crtbegin,crtbeginS,crtend,crtendS}.o",
            "usr/lib/gcc/x86_64-linux-gnu/12/{libgcc,libgcc_eh}.a",
            "usr/lib/gcc/x86_64-linux-gnu/12/libgcc_s.so",
            "usr/lib/x86_64-linux-gnu/{Scrt1,crt1,crti,crtn}.o",
            "usr/lib/x86_64-linux-gnu/{libc,libm}.so",
            "usr/lib/x86_64-linux-gnu/lib{m,mvec}.so.*",
            "usr/lib/x86_64-linux-gnu/lib{c_nonshared,dl,pthread,rt,util}.a",
        ],
        drop: &[],
        files: &[],
        links: &[
            ("usr/bin/sh", "dash"),
            ("usr/bin/cc", "x86_64-linux-gnu-gcc-12"),
            ("usr/bin/ld", "x86_64-linux-gnu-ld.bfd"),
        ],
        finish: &[],
        mapped: &[
            "/lib(c|m|LLVM-[0-9]+)\\.so",
            "/lib(rustc_driver|std)-[0-9a-f]+\\.so",
        ],
        max_bytes: 320 * MIB,
    },
];

/// The row of a language.
pub(crate) fn of(language: Language) -> Option<&'static Recipe> {
    RECIPES.iter().find(|recipe| recipe.language == language)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::language::LANGUAGES;

    #[test]
    fn every_language_has_one_row_whose_globs_parse() {
        for spec in LANGUAGES {
            let recipe = of(spec.language).unwrap();
            for glob in recipe
                .keep
                .iter()
                .chain(recipe.drop)
                .chain(KEEP_ALWAYS)
                .chain(DROP_ALWAYS)
            {
                globset::Glob::new(glob).unwrap();
                assert!(!glob.contains(' ') && !glob.starts_with('/'), "{glob}");
            }
            for package in recipe.programs_of {
                assert!(
                    recipe.packages.contains(package),
                    "{package} is not asked for"
                );
            }
        }
        assert_eq!(RECIPES.len(), LANGUAGES.len());
    }

    #[test]
    fn go_is_run_with_the_cache_that_its_image_carries() {
        let env = protocol::language::Language::Go.spec().env;
        for (name, value) in of(Language::Go).unwrap().finish[0].env {
            assert!(
                env.contains(&(name, value)),
                "{name}={value} is not in protocol's row"
            );
        }
    }
}
