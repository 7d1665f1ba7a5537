//! The programs of [`crate::cases`] in Ruby.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "ruby",
    extension: "rb",
    hello: "puts 'hello'",
    exit_3: "exit 3",
    stderr: r#"puts 'out'
warn 'err'"#,
    echo: "IO.copy_stream($stdin, $stdout)",
    arguments: r#"ARGV.each { |arg| puts "<#{arg}>" }"#,
    exception: r#"def inner
  raise ArgumentError, 'no good'
end
inner
"#,
    exception_says: (
        1,
        &[
            "main.rb:2:in `inner': no good (ArgumentError)",
            "from main.rb:4:in `<main>'",
        ],
    ),
    endless: r#"$stdout.sync = true
puts 'begun'
loop {}"#,
    hog: r#"kept = []
loop { kept << 'x' * (16 << 20) }"#,
    broken: r#"puts 'never'
def broken(
"#,
    broken_says: (
        "execute",
        1,
        &["main.rb:2: syntax error, unexpected end-of-input"],
    ),
    bytes: r#"$stdout.binmode
print "ü€😀".b, [0, 255, 254, 10].pack("C*")"#,
    flood: "print 'x' * 5_000_000",
    trespass: r##"
def attempt(name)
  yield
  puts "#{name} allowed"
rescue SystemCallError
  puts "#{name} refused"
end
attempt('passwd') { File.read('/etc/passwd') }
attempt('tmp') { File.write('/tmp/new', 'x') }
attempt('shadow') { File.read('/etc/shadow') }
attempt('usr') { File.write('/usr/new', 'x') }
attempt('etc') { File.write('/etc/new', 'x') }
attempt('root') { File.write('/new', 'x') }"##,
    network: r##"
require 'socket'
def attempt(name)
  yield
  puts "#{name} worked"
rescue SystemCallError, SocketError => error
  puts "#{name} #{error.message}"
end
attempt('public') { TCPSocket.new('8.8.8.8', 53) }
attempt('metadata') { TCPSocket.new('169.254.169.254', 80) }
attempt('lookup') { Addrinfo.getaddrinfo('example.com', 80) }"##,
    bomb: r#"
loop do
  fork
rescue SystemCallError
  sleep 0.01
end"#,
    daemon: r#"
daemon = fork do
  Process.setsid
  %w[TERM HUP].each { |name| trap(name, 'IGNORE') }
  [$stdin, $stdout, $stderr].each { |stream| stream.reopen('/dev/null') }
  sleep
end
Process.detach(daemon)
puts 'started' "#,
};
