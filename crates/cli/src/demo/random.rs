//! Numbers that look random and are the same on every machine: SplitMix64
//! (Steele, Lea, Flood, OOPSLA 2014). For made-up data, never for secrets.

pub(super) struct Random(u64);

impl Random {
    /// A stream of its own for each `purpose`, so that changing one table
    /// leaves the others as they are.
    pub(super) fn seeded(seed: u64, purpose: &str) -> Random {
        let fold = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Random(purpose.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, fold))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `n` numbers from 0; `n` is small beside 2^64, so none is favoured visibly.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// True in `percent` of 100 cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A number around `mean`, rarely beyond twice `spread`: three dice.
    pub(super) fn around(&mut self, mean: i64, spread: i64) -> i64 {
        let die = |r: &mut Random| r.below(2 * spread.unsigned_abs() + 1) as i64 - spread;
        mean + (die(self) + die(self) + die(self)) / 2
    }

    /// One of several things.
    pub(super) fn one_of<'a>(&mut self, things: &[&'a str]) -> &'a str {
        things[self.below(things.len() as u64) as usize]
    }

    /// A new order of `things`.
    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for k in (1..things.len()).rev() {
            things.swap(k, self.below(k as u64 + 1) as usize);
        }
    }
}
