// A small highlighter: cuts a program into comments, strings, numbers, keywords and the rest.
// It hands out pieces of text, never HTML.

const WORDS = {
  python: "and as assert async await break class continue def del elif else except False finally for from global if import in is lambda None nonlocal not or pass raise return True try while with yield",
  node: "async await break case catch class const continue default delete do else export extends false finally for from function if import in instanceof let new null of return static super switch this throw true try typeof undefined var void while yield",
  go: "break case chan const continue default defer else fallthrough false for func go goto if import interface map nil package range return select struct switch true type var",
  rust: "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while",
  bash: "case do done elif else esac export fi for function if in local return set then until while",
};

const COMMENT = { python: "#[^\\n]*", bash: "(?<![^\\s;])#[^\\n]*", node: "\\/\\/[^\\n]*|\\/\\*[^]*?(?:\\*\\/|$)" };
COMMENT.go = COMMENT.rust = COMMENT.node;

const STRING = {
  python: `"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\\\.|[^"\\\\\\n])*"?|'(?:\\\\.|[^'\\\\\\n])*'?`,
  node: "`(?:\\\\.|[^`\\\\])*`?|\"(?:\\\\.|[^\"\\\\\\n])*\"?|'(?:\\\\.|[^'\\\\\\n])*'?",
  go: "`[^`]*`?|\"(?:\\\\.|[^\"\\\\\\n])*\"?|'(?:\\\\.|[^'\\\\\\n])*'?",
  rust: "\"(?:\\\\.|[^\"\\\\])*\"?|'(?:\\\\.|[^'\\\\\\n])'",
  bash: "\"(?:\\\\.|[^\"\\\\])*\"?|'[^']*'?",
};

const rules = new Map();

function rule(language) {
  if (!rules.has(language)) {
    const parts = [`(${COMMENT[language]})`, `(${STRING[language]})`, "(\\b\\d[\\w.]*)", "([A-Za-z_]\\w*)"];
    rules.set(language, { expression: new RegExp(parts.join("|"), "g"), words: new Set(WORDS[language].split(" ")) });
  }
  return rules.get(language);
}

/** Yields [class name or "", text]; the texts together are the code. */
export function* pieces(language, code) {
  if (!(language in WORDS)) {
    yield ["", code];
    return;
  }
  const { expression, words } = rule(language);
  let end = 0;
  for (const match of code.matchAll(expression)) {
    if (match.index > end) yield ["", code.slice(end, match.index)];
    const [text, comment, string, number] = match;
    yield [comment ? "c" : string ? "s" : number ? "n" : words.has(text) ? "k" : "", text];
    end = match.index + text.length;
  }
  if (end < code.length) yield ["", code.slice(end)];
}
