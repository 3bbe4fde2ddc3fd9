//! Fixed-point encodings, and the tables by which functions of them are computed.
//!
//! Tables are made from additions, multiplications, divisions and square roots of `f64` alone,
//! which IEEE 754 rounds alike everywhere: parties whose tables differed would compute nonsense.

use crate::group::{Ring, Z64};

/// How a column's ring elements stand for numbers: `raw / 2^fraction`, for a signed `raw` that
/// fits in `width` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Bits after the point.
    pub fraction: usize,
    /// Bits in all, the sign among them.
    pub width: usize,
}

impl Format {
    /// 24 bits after the point and 14 before it: magnitudes below 16,384.
    pub const DEFAULT: Format = Format { fraction: 24, width: 39 };

    /// The least number above those that fit.
    pub fn limit(self) -> f64 {
        power_of_two(self.width as i32 - 1 - self.fraction as i32)
    }

    /// The smallest positive number.
    pub fn ulp(self) -> f64 {
        power_of_two(-(self.fraction as i32))
    }

    /// The element that stands for the number nearest to `value`. `None` if it does not fit.
    pub fn encode(self, value: f64) -> Option<Z64> {
        let raw = (value * power_of_two(self.fraction as i32)).round();
        let limit = power_of_two(self.width as i32 - 1);
        (raw >= -limit && raw < limit).then(|| Z64::from_signed(raw as i128))
    }

    /// The number that an element stands for.
    pub fn decode(self, item: Z64) -> f64 {
        item.signed() as f64 * self.ulp()
    }
}

/// `2^exponent`, exactly, where an `f64` can be it.
pub fn power_of_two(exponent: i32) -> f64 {
    let factor = if exponent < 0 { 0.5 } else { 2.0 };
    (0..exponent.abs()).fold(1.0, |power, _| power * factor)
}

/// `e^x` to about 2^-50, the same on every machine.
pub fn exp(x: f64) -> f64 {
    const E: f64 = std::f64::consts::E;
    let whole = x.floor();
    let rest = x - whole;
    let series = (1..=20).rev().fold(1.0, |sum, n| 1.0 + sum * rest / f64::from(n));
    let mut power = 1.0;
    for _ in 0..(whole.abs() as u32).min(800) {
        power *= E;
    }
    if whole < 0.0 { series / power } else { series * power }
}

/// The natural logarithm of a positive number, to about 2^-50, the same on every machine.
pub fn ln(x: f64) -> f64 {
    let (mut mantissa, mut exponent) = (x, 0.0);
    while mantissa > 1.5 {
        (mantissa, exponent) = (mantissa / 2.0, exponent + 1.0);
    }
    while mantissa < 0.75 {
        (mantissa, exponent) = (mantissa * 2.0, exponent - 1.0);
    }
    // ln m = 2·artanh((m − 1)/(m + 1)), whose argument is at most a fifth.
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let series = (0..12).rev().fold(0.0, |sum, n| sum * z * z + 1.0 / f64::from(2 * n + 1));
    2.0 * z * series + exponent * std::f64::consts::LN_2
}

/// A function by polynomials of one degree, one on each of equally long pieces of an interval.
#[derive(Clone, Debug)]
pub struct Piecewise {
    /// For each power of the variable, the coefficients on all pieces.
    pub coefficients: Vec<Vec<f64>>,
}

impl Piecewise {
    /// Interpolates `f` on `n_pieces` pieces of `length` from `start` on, in Chebyshev nodes: within
    /// a small factor of the best polynomials. The variable counts from a piece's start if `local`.
    pub fn fit(
        start: f64,
        length: f64,
        n_pieces: usize,
        degree: usize,
        local: bool,
        f: impl Fn(f64) -> f64,
    ) -> Self {
        let nodes = chebyshev_nodes(degree + 1);
        let mut coefficients = vec![Vec::with_capacity(n_pieces); degree + 1];
        for piece in 0..n_pieces {
            let from = start + piece as f64 * length;
            // In u = 2(x − from)/length − 1, where nodes and divided differences are tame.
            let values: Vec<f64> = nodes.iter().map(|u| f(from + (u + 1.0) / 2.0 * length)).collect();
            let in_u = interpolate(&nodes, &values);
            let shift = if local { 0.0 } else { from };
            let in_x = substitute(&in_u, 2.0 / length, -1.0 - 2.0 * shift / length);
            coefficients.iter_mut().zip(in_x).for_each(|(all, value)| all.push(value));
        }
        Piecewise { coefficients }
    }
}

