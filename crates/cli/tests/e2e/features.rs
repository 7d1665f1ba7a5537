//! What newer versions of the languages brought, as today's programs use it: one program each, and what it prints.

use crate::lab;
use crate::tool::Tool;

/// Language, extension, program, what it prints.
type Feature = (&'static str, &'static str, &'static str, &'static str);

const FEATURES: &[Feature] = &[
    (
        "python",
        "py",
        r#"
import sys, tomllib
from itertools import batched

type Pair[T] = tuple[T, T]

def first[T](items: list[T]) -> T:
    match items:
        case [one, *_]:
            return one
        case _:
            raise ValueError

class Box[T]:
    def __init__(self, item: T):
        self.item = item

names = ["ab", "cd"]
print(first([3, 4]), Box(5).item, Pair.__name__)
print(f"{", ".join(names)}", list(batched(range(5), 2)))
print(tomllib.loads("a = 1"), sys.version_info >= (3, 13))
try:
    raise ExceptionGroup("all", [ValueError(1), TypeError(2)])
except* ValueError as group:
    print("values", group.exceptions)
except* TypeError as group:
    print("types", group.exceptions)
"#,
        "3 5 Pair\nab, cd [(0, 1), (2, 3), (4,)]\n{'a': 1} True\nvalues (ValueError(1),)\ntypes (TypeError(2),)\n",
    ),
    (
        "node",
        "mjs",
        r#"
import { test } from 'node:test';
import { createServer } from 'node:http';
const grouped = Object.groupBy([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even'));
console.log(JSON.stringify(grouped), [3, 1, 2].toSorted().join(), new Set([1, 2]).union(new Set([3])).size);
console.log(Array.from([1, 2, 3].values().map((n) => n * 2)).join(), structuredClone({ a: [1] }).a[0]);
const { promise, resolve } = Promise.withResolvers();
const server = createServer((_, answer) => answer.end('from the server')).listen(0, '127.0.0.1', resolve);
await promise;
const answer = await fetch(`http://127.0.0.1:${server.address().port}/`);
console.log(await answer.text(), typeof WebSocket, typeof test);
server.close();
try { await fetch('http://example.com/'); } catch (error) { console.log(error.message); }
{
  using held = { [Symbol.dispose]() { console.log('disposed'); } };
}
"#,
        "{\"odd\":[1,3],\"even\":[2]} 1,2,3 3\n2,4,6 1\nfrom the server function function\nfetch failed\ndisposed\n",
    ),
    (
        "typescript",
        "ts",
        r#"
enum Colour { Red = 'red', Blue = 'blue' }
interface Item { name: string; price?: number }
const items = [{ name: 'a', price: 1 }, { name: 'b' }] satisfies Item[];
const total = (all: readonly Item[]): number => all.reduce((sum, { price = 0 }) => sum + price, 0);
class Counter { constructor(private accessor_: number) {} get value(): number { return this.accessor_; } }
console.log(Colour.Blue, total(items), new Counter(7).value, ['x'] as const);
await Promise.resolve();
"#,
        "blue 1 7 [ 'x' ]\n",
    ),
    (
        "go",
        "go",
        r#"package main

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
)

func count(to int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range to {
			if !yield(i) {
				return
			}
		}
	}
}

type Set[T comparable] = map[T]struct{}

func main() {
	for i := range count(10) {
		if i == 2 {
			break
		}
		fmt.Print(i, " ")
	}
	words := strings.Fields("b a c")
	slices.SortFunc(words, cmp.Compare)
	fmt.Println(words, min(2, 1), max(2.5, 1), slices.Sorted(maps.Keys(Set[string]{"y": {}, "x": {}})))
	var all []func() int
	for i := 0; i < 2; i++ {
		all = append(all, func() int { return i })
	}
	fmt.Println(all[0](), all[1](), errors.Join(errors.New("a"), errors.New("b")) != nil)
	var group sync.WaitGroup
	group.Go(func() { fmt.Println("in the group") })
	group.Wait()
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "time" {
			return slog.Attr{}
		}
		return a
	}}))
	logger.Info("said", "n", 1)
	clear(words)
	fmt.Printf("%q\n", words)
}
"#,
        "0 1 [a b c] 1 2.5 [x y]\n0 1 true\nin the group\nlevel=INFO msg=said n=1\n[\"\" \"\" \"\"]\n",
    ),
    (
        "rust",
        "rs",
        r#"use std::cell::LazyCell;
use std::sync::LazyLock;

static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| vec!["a", "b"]);

