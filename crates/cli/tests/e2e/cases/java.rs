//! The programs of [`crate::cases`] in Java.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "java",
    extension: "java",
    hello: r#"public class Main {
    public static void main(String[] args) { System.out.println("hello"); }
}
"#,
    exit_3: r#"class Main {
    public static void main(String[] args) { System.exit(3); }
}
"#,
    stderr: r#"class Main {
    public static void main(String[] args) {
        System.out.println("out");
        System.err.println("err");
    }
}
"#,
    echo: r#"class Main {
    public static void main(String[] args) throws Exception { System.in.transferTo(System.out); }
}
"#,
    arguments: r#"class Main {
    public static void main(String[] args) {
        for (String arg : args) System.out.println("<" + arg + ">");
    }
}
"#,
    exception: r#"class Main {
    static void inner() { throw new IllegalStateException("no good"); }
    public static void main(String[] args) { inner(); }
}
"#,
    exception_says: (
        1,
        &[
            r#"Exception in thread "main" java.lang.IllegalStateException: no good"#,
            "at Main.inner(main.java:2)",
            "at Main.main(main.java:3)",
        ],
    ),
    endless: r#"class Main {
    static volatile long n;
    public static void main(String[] args) {
        System.out.println("begun");
        for (;;) n++;
    }
}
"#,
    hog: r#"class Main {
    public static void main(String[] args) throws Exception {
        // Outside of the heap, of which Java keeps the bound itself.
        var field = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        var memory = (sun.misc.Unsafe) field.get(null);
        for (;;) memory.setMemory(memory.allocateMemory(16 << 20), 16 << 20, (byte) 1);
    }
}
"#,
    broken: r#"class Main {
    public static void main(String[] args) {
        int x = undefined();
    }
}
"#,
    broken_says: (
        "compile",
        1,
        &[
            "main.java:3: error: cannot find symbol",
            "symbol:   method undefined()",
        ],
    ),
    bytes: r#"class Main {
    public static void main(String[] args) throws Exception {
        System.out.write("ü€😀\0".getBytes("UTF-8"));
        System.out.write(new byte[] {(byte) 255, (byte) 254, 10});
    }
}
"#,
    flood: r#"class Main {
    public static void main(String[] args) {
        for (int i = 0; i < 50; i++) System.out.print("x".repeat(100000));
    }
}
"#,
    trespass: r#"import java.nio.file.*;

class Main {
    interface Action { void act() throws Exception; }
    static void attempt(String name, Action action) {
        try {
            action.act();
            System.out.println(name + " allowed");
        } catch (Exception error) {
            System.out.println(name + " refused");
        }
    }
    public static void main(String[] args) {
        attempt("passwd", () -> Files.readAllBytes(Path.of("/etc/passwd")));
        attempt("tmp", () -> Files.writeString(Path.of("/tmp/new"), "x"));
        attempt("shadow", () -> Files.readAllBytes(Path.of("/etc/shadow")));
        attempt("usr", () -> Files.writeString(Path.of("/usr/new"), "x"));
        attempt("etc", () -> Files.writeString(Path.of("/etc/new"), "x"));
        attempt("root", () -> Files.writeString(Path.of("/new"), "x"));
    }
}
"#,
    network: r#"import java.net.*;

class Main {
    interface Action { void act() throws Exception; }
    static void attempt(String name, Action action) {
        try {
            action.act();
            System.out.println(name + " worked");
        } catch (Exception error) {
            System.out.println(name + " " + error.getMessage());
        }
    }
    public static void main(String[] args) {
        attempt("public", () -> new Socket("8.8.8.8", 53));
        attempt("metadata", () -> new Socket("169.254.169.254", 80));
        attempt("lookup", () -> InetAddress.getByName("example.com"));
    }
}
"#,
    bomb: r#"class Main {
    public static void main(String[] args) throws Exception {
        for (;;) {
            try {
                new ProcessBuilder("sleep", "60").start();
            } catch (java.io.IOException error) {
                Thread.sleep(10);
            }
        }
    }
}
"#,
    daemon: r#"class Main {
    public static void main(String[] args) throws Exception {
        var nowhere = new java.io.File("/dev/null");
        new ProcessBuilder("/bin/sh", "-c", "trap '' TERM HUP; while :; do sleep 1000; done").inheritIO()
                .redirectInput(nowhere).redirectOutput(nowhere).redirectError(nowhere).start();
        System.out.println("started");
    }
}
"#,
};
