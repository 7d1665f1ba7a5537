// Simulation and search: the game of life, a maze by breadth-first search, a sort, a hash, a random walk.
use std::collections::{HashSet, VecDeque};

type Cell = (i32, i32);

fn step(alive: &HashSet<Cell>) -> HashSet<Cell> {
    let around = |&(x, y): &Cell| (-1..=1).flat_map(move |dx| (-1..=1).map(move |dy| (x + dx, y + dy)));
    let candidates: HashSet<Cell> = alive.iter().flat_map(around).collect();
    candidates
        .into_iter()
        .filter(|cell| {
            let neighbours = around(cell).filter(|other| other != cell && alive.contains(other)).count();
            neighbours == 3 || neighbours == 2 && alive.contains(cell)
        })
        .collect()
}

const MAZE: &str = "\
S.#.....
..#.###.
.##.#.#.
....#.E.
.####.#.
......#.";

fn solve(maze: &str) -> Option<Vec<(usize, usize)>> {
    let grid: Vec<&[u8]> = maze.lines().map(str::as_bytes).collect();
    let find = |wanted| grid.iter().enumerate().find_map(|(y, row)| row.iter().position(|&c| c == wanted).map(|x| (x, y)));
    let (start, end) = (find(b'S')?, find(b'E')?);
    let mut came = vec![vec![None; grid[0].len()]; grid.len()];
    let mut queue = VecDeque::from([start]);
    came[start.1][start.0] = Some(start);
    while let Some((x, y)) = queue.pop_front() {
        if (x, y) == end {
            let mut path = vec![end];
            while let Some(&(x, y)) = path.last().filter(|&&at| at != start) {
                path.extend(came[y][x]);
            }
            path.reverse();
            return Some(path);
        }
        for (dx, dy) in [(1, 0), (0, 1), (usize::MAX, 0), (0, usize::MAX)] {
            let (nx, ny) = (x.wrapping_add(dx), y.wrapping_add(dy));
            let open = grid.get(ny).and_then(|row| row.get(nx)).map_or(false, |&c| c != b'#');
            if open && came[ny][nx].is_none() {
                came[ny][nx] = Some((x, y));
                queue.push_back((nx, ny));
            }
        }
    }
    None
}

fn quicksort<T: PartialOrd + Copy>(items: &mut [T]) {
    if items.len() < 2 {
        return;
    }
    let (pivot, last) = (items[items.len() / 2], items.len() - 1);
    items.swap(items.len() / 2, last);
    let mut store = 0;
    for i in 0..last {
        if items[i] < pivot {
            items.swap(i, store);
            store += 1;
        }
    }
    items.swap(store, last);
    let (left, right) = items.split_at_mut(store);
    quicksort(left);
    quicksort(&mut right[1..]);
}

fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf29ce484222325, |hash, byte| (hash ^ byte as u64).wrapping_mul(0x100000001b3))
}

struct XorShift(u64);
impl Iterator for XorShift {
    type Item = u64;
    fn next(&mut self) -> Option<u64> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Some(self.0)
    }
}

fn main() {
    let mut alive: HashSet<Cell> = [(1, 0), (2, 1), (0, 2), (1, 2), (2, 2), (5, 5), (5, 6), (5, 7)].into();
    for _ in 0..8 {
        alive = step(&alive);
    }
    for y in 0..9 {
        println!("{}", (0..9).map(|x| if alive.contains(&(x, y)) { '#' } else { '.' }).collect::<String>());
    }
    let path = solve(MAZE).unwrap_or_default();
    println!("{} steps via {:?}", path.len() - 1, path.iter().step_by(4).collect::<Vec<_>>());
    println!("{:?}", solve("S#E"));
    let mut numbers: Vec<u64> = XorShift(88172645463325252).map(|n| n % 1000).take(300).collect();
    println!("{:?} {:016x}", &numbers[..5], fnv1a(numbers.iter().flat_map(|n| n.to_le_bytes())));
    quicksort(&mut numbers);
    println!("{:?} sorted {}", &numbers[..5], numbers.windows(2).all(|w| w[0] <= w[1]));
    let mut floats = [2.5, -0.5, f64::INFINITY, 1e-9];
    quicksort(&mut floats);
    println!("{floats:?} {:016x}", fnv1a(*b"microVM"));
    let end = XorShift(7).take(1000).fold((0i32, 0i32), |(x, y), n| match n % 4 {
        0 => (x + 1, y),
        1 => (x - 1, y),
        2 => (x, y + 1),
        _ => (x, y - 1),
    });
    println!("walked to {end:?}, {:.3} away", ((end.0.pow(2) + end.1.pow(2)) as f64).sqrt());
}
