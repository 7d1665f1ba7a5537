// Unsigned integers without a bound: add, multiply, divide by a word, compare, parse, print.
use std::cmp::Ordering;
use std::fmt;
use std::iter::{Product, Sum};
use std::ops::{Add, Mul, MulAssign};
use std::str::FromStr;

const BASE: u64 = 1_000_000_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Big(Vec<u32>); // limbs in base 10^9, the least first, no zero at the end

impl From<u64> for Big {
    fn from(mut value: u64) -> Self {
        let mut limbs = Vec::new();
        while value > 0 {
            limbs.push((value % BASE) as u32);
            value /= BASE;
        }
        Big(limbs)
    }
}

impl Add<&Big> for &Big {
    type Output = Big;
    fn add(self, other: &Big) -> Big {
        let (mut limbs, mut carry) = (Vec::new(), 0);
        for i in 0..self.0.len().max(other.0.len()) {
            let sum = carry + [self, other].iter().map(|b| b.0.get(i).copied().unwrap_or(0) as u64).sum::<u64>();
            limbs.push((sum % BASE) as u32);
            carry = sum / BASE;
        }
        limbs.extend((carry > 0).then(|| carry as u32));
        Big(limbs)
    }
}

impl Mul<&Big> for &Big {
    type Output = Big;
    fn mul(self, other: &Big) -> Big {
        let mut limbs = vec![0u32; self.0.len() + other.0.len()];
        for (i, &a) in self.0.iter().enumerate() {
            let mut carry = 0;
            for j in 0..other.0.len() + 1 {
                if i + j == limbs.len() {
                    break;
                }
                let b = other.0.get(j).copied().unwrap_or(0);
                let value = limbs[i + j] as u64 + a as u64 * b as u64 + carry;
                limbs[i + j] = (value % BASE) as u32;
                carry = value / BASE;
            }
        }
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        Big(limbs)
    }
}

impl MulAssign<u64> for Big {
    fn mul_assign(&mut self, factor: u64) {
        *self = &*self * &Big::from(factor);
    }
}

impl Big {
    fn divide(&self, divisor: u64) -> (Big, u64) {
        let (mut limbs, mut rest) = (vec![0; self.0.len()], 0);
        for (i, &limb) in self.0.iter().enumerate().rev() {
            let value = rest * BASE + limb as u64;
            limbs[i] = (value / divisor) as u32;
            rest = value % divisor;
        }
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        (Big(limbs), rest)
    }

    fn pow(&self, exponent: u32) -> Big {
        match exponent {
            0 => Big::from(1),
            e if e % 2 == 1 => self * &self.pow(e - 1),
            e => {
                let half = self.pow(e / 2);
                &half * &half
            }
        }
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let by_length = self.0.len().cmp(&other.0.len());
        Some(by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev())))
    }
}

impl Sum for Big {
    fn sum<I: Iterator<Item = Big>>(items: I) -> Big {
        items.fold(Big::default(), |sum, item| &sum + &item)
    }
}

impl Product for Big {
    fn product<I: Iterator<Item = Big>>(items: I) -> Big {
        items.fold(Big::from(1), |product, item| &product * &item)
    }
}

impl fmt::Display for Big {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.last().unwrap_or(&0).to_string();
        for limb in self.0.iter().rev().skip(1) {
            text.push_str(&format!("{limb:09}"));
        }
        f.pad_integral(true, "", &text)
    }
}

impl FromStr for Big {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.chars().try_fold(Big::default(), |mut big, c| {
            let digit = c.to_digit(10).ok_or(format!("{c:?} is no digit"))?;
            big *= 10;
            Ok(&big + &Big::from(digit as u64))
        })
    }
}

fn main() {
    let factorial: Big = (1..=50u64).map(Big::from).product();
    println!("50! = {factorial}");
    println!("sum of squares = {}", (1..=1000u64).map(|n| Big::from(n * n)).sum::<Big>());
    println!("7^123 = {:>110}", Big::from(7).pow(123));
    let parsed: Big = "123456789012345678901234567890".parse().unwrap();
    println!("{:?} {}", parsed.divide(97), parsed > factorial);
    println!("{:?}", "12x".parse::<Big>());
    println!("{} {:?} {:?}", u128::MAX, 250u8.checked_add(10), i32::MAX.overflowing_add(1));
    println!("{} {} {}", 250u8.wrapping_add(10), (-7i32).rem_euclid(3), (3u64).pow(40) % 1_000_000_007);
}
