//! How each language's interpreter is made to wait: one table, and the drivers' files.

use protocol::language::Language;

/// Where a cell finds the drivers, read-only.
pub const DRIVERS_DIR: &str = "/dev/zygote";
/// The drivers' files, below the job's `/dev`.
pub const DRIVERS: &[(&str, &str)] = &[
    ("go-build.sh", include_str!("../drivers/go-build.sh")),
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
    /// It can be handed arguments.
    pub takes_args: bool,
    /// It can carry out one program after another.
    pub keeps_sessions: bool,
}

/// All rows.
pub const RECIPES: &[Recipe] = &[
    Recipe {
        language: Language::Python,
        argv: &["/usr/bin/python3", "main.py"],
        env: &[("PYTHONPATH", DRIVERS_DIR)],
        fixed: &["PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_"],
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
        takes_args: true,
        keeps_sessions: true,
    },
    Recipe {
        language: Language::Bash,
        argv: &["/bin/bash", "main.sh"],
        env: &[("BASH_ENV", "/dev/zygote/wait.sh")],
        // Any: a shell takes its variables from its environment.
        fixed: &[""],
        takes_args: false,
        keeps_sessions: false,
    },
];
