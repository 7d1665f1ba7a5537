#[inline(never)]
fn deeper(n: u64) -> u64 {
    let mut here = [n; 64];
    // A write that the compiler must not leave out, so that every call has its frame.
    unsafe { std::ptr::write_volatile(&mut here[0], n + 1) };
    deeper(here[0]) + here[63]
}

fn main() {
    println!("{}", deeper(0));
}
