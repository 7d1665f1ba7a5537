//! The programs that are timed: the smallest that prove their language ran.

use protocol::language::Language;

/// A program and what it prints.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its language.
    pub language: Language,
    /// Its text.
    pub code: &'static str,
    /// Its whole output.
    pub stdout: &'static str,
}

/// The hello of a language.
pub fn hello(language: Language) -> Program {
    let code = match language {
        Language::Python => "print('hello')\n",
        Language::Node => "console.log('hello')\n",
        Language::Go => {
            "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n"
        }
        Language::Rust => "fn main() { println!(\"hello\"); }\n",
        Language::Bash => "echo hello\n",
    };
    Program {
        language,
        code,
        stdout: "hello\n",
    }
}
