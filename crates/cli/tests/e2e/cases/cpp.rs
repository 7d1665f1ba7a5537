//! The programs of [`crate::cases`] in C++.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "cpp",
    extension: "cpp",
    hello: r#"#include <iostream>
int main() { std::cout << "hello\n"; }
"#,
    exit_3: r#"#include <cstdlib>
int main() { std::exit(3); }
"#,
    stderr: r#"#include <iostream>
int main() {
  std::cout << "out\n";
  std::cerr << "err\n";
}
"#,
    echo: r#"#include <iostream>
int main() { std::cout << std::cin.rdbuf(); }
"#,
    arguments: r#"#include <iostream>
#include <span>
int main(int count, char **args) {
  for (auto arg : std::span(args, count).subspan(1)) std::cout << "<" << arg << ">\n";
}
"#,
    exception: r#"#include <stdexcept>
void inner() { throw std::runtime_error("no good"); }
int main() { inner(); }
"#,
    exception_says: (
        -6,
        &[
            "terminate called after throwing an instance of 'std::runtime_error'",
            "what():  no good",
        ],
    ),
    endless: r#"#include <iostream>
int main() {
  std::cout << "begun" << std::endl;
  for (volatile int n = 0;; n = n + 1) {}
}
"#,
    hog: r#"#include <vector>
int main() {
  std::vector<std::vector<char>> kept;
  for (;;) kept.emplace_back(16 << 20, 'x');
}
"#,
    broken: r#"#include <iostream>
int main() {
  std::cout << undefined;
}
"#,
    broken_says: (
        "compile",
        1,
        &["main.cpp:3:16: error: ‘undefined’ was not declared in this scope"],
    ),
    bytes: r#"#include <iostream>
#include <string_view>
using namespace std::literals;
int main() { std::cout << "ü€😀\0\xff\xfe\n"sv; }
"#,
    flood: r#"#include <iostream>
#include <string>
int main() { std::cout << std::string(5000000, 'x'); }
"#,
    trespass: r#"#include <fstream>
#include <iostream>
template <class Stream> void attempt(const char *name, const char *path) {
  std::cout << name << (Stream(path) ? " allowed\n" : " refused\n");
}
int main() {
  attempt<std::ifstream>("passwd", "/etc/passwd");
  attempt<std::ofstream>("tmp", "/tmp/new");
  attempt<std::ifstream>("shadow", "/etc/shadow");
  attempt<std::ofstream>("usr", "/usr/new");
  attempt<std::ofstream>("etc", "/etc/new");
  attempt<std::ofstream>("root", "/new");
}
"#,
    network: r#"#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
static void reach(const char *name, const char *host, int port) {
  struct sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  inet_pton(AF_INET, host, &to.sin_addr);
  int failed = connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof to);
  printf("%s %s\n", name, failed ? strerror(errno) : "worked");
}
int main(void) {
  reach("public", "8.8.8.8", 53);
  reach("metadata", "169.254.169.254", 80);
  struct addrinfo *found;
  int failed = getaddrinfo("example.com", "80", NULL, &found);
  printf("lookup %s\n", failed ? gai_strerror(failed) : "worked");
}
"#,
    bomb: r#"#include <unistd.h>
int main(void) {
  for (;;)
    if (fork() < 0) usleep(10000);
}
"#,
    daemon: r#"#include <signal.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
  if (fork() == 0) {
    setsid();
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    for (int fd = 0; fd < 3; fd++) close(fd);
    for (;;) pause();
  }
  puts("started");
}
"#,
};
