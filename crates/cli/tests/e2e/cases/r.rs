//! The programs of [`crate::cases`] in R.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "r",
    extension: "R",
    hello: r#"cat('hello\n')"#,
    exit_3: "quit(status = 3)",
    stderr: r#"cat('out\n')
message('err')"#,
    echo: r#"input <- file('stdin', 'rb')
out <- pipe('cat', 'wb')
while (length(bytes <- readBin(input, 'raw', 65536))) writeBin(bytes, out)
close(out)"#,
    arguments: r#"for (arg in commandArgs(trailingOnly = TRUE)) cat('<', arg, '>\n', sep = '')"#,
    exception: r#"inner <- function() {
  stop('no good')
}
inner()
"#,
    exception_says: (1, &["Error in inner() : no good", "Execution halted"]),
    endless: r#"cat('begun\n')
repeat {}"#,
    hog: r#"kept <- list()
repeat kept[[length(kept) + 1]] <- rep(1, 2e6)"#,
    broken: r#"broken <- function( {
cat('never')
"#,
    broken_says: ("execute", 1, &["Error: unexpected"]),
    bytes: r#"cat('ü€😀')
out <- pipe('cat', 'wb')
writeBin(as.raw(c(0, 255, 254, 10)), out)
close(out)"#,
    flood: "cat(strrep('x', 5000000))",
    trespass: r#"
attempt <- function(name, path, mode) {
  allowed <- tryCatch({ close(file(path, mode)); TRUE }, error = function(e) FALSE, warning = function(w) FALSE)
  cat(name, if (allowed) 'allowed\n' else 'refused\n')
}
attempt('passwd', '/etc/passwd', 'r')
attempt('tmp', '/tmp/new', 'w')
attempt('shadow', '/etc/shadow', 'r')
attempt('usr', '/usr/new', 'w')
attempt('etc', '/etc/new', 'w')
attempt('root', '/new', 'w')"#,
    network: r#"
# R tells no cause of its own; bash does.
attempt <- function(name, to) {
  said <- suppressWarnings(system(paste0("bash -c 'exec 3<> /dev/tcp/", to, "' 2>&1"), intern = TRUE))
  cat(name, c(said, 'worked')[1], '\n')
}
attempt('public', '8.8.8.8/53')
attempt('metadata', '169.254.169.254/80')
attempt('lookup', 'example.com/80')"#,
    bomb: "repeat if (system('sleep 60', wait = FALSE) != 0) Sys.sleep(0.01)",
    daemon: r#"
system("bash -mc \"trap '' TERM HUP; (while :; do sleep 1000; done) < /dev/null > /dev/null 2>&1 &\"")
cat('started\n')"#,
};