trait Shape {
    fn sides(&self) -> impl Iterator<Item = u32>;
}

struct Square(u32);

impl Shape for Square {
    fn sides(&self) -> impl Iterator<Item = u32> {
        std::iter::repeat_n(self.0, 4)
    }
}

async fn twice(f: impl AsyncFn(u32) -> u32) -> u32 {
    f(1).await + f(2).await
}

fn parse(text: &str) -> Result<u32, String> {
    let Ok(number) = text.parse::<u32>() else {
        return Err(format!("no number: {text}"));
    };
    Ok(number)
}

fn main() {
    if let Ok(seven) = parse("7")
        && seven > 6
    {
        println!("{seven} {:?}", parse("x"));
    }
    let lazy = LazyCell::new(|| WORDS.join("+"));
    println!("{} {:?} {}", *lazy, Square(2).sides().sum::<u32>(), 10u32.div_ceil(3));
    let [first, .., last] = [1, 2, 3];
    let chunks: Vec<&[i32]> = [1, 1, 2].chunk_by(|a, b| a == b).collect();
    println!("{first} {last} {chunks:?} {:?}", "a=b".split_once('='));
    let mut future = std::pin::pin!(twice(async |n| n * 10));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    println!("{:?}", future.as_mut().poll(&mut context));
}
use std::future::Future;
"#,
        "7 Err(\"no number: x\")\na+b 8 4\n1 3 [[1, 1], [2]] Some((\"a\", \"b\"))\nReady(30)\n",
    ),
    // Of the edition before: the newest would refuse it.
    (
        "rust",
        "rs",
        "extern \"C\" { fn abs(n: i32) -> i32; }\nfn main() { let gen = unsafe { abs(-3) }; println!(\"{gen}\"); }",
        "3\n",
    ),
    (
        "bash",
        "sh",
        "declare -A ages=([ann]=3)\nfor name in \"${!ages[@]}\"; do echo \"${name@U} ${ages[$name]}\"; done\n\
         mapfile -t lines < <(printf '%s\\n' a b)\necho \"${#lines[@]} ${lines[-1]} ${EPOCHSECONDS:0:1}\"\nwait -n 2> /dev/null\necho \"${SRANDOM:+drawn}\"\n",
        "ANN 3\n2 b 1\ndrawn\n",
    ),
    (
        "c",
        "c",
        "#include <stdio.h>\n#include <stdbit.h>\nint main(void) {\n    typeof(1) n = 0b1010;\n    bool even = n % 2 == 0;\n    \
         printf(\"%d %d %d\\n\", n, even, __GNUC__ >= 14);\n}\n",
        "10 1 1\n",
    ),
    (
        "cpp",
        "cpp",
        r#"#include <algorithm>
#include <expected>
#include <format>
#include <iostream>
#include <ranges>
#include <string>
#include <vector>
template <typename T> concept Number = std::is_arithmetic_v<T>;
auto twice(Number auto n) { return n * 2; }
int main() {
    std::vector<int> all{3, 1, 2};
    std::ranges::sort(all);
    for (int n : all | std::views::filter([](int n) { return n > 1; }) | std::views::transform([](int n) { return n * n; }))
        std::cout << n << ' ';
    auto [a, b] = std::pair{1, std::string("two")};
    std::cout << std::format("{:>3} {} {}", a, b, twice(2.5)) << '\n';
}
"#,
        "4 9   1 two 5\n",
    ),
    (
        "java",
        "java",
        r#"sealed interface Shape permits Circle, Square {}
record Circle(double radius) implements Shape {}
record Square(double side) implements Shape {}
static double area(Shape shape) {
    return switch (shape) {
        case Circle(var radius) when radius > 1 -> 3 * radius * radius;
        case Circle _ -> 0;
        case Square(var side) -> side * side;
    };
}
void main() throws Exception {
    var text = """
        two
        lines""";
    IO.println(area(new Circle(2)) + " " + area(new Square(3)) + " " + text.lines().count());
    var thread = Thread.startVirtualThread(() -> IO.println("virtual " + Thread.currentThread().isVirtual()));
    thread.join();
    IO.println(java.util.List.of(1, 2, 3).reversed() + " " + "ab".repeat(2));
}
"#,
        "12.0 9.0 2\nvirtual true\n[3, 2, 1] abab\n",
    ),
    (
        "ruby",
        "rb",
        "Point = Data.define(:x, :y)\ncase {name: 'a', at: Point.new(x: 1, y: 2)}\nin {name: String => name, at: {x:, y:}}\n  \
         puts \"#{name} #{x + y}\"\nend\ndef square(n) = n * n\nputs square(3), [1, 2, 3].filter_map { _1 * 2 if _1.odd? }.sum\n",
        "a 3\n9\n8\n",
    ),
    (
        "php",
        "php",
        r#"<?php
declare(strict_types=1);
enum Suit: string { case Hearts = 'H'; public static function first(): self { return self::Hearts; } }
readonly class Point { public function __construct(public int $x, public int $y) {} }
class Name { public string $upper { get => strtoupper($this->name); } public function __construct(private(set) string $name) {} }
echo Suit::first()->value, ' ', (new Point(x: 1, y: 2))->y, ' ', new Name('ab')->upper, "\n";
echo match (true) { 1 > 2 => 'no', default => 'yes' }, ' ', array_find([1, 2, 3], fn ($n) => $n > 1), ' ', json_validate('{}') ? 'valid' : '', "\n";
"#,
        "H 2 AB\nyes 2 valid\n",
    ),
    (
        "perl",
        "pl",
        "use v5.40;\nuse experimental 'class';\nclass Point { field $x :param :reader = 1; method twice { 2 * $x } }\n\
         my $point = Point->new(x => 4);\nsay join ' ', $point->x, $point->twice, true ? 'yes' : 'no';\n\
         for my ($k, $v) (a => 1, b => 2) { print \"$k=$v \" }\ntry { die \"caught\\n\" } catch ($e) { print $e }\n",
        "4 8 yes\na=1 b=2 caught\n",
    ),
    (
        "lua",
        "lua",
        "local n <const> = 7\nprint(n // 2, 7 & 3, utf8.len('ü€'), math.type(1), table.concat({table.unpack({1, 2})}, ','))\n",
        "3\t3\t2\tinteger\t1,2\n",
    ),
    (
        "r",
        "R",
        "square <- \\(x) x^2\ncat(c(1, 2, 3) |> square() |> sum(), '\\n')\ncat(sprintf('%s', r\"(a\\b)\"), '\\n')\n\
         cat(Reduce(`+`, 1:4, accumulate = TRUE), NULL %||% 'none', '\\n')\n",
        "14 \na\\b \n1 3 6 10 none \n",
    ),
    (
        "sqlite",
        "sql",
        "CREATE TABLE t(a INTEGER, b TEXT) STRICT;\nINSERT INTO t VALUES (1, 'x'), (2, 'y') RETURNING a;\n\
         SELECT json('{\"a\": 1}') ->> 'a', unixepoch('1970-01-02'), concat_ws('-', 'a', 'b');\n\
         SELECT sum(a) OVER (ORDER BY a), string_agg(b, '+') OVER () FROM t;\n",
        "1\n2\n1|86400|a-b\n1|x+y\n3|x+y\n",
    ),
];

/// Those whose images a plain run of the tests builds; of all where they are asked for.
fn is_asked_for(language: &str) -> bool {
    let usual = [
        "python", "node", "go", "rust", "bash", "c", "perl", "sqlite",
    ];
    usual.contains(&language) || std::env::var_os("LLM_FIRECRACKER_ALL_LANGUAGES").is_some()
}

#[test]
fn programs_use_what_newer_versions_brought() {
    let mut wrong = Vec::new();
    for (language, extension, program, expected) in FEATURES {
        if !is_asked_for(language) || !lab::lab().has(language) {
            println!("not run: {language}");
            continue;
        }
        let done = Tool::run(extension, program)
            .args(["--json", "--timeout", "60", "--compile-timeout", "120"])
            .go();
        let result = done.json();
        if result["stdout"] != *expected {
            wrong.push(format!("{language}: {result}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
