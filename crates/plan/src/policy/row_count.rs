//! What an owner tells of how many rows a filter of its own keeps.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Noise;

/// How the number of rows that an owner's filter keeps is told to everybody, if at all.
///
/// A number that is told makes a run as large as the rows that are left, and no longer as the table.
/// Rounding and noise go up: what is missing are rows that do not count, which nobody can tell from the
/// others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowCount {
    /// Not at all: what is shared has as many rows as the table's bound.
    #[default]
    Hidden,
    /// As it is.
    Exact,
    /// As the next multiple of a number, which is the least one too: no row and one row look the same.
    Multiple(u64),
    /// As the next power of two, of which the least is one.
    PowerOfTwo,
    /// With noise that its owner draws for each run.
    Noise(Noise),
}

impl RowCount {
    /// Whether nothing is told.
    pub fn is_hidden(&self) -> bool {
        *self == RowCount::Hidden
    }

    /// Whether noise is told, which each number that is told wears down.
    pub fn is_noisy(self) -> bool {
        matches!(self, RowCount::Noise(_))
    }

    /// What is told of `rows` rows, of which there are `bound` at most: no fewer, and never more than
    /// that. Noise takes uniform numbers.
    ///
    /// # Errors
    /// That of the uniform numbers.
    pub fn told<E>(self, rows: u64, bound: u64, random: impl FnMut() -> Result<u128, E>) -> Result<u64, E> {
        let told = match self {
            RowCount::Noise(noise) => rows.saturating_add(noise.draw(random)?),
            rule => rule.rounded(rows, bound),
        };
        Ok(told.min(bound))
    }

    fn rounded(self, rows: u64, bound: u64) -> u64 {
        match self {
            RowCount::Noise(_) => rows,
            RowCount::Hidden => bound,
            RowCount::Exact => rows,
            RowCount::Multiple(unit) => rows.div_ceil(unit.max(1)).max(1).saturating_mul(unit.max(1)),
            RowCount::PowerOfTwo => rows.max(1).checked_next_power_of_two().unwrap_or(u64::MAX),
        }
    }

    /// Whether this number can have been told.
    pub fn tells(self, told: u64, bound: u64) -> bool {
        told <= bound && self.rounded(told, bound).min(bound) == told
    }
}

/// How it is told, after the words for what it counts.
impl fmt::Display for RowCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RowCount::Hidden => f.write_str("hidden"),
            RowCount::Exact => f.write_str("as it is"),
            RowCount::Multiple(unit) => write!(f, "rounded up to a multiple of {unit}"),
            RowCount::PowerOfTwo => f.write_str("rounded up to a power of two"),
            RowCount::Noise(noise) => noise.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RowCount;
    use super::RowCount::{Exact, Hidden, Multiple, PowerOfTwo};

    /// What a rule tells that takes no chance.
    fn certain(rule: RowCount, rows: u64, bound: u64) -> u64 {
        rule.told(rows, bound, || Err("it takes no chance")).expect("it takes none")
    }

    #[test]
    fn numbers_are_rounded_up_and_stay_below_the_bound() {
        for (rule, expected) in [
            (Hidden, [25, 25, 25, 25, 25, 25]),
            (Exact, [0, 1, 10, 11, 16, 25]),
            (Multiple(1), [1, 1, 10, 11, 16, 25]),
            (Multiple(10), [10, 10, 10, 20, 20, 25]),
            (Multiple(1000), [25, 25, 25, 25, 25, 25]),
            (Multiple(u64::MAX), [25, 25, 25, 25, 25, 25]),
            (PowerOfTwo, [1, 1, 16, 16, 16, 25]),
        ] {
            let told = [0, 1, 10, 11, 16, 25].map(|rows| certain(rule, rows, 25));
            assert_eq!(told, expected, "{rule:?}");
            // What can be told is exactly what some number of rows is told as.
            for number in 0..30 {
                let some = (0..=25).any(|rows| certain(rule, rows, 25) == number);
                assert_eq!(rule.tells(number, 25), some, "{rule:?} {number}");
            }
        }
        assert_eq!(certain(PowerOfTwo, u64::MAX - 1, u64::MAX), u64::MAX);
    }

    /// Noise takes no row away, and stops at the bound.
    #[test]
    fn noise_goes_up_to_the_bound() {
        let noise = super::Noise::try_new(1000, 1).expect("it has a table");
        let rule = RowCount::Noise(noise);
        let told =
            |rows, bound, number: u128| rule.told(rows, bound, || Ok::<_, ()>(number)).expect("a number");
        assert_eq!((told(5, 1000, 0), told(0, 1000, 0)), (5, 0));
        let most = (0..2000).map(|n| told(5, 1000, n << 54)).max().expect("some");
        assert!(most > 20 && most <= 5 + noise.most(), "{most}");
        assert_eq!(told(990, 991, 1 << 65), 991);
        assert!(rule.tells(0, 20) && rule.tells(20, 20) && !rule.tells(21, 20));
    }
}
