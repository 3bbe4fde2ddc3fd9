//! Which vector instructions this machine has, and functions compiled once for each answer.

/// A set of vector instructions that kernels are compiled for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// What every processor of this architecture has.
    Portable,
    /// AVX2 and BMI2.
    Avx2,
    /// AVX-512 F, BW, DQ and VL, and BMI2.
    Avx512,
    /// AVX-512 with VBMI and GFNI.
    Gfni,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Level; 4] = [Level::Portable, Level::Avx2, Level::Avx512, Level::Gfni];

    /// The best level of this machine.
    #[inline]
    pub fn best() -> Self {
        #[cfg(test)]
        if let Some(level) = forced::LEVEL.get() {
            return level;
        }
        Self::detected()
    }

    /// The detection macros cache, so this is a load and a few tests of bits.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn detected() -> Self {
        use std::arch::is_x86_feature_detected as has;
        let wide = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
        if wide && has!("bmi2") {
            if has!("avx512vbmi") && has!("gfni") { Level::Gfni } else { Level::Avx512 }
        } else if has!("avx2") && has!("bmi2") {
            Level::Avx2
        } else {
            Level::Portable
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn detected() -> Self {
        Level::Portable
    }
}

/// Compiles each function three times: for every processor, for AVX2 and for
/// AVX-512. A call picks the best that the machine has.
macro_rules! multiversioned {
    ($(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$($g:ident: $bound:path),*>)? ($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
    )*) => {$(
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, reason = "matrices come with their three dimensions")]
        $vis fn $name $(<$($g: $bound),*>)? ($($arg: $ty),*) $(-> $ret)? {
            #[allow(clippy::too_many_arguments, reason = "as above")]
            #[inline(always)]
            fn body $(<$($g: $bound),*>)? ($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            #[target_feature(enable = "avx2,bmi2")]
            fn avx2 $(<$($g: $bound),*>)? ($($arg: $ty),*) $(-> $ret)? {
                body($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi2")]
            fn avx512 $(<$($g: $bound),*>)? ($($arg: $ty),*) $(-> $ret)? {
                body($($arg),*)
            }

            match $crate::simd::Level::best() {
                // SAFETY: the level says that the processor has these instructions.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx512 | $crate::simd::Level::Gfni => unsafe { avx512($($arg),*) },
                // SAFETY: likewise.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx2 => unsafe { avx2($($arg),*) },
                _ => body($($arg),*),
            }
        }
    )*};
}
pub(crate) use multiversioned;

/// Runs `f` once at each level of this machine, so that one test covers every version of a kernel.
#[cfg(test)]
pub(crate) fn at_every_level(mut f: impl FnMut(Level)) {
    for level in Level::ALL.into_iter().filter(|level| *level <= Level::detected()) {
        forced::LEVEL.set(Some(level));
        f(level);
        forced::LEVEL.set(None);
    }
}

#[cfg(test)]
mod forced {
    use std::cell::Cell;

    thread_local! {
        pub static LEVEL: Cell<Option<super::Level>> = const { Cell::new(None) };
    }
}
