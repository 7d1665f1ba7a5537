//! The programs of [`crate::cases`] in C.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "c",
    extension: "c",
    hello: r#"#include <stdio.h>
int main(void) { puts("hello"); }
"#,
    exit_3: r#"int main(void) { return 3; }
"#,
    stderr: r#"#include <stdio.h>
int main(void) { puts("out"); fputs("err\n", stderr); }
"#,
    echo: r#"#include <stdio.h>
int main(void) { for (int c; (c = getchar()) != EOF;) putchar(c); }
"#,
    arguments: r#"#include <stdio.h>
int main(int count, char **args) { for (int i = 1; i < count; i++) printf("<%s>\n", args[i]); }
"#,
    exception: r#"#include <stdlib.h>
int main(void) { abort(); }
"#,
    exception_says: (-6, &[]),
    endless: r#"#include <stdio.h>
int main(void) {
  puts("begun");
  fflush(stdout);
  for (volatile int n = 0;; n++) {}
}
"#,
    hog: r#"#include <stdlib.h>
#include <string.h>
int main(void) {
  for (;;) {
    char *kept = malloc(16 << 20);
    if (kept) memset(kept, 1, 16 << 20);
    asm volatile("" : : "r"(kept) : "memory");
  }
}
"#,
    broken: r#"#include <stdio.h>
int main(void) {
  undefined();
  puts("never")
}
"#,
    broken_says: (
        "compile",
        1,
        &[
            "main.c:3:3: error: implicit declaration of function",
            "main.c:4:16: error: expected",
        ],
    ),
    bytes: r#"#include <stdio.h>
int main(void) { fwrite("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\0\xff\xfe\n", 1, 13, stdout); }
"#,
    flood: r#"#include <stdio.h>
int main(void) { for (int i = 0; i < 5000000; i++) putchar('x'); }
"#,
    trespass: r#"#include <stdio.h>
static void report(const char *name, FILE *file) { printf("%s %s\n", name, file ? "allowed" : "refused"); }
int main(void) {
  report("passwd", fopen("/etc/passwd", "r"));
  report("tmp", fopen("/tmp/new", "w"));
  report("shadow", fopen("/etc/shadow", "r"));
  report("usr", fopen("/usr/new", "w"));
  report("etc", fopen("/etc/new", "w"));
  report("root", fopen("/new", "w"));
}
"#,
    network: r#"#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
static void reach(const char *name, const char *host, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
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
