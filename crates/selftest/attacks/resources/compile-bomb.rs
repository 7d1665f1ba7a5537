macro_rules! bomb {
    ($($x:tt)*) => { ($($x)* + $($x)*) };
}
macro_rules! boom {
    ($x:expr; ) => { $x };
    ($x:expr; $h:tt $($t:tt)*) => { boom!(bomb!($x); $($t)*) + boom!(bomb!($x); $($t)*) };
}

fn main() {
    println!("{}", boom!(1u64; a a a a a a a a a a a a a a a a a a a a a a a a));
}
