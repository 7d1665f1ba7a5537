// Traits with associated types, generics, iterators, closures, operator overloading, lifetimes.
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::fmt::{self, Debug, Display};
use std::ops::{Index, Neg};

trait Shape {
    const CORNERS: u32;
    fn area(&self) -> f64;
    fn describe(&self) -> String {
        format!("{} corners, area {:.2}", Self::CORNERS, self.area())
    }
}

struct Polygon<const N: usize>([(f64, f64); N]);

impl<const N: usize> Shape for Polygon<N> {
    const CORNERS: u32 = N as u32;
    fn area(&self) -> f64 {
        let next = self.0.iter().cycle().skip(1);
        let twice: f64 = self.0.iter().zip(next).map(|((ax, ay), (bx, by))| ax * by - bx * ay).sum();
        twice.abs() / 2.0
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Matrix<T, const R: usize, const C: usize>([[T; C]; R]);

impl<T: Copy + Neg<Output = T>, const R: usize, const C: usize> Matrix<T, R, C> {
    fn transpose(&self) -> Matrix<T, C, R> {
        let mut out = [[self.0[0][0]; R]; C];
        for (r, row) in self.0.iter().enumerate() {
            for (c, value) in row.iter().enumerate() {
                out[c][r] = *value;
            }
        }
        Matrix(out)
    }
}

impl<T, const R: usize, const C: usize> Index<(usize, usize)> for Matrix<T, R, C> {
    type Output = T;
    fn index(&self, (r, c): (usize, usize)) -> &T {
        &self.0[r][c]
    }
}

struct Collatz(u64);
impl Iterator for Collatz {
    type Item = u64;
    fn next(&mut self) -> Option<u64> {
        let now = self.0;
        self.0 = match now {
            0 => return None,
            1 => 0,
            n if n % 2 == 0 => n / 2,
            n => 3 * n + 1,
        };
        Some(now)
    }
}

fn memoize<A: std::hash::Hash + Eq + Clone, R: Clone>(f: impl Fn(&mut dyn FnMut(A) -> R, A) -> R) -> impl FnMut(A) -> R {
    fn go<A: std::hash::Hash + Eq + Clone, R: Clone>(cache: &mut HashMap<A, R>, f: &dyn Fn(&mut dyn FnMut(A) -> R, A) -> R, a: A) -> R {
        if let Some(known) = cache.get(&a) {
            return known.clone();
        }
        let result = f(&mut |inner| go(cache, f, inner), a.clone());
        cache.insert(a, result.clone());
        result
    }
    let mut cache = HashMap::new();
    move |a| go(&mut cache, &f, a)
}

fn longest<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    words.into_iter().fold(None, |best, word| match best {
        Some(b) if b.chars().count() >= word.chars().count() => Some(b),
        _ => Some(word),
    })
}

struct Joined<'a, T>(&'a [T], &'a str);
impl<T: Display> Display for Joined<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, item) in self.0.iter().enumerate() {
            write!(f, "{}{item:>3}", if i > 0 { self.1 } else { "" })?;
        }
        Ok(())
    }
}

fn show(items: &[&dyn Debug]) -> String {
    items.iter().map(|item| format!("{item:?}")).collect::<Vec<_>>().join(" ")
}

fn main() {
    println!("{}", Polygon([(0.0, 0.0), (4.0, 0.0), (0.0, 3.0)]).describe());
    println!("{}", Polygon([(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (1.0, 3.0), (0.0, 2.0)]).describe());
    let matrix = Matrix([[1, 2, 3], [4, 5, 6]]);
    println!("{:?} {} {}", matrix.transpose(), matrix[(1, 2)], matrix.transpose().transpose() == matrix);
    println!("{} steps, peak {:?}", Collatz(27).count() - 1, Collatz(27).max());
    let mut fibonacci = memoize(|again, n: u64| if n < 2 { n as u128 } else { again(n - 1) + again(n - 2) });
    println!("F(150) = {}", fibonacci(150));
    println!("{:?} {:?}", longest("ein längeres Wort".split(' ')), longest([]));
    println!("[{}]", Joined(&[1.5, 22.0, 3.25], ";"));
    println!("{}", show(&[&1, &"two", &'3', &Some([4u8]), &(5, ()), &Err::<(), _>(String::from("six"))]));
    let heap: BinaryHeap<_> = ["pear", "fig", "apple"].into_iter().map(|w| (w.len(), w)).collect();
    println!("{:?} {:?}", heap.into_sorted_vec(), "mississippi".chars().collect::<BTreeSet<_>>());
    let (even, odd): (Vec<i32>, Vec<i32>) = (1..10).partition(|n| n % 2 == 0);
    println!("{even:?} {odd:?} {:?}", even.iter().zip(&odd).map(|(a, b)| a * b).collect::<Vec<_>>().windows(2).map(|w| w[1] - w[0]).collect::<Vec<_>>());
}
