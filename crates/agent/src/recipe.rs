//! How each language's interpreter is made to wait: one table, and the drivers' files.

use protocol::language::Language;

/// Where a cell finds the drivers, read-only.
pub const DRIVERS_DIR: &str = "/dev/zygote";
/// The drivers' files, below the job's `/dev`.
pub const DRIVERS: &[(&str, &str)] = &[
    ("go-build.sh", include_str!("../drivers/go-build.sh")),
    ("rust-build.sh", include_str!("../drivers/rust-build.sh")),
    ("session.py", include_str!("../drivers/session.py")),
    ("session.js", include_str!("../drivers/session.js")),
    (
        "usercustomize.py",
        include_str!("../drivers/usercustomize.py"),
    ),
    ("wait.sh", include_str!("../drivers/wait.sh")),
    ("rehearsal.js", include_str!("../drivers/rehearsal.js")),
    ("zygote.js", include_str!("../drivers/zygote.js")),
];

/// One language's way to wait.
pub struct Recipe {
    /// Whose.
    pub language: Language,
    /// Its argv, in the work folder.
    pub argv: &'static [&'static str],
    /// Besides the language's own variables.
    pub env: &'static [(&'static str, &'static str)],
    /// Beginnings of variables read at start-up: a job that brings one needs a new interpreter.
    pub fixed: &'static [&'static str],
    /// It can run a program under any name, not only under the language's own.
    pub takes_any_file: bool,
    /// Where its library's modules are, if a job's own of the same name come before them.
    pub library: Option<Library>,
    /// It can be handed arguments.
    pub takes_args: bool,
    /// It can carry out one program after another.
    pub keeps_sessions: bool,
}

/// A folder of modules that are found by their names.
pub struct Library {
    /// In the image.
    pub folder: &'static str,
    /// What a module's file ends in.
    pub suffix: &'static str,
}

impl Library {
    /// The name under which a job's file, or the folder that it is in, can be imported from where the job
    /// starts.
    pub fn module_of<'a>(&self, path: &'a str) -> Option<&'a str> {
        match path.split_once('/') {
            Some((folder, _)) => Some(folder),
            None => path.strip_suffix(self.suffix),
        }
    }

    /// Whether the library has a module of this name.
    pub fn has(&self, module: &str) -> bool {
        let at = format!("{}/{module}", self.folder);
        std::fs::exists(&at).unwrap_or(true)
            || std::fs::exists(format!("{at}{}", self.suffix)).unwrap_or(true)
    }
}

/// All rows.
pub const RECIPES: &[Recipe] = &[
    Recipe {
        language: Language::Python,
        argv: &["/usr/bin/python3", "main.py"],
        env: &[("PYTHONPATH", DRIVERS_DIR)],
        fixed: &["PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_"],
        // It has been told its program's name already, deep inside.
        takes_any_file: false,
        library: Some(Library {
            folder: "/usr/lib/python3.11",
            suffix: ".py",
        }),
        takes_args: true,
        keeps_sessions: true,
    },
    Recipe {
        language: Language::Node,
        argv: &[
            "/usr/bin/node",
            "--require",
            "/dev/zygote/zygote.js",
            "main.js",
        ],
        env: &[("ZYGOTE_REQUEST", "3")],
        fixed: &[
            "NODE_", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_", "SSL_", "OPENSSL_", "UV_", "TZ",
            "ICU_",
        ],
        takes_any_file: true,
        // Its own come first.
        library: None,
        takes_args: true,
        keeps_sessions: true,
    },
    Recipe {
        language: Language::Bash,
        argv: &["/bin/bash", "main.sh"],
        env: &[("BASH_ENV", "/dev/zygote/wait.sh")],
        // Any: a shell takes its variables from its environment.
        fixed: &[""],
        takes_any_file: false,
        library: None,
        takes_args: false,
        keeps_sessions: false,
    },
];
