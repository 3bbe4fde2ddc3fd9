//! The sums over lines on every processor.

use super::sum::{self, WeighedSum};
use super::{LINE_BITS, Line, Weight};
use crate::gf::Gf128;
use crate::gf::carryless::{self, Carryless, Portable};
#[cfg(target_arch = "x86_64")]
use crate::gf::native::Native;
use crate::kernel;
use crate::transpose;

fn weigh(sums: &mut [WeighedSum], lines: &[Line], weight: Weight) {
    #[inline(always)]
    fn body<C: Carryless>(sums: &mut [WeighedSum], lines: &[Line], weight: Weight) {
        for (sum, line) in sums.iter_mut().zip(lines) {
            sum::add::<C>(sum, line, &weight);
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "pclmulqdq")]
    fn native(sums: &mut [WeighedSum], lines: &[Line], weight: Weight) {
        body::<Native>(sums, lines, weight);
    }

    #[cfg(target_arch = "x86_64")]
    if carryless::is_native() {
        // SAFETY: the processor has the instruction.
        return unsafe { native(sums, lines, weight) };
    }
    body::<Portable>(sums, lines, weight);
}

pub(super) fn weigh_sums(sums: &mut [WeighedSum], [x, y]: [&[Line]; 2], weight: Weight) {
    let mut lines = x.to_vec();
    kernel::xor_words(lines.as_flattened_mut(), y.as_flattened());
    weigh(sums, &lines, weight);
}

pub(super) fn weigh_rest(sums: &mut [WeighedSum], [x, y, f]: [&[Line]; 3], weight: Weight) {
    let mut rest = f.to_vec();
    kernel::add_and(rest.as_flattened_mut(), x.as_flattened(), y.as_flattened());
    weigh(sums, &rest, weight);
}

pub(super) fn weigh_products(sums: &mut [WeighedSum], lines: [&[Line]; 2], weight: Weight) {
    let [mut products, y] = lines.map(|lines| {
        let mut points = vec![[0; 8]; sums.len()];
        extend(lines, &mut points);
        points
    });
    kernel::and_into(products.as_flattened_mut(), y.as_flattened());
    weigh(sums, &products, weight);
}

/// The digits of a point are those of its index, the top one first.
fn extend(lines: &[Line], points: &mut [Line]) {
    let [_, _, ..] = lines else {
        return points.copy_from_slice(lines);
    };
    let (low, high) = lines.split_at(lines.len() / 2);
    let n = points.len() / 3;
    let (at_bits, at_infinity) = points.split_at_mut(2 * n);
    extend(low, &mut at_bits[..n]);
    extend(high, &mut at_bits[n..]);
    at_infinity.copy_from_slice(&at_bits[..n]);
    kernel::xor_into(bytemuck::cast_slice_mut(at_infinity), bytemuck::cast_slice(&at_bits[n..]));
}

/// Bit `8·t + i` of up to eight factors, in byte `7 − i` of word `t`.
pub(super) fn matrices(factors: &[Gf128]) -> [u64; 16] {
    std::array::from_fn(|t| {
        let byte = |i: usize| -> u64 {
            factors
                .iter()
                .enumerate()
                .map(|(row, factor)| ((factor.0 >> (8 * t + i) & 1) as u64) << row)
                .sum()
        };
        (0..8).map(|i| byte(i) << (56 - 8 * i)).sum()
    })
}

/// Plane `t` of the sums is the XOR of the lines whose factor has bit `t`: four lines at a
/// time, all their sums are made and each plane takes one, or a half of two. Factors are public and
/// may steer.
pub(super) fn fold(
    [lower, upper]: [&[[u64; 16]]; 2],
    [first, second]: [&[Line]; 2],
    planes: &mut [Line; 128],
) {
    let lines = first.chunks(8).chain(second.chunks(8));
    for ((lower, upper), lines) in lower.iter().zip(upper).zip(lines) {
        for (half, lines) in lines.chunks(4).enumerate() {
            let sums = sums_of_four(lines);
            for (t, plane) in planes.iter_mut().enumerate() {
                let chosen = [lower, upper].map(|matrices| {
                    let chosen = matrices[t / 8] >> (56 - 8 * (t % 8) + 4 * half) & 15;
                    &sums[chosen as usize]
                });
                for (at, word) in plane.iter_mut().enumerate() {
                    *word ^= chosen[at % 2][at];
                }
            }
        }
    }
}

/// Element `128·q + j` at `4·j + q`, from the planes of all.
pub(super) fn elements(planes: &[Line; 128], out: &mut [Gf128; LINE_BITS]) {
    let mut elements = [Gf128(0); LINE_BITS];
    transpose::planes_to_rows(planes.as_flattened(), 8, 128, &mut elements);
    for (at, element) in elements.into_iter().enumerate() {
        out[4 * (at % 128) + at / 128] = element;
    }
}

/// The XOR of each subset of up to four lines.
fn sums_of_four(lines: &[Line]) -> [Line; 16] {
    let mut sums = [[0; 8]; 16];
    for (at, line) in lines.iter().enumerate() {
        let (without, with) = sums.split_at_mut(1 << at);
        for (with, without) in with.iter_mut().zip(without) {
            *with = *without;
            xor_line(with, line);
        }
    }
    sums
}

#[inline(always)]
fn xor_line(out: &mut Line, line: &Line) {
    out.iter_mut().zip(line).for_each(|(out, word)| *out ^= word);
}