/// Coefficients as ring elements with `fraction` bits after the point.
pub fn scaled(values: &[f64], fraction: usize) -> Vec<Z64> {
    let scale = power_of_two(fraction as i32);
    values.iter().map(|value| Z64::from_signed((value * scale).round() as i128)).collect()
}

/// The zeros of a Chebyshev polynomial, `cos((2i + 1)π/2n)`, for the small `n` used here.
fn chebyshev_nodes(n: usize) -> Vec<f64> {
    let root = f64::sqrt;
    match n {
        1 => vec![0.0],
        2 => vec![-root(0.5), root(0.5)],
        3 => vec![-root(0.75), 0.0, root(0.75)],
        4 => {
            let [far, near] = [root((2.0 + root(2.0)) / 4.0), root((2.0 - root(2.0)) / 4.0)];
            vec![-far, -near, near, far]
        }
        5 => {
            let [far, near] = [root((5.0 + root(5.0)) / 8.0), root((5.0 - root(5.0)) / 8.0)];
            vec![-far, -near, 0.0, near, far]
        }
        _ => panic!("polynomials of degree at most four"),
    }
}

/// The polynomial through the given points, by Newton's divided differences.
fn interpolate(nodes: &[f64], values: &[f64]) -> Vec<f64> {
    let n = nodes.len();
    let mut differences = values.to_vec();
    for order in 1..n {
        for at in (order..n).rev() {
            differences[at] = (differences[at] - differences[at - 1]) / (nodes[at] - nodes[at - order]);
        }
    }
    let mut out = vec![0.0; n];
    for at in (0..n).rev() {
        // out·(x − node) + difference.
        for power in (1..n).rev() {
            out[power] = out[power - 1] - nodes[at] * out[power];
        }
        out[0] = differences[at] - nodes[at] * out[0];
    }
    out
}

/// The polynomial in `x` for one in `u = slope·x + offset`.
fn substitute(in_u: &[f64], slope: f64, offset: f64) -> Vec<f64> {
    let n = in_u.len();
    let mut out = vec![0.0; n];
    for coefficient in in_u.iter().rev() {
        // out·u + coefficient.
        for power in (1..n).rev() {
            out[power] = out[power] * offset + out[power - 1] * slope;
        }
        out[0] = out[0] * offset + coefficient;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_elements() {
        let format = Format { fraction: 4, width: 8 };
        assert_eq!((format.limit(), format.ulp()), (8.0, 0.0625));
        for (value, raw) in [(0.0, 0), (1.0, 16), (-8.0, -128), (7.9375, 127), (0.04, 1), (-0.04, -1)] {
            let item = format.encode(value).expect("it fits");
            assert_eq!(item.signed(), raw);
            assert!((format.decode(item) - value).abs() <= format.ulp() / 2.0);
        }
        for value in [8.0, 7.97, -8.04, f64::NAN, f64::INFINITY] {
            assert_eq!(format.encode(value), None, "{value}");
        }
    }

    #[test]
    fn elementary_functions_agree_with_the_system() {
        for at in -2000..2000 {
            let x = f64::from(at) / 64.0 + 0.001;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-14, "exp {x}");
            if x > 0.0 {
                assert!((ln(x) - x.ln()).abs() < 1e-14 * (1.0 + x.ln().abs()), "ln {x}");
            }
        }
        assert_eq!(power_of_two(-3), 0.125);
        assert_eq!(power_of_two(40), (1u64 << 40) as f64);
    }

    #[test]
    fn pieces_are_as_close_as_their_degree_allows() {
        for (degree, error) in [(1, 4e-3), (2, 1.7e-4), (3, 8e-6), (4, 4e-7)] {
            for local in [false, true] {
                let pieces = Piecewise::fit(1.0, 0.25, 4, degree, local, ln);
                for at in 0..400 {
                    let x = 1.0 + f64::from(at) / 400.0;
                    let piece = ((x - 1.0) * 4.0) as usize;
                    let t = if local { x - 1.0 - piece as f64 / 4.0 } else { x };
                    let got = pieces.coefficients.iter().rev().fold(0.0, |sum, c| sum * t + c[piece]);
                    assert!((got - x.ln()).abs() < error, "degree {degree} at {x}: {got}");
                }
            }
        }
    }
}
