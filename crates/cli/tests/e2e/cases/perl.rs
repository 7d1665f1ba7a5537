//! The programs of [`crate::cases`] in Perl.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "perl",
    extension: "pl",
    hello: r#"print "hello\n";"#,
    exit_3: "exit 3;",
    stderr: r#"print "out\n";
print STDERR "err\n";"#,
    echo: "print while <STDIN>;",
    arguments: r#"print "<$_>\n" for @ARGV;"#,
    exception: r#"sub inner {
  die "no good";
}
inner();
"#,
    exception_says: (255, &["no good at main.pl line 2."]),
    endless: r#"$| = 1;
print "begun\n";
1 while 1;"#,
    hog: r#"my @kept;
push @kept, "x" x (16 << 20) while 1;"#,
    broken: r#"print "never";
sub broken( {
"#,
    broken_says: (
        "execute",
        255,
        &["Prototype not terminated at main.pl line 2."],
    ),
    bytes: r#"binmode STDOUT;
print "ü€😀\0\xff\xfe\n";"#,
    flood: r#"print "x" x 5_000_000;"#,
    trespass: r#"
sub attempt {
  my ($name, $mode, $path) = @_;
  print $name, open(my $file, $mode, $path) ? " allowed\n" : " refused\n";
}
attempt('passwd', '<', '/etc/passwd');
attempt('tmp', '>', '/tmp/new');
attempt('shadow', '<', '/etc/shadow');
attempt('usr', '>', '/usr/new');
attempt('etc', '>', '/etc/new');
attempt('root', '>', '/new');"#,
    network: r#"
use Socket qw(:addrinfo SOCK_STREAM AF_INET pack_sockaddr_in inet_aton);
sub attempt {
  my ($name, $host, $port) = @_;
  socket(my $line, AF_INET, SOCK_STREAM, 0);
  print $name, connect($line, pack_sockaddr_in($port, inet_aton($host))) ? " worked\n" : " $!\n";
}
attempt('public', '8.8.8.8', 53);
attempt('metadata', '169.254.169.254', 80);
my ($error) = getaddrinfo('example.com', 'http');
print "lookup ", $error || 'worked', "\n";"#,
    bomb: r#"while (1) {
  select(undef, undef, undef, 0.01) unless defined fork;
}"#,
    daemon: r#"
use POSIX;
unless (fork) {
  POSIX::setsid();
  $SIG{TERM} = $SIG{HUP} = 'IGNORE';
  open $_, '+<', '/dev/null' for *STDIN, *STDOUT, *STDERR;
  sleep 1000 while 1;
}
print "started\n";"#,
};
