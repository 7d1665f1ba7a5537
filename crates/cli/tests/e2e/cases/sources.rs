//! What a language's file of programs holds.

/// The programs of one language, one for each row of [`super::CASES`].
pub struct Sources {
    /// The language's name.
    pub language: &'static str,
    /// The extension of its files.
    pub extension: &'static str,
    /// Prints `hello`.
    pub hello: &'static str,
    /// Exits with 3.
    pub exit_3: &'static str,
    /// Prints `out` to stdout and `err` to stderr.
    pub stderr: &'static str,
    /// Copies standard input to standard output.
    pub echo: &'static str,
    /// Prints each argument in angle brackets on a line.
    pub arguments: &'static str,
    /// Fails with an error that nobody catches.
    pub exception: &'static str,
    /// The exit code of that (below 0: the signal), and words of its traceback: the file, the line.
    pub exception_says: (i64, &'static [&'static str]),
    /// Never ends, uses the CPU.
    pub endless: &'static str,
    /// Allocates and touches memory without an end.
    pub hog: &'static str,
    /// Is no program of this language.
    pub broken: &'static str,
    /// The phase in which that shows, its exit code, words of the compiler or interpreter.
    pub broken_says: (&'static str, i64, &'static [&'static str]),
    /// Prints [`super::RAW`].
    pub bytes: &'static str,
    /// Prints 5,000,000 times `x`.
    pub flood: &'static str,
    /// Prints `NAME allowed` or `NAME refused` for each of: read /etc/passwd, write /tmp, read
    /// /etc/shadow, write /usr, write /etc, write /. `NAME` is the folder's or file's base name.
    pub trespass: &'static str,
    /// Prints `NAME: ERROR` for a connection to 8.8.8.8:53, to 169.254.169.254:80 and a look-up.
    pub network: &'static str,
    /// Starts copies of itself without an end.
    pub bomb: &'static str,
    /// Leaves a process behind that ignores SIGTERM and has a session or a group of its own; prints `started`.
    pub daemon: &'static str,
}
