//! Pseudorandom streams.
use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};

/// AES-128 in counter mode.
pub struct Prg {
    cipher: Aes128,
}

impl Prg {
    /// Keyed.
    pub fn new(key: &[u8; 16]) -> Self {
        Prg { cipher: Aes128::new(key.into()) }
    }
    /// The stream from a block on.
    pub fn fill(&self, first_block: u64, out: &mut [u8]) {
        for (at, out) in out.chunks_mut(16).enumerate() {
            let mut block = (u128::from(first_block) + at as u128).to_le_bytes().into();
            self.cipher.encrypt_block(&mut block);
            out.copy_from_slice(&block[..out.len()]);
        }
    }
    /// A permutation.
    pub fn permutation(&self, n: usize) -> Vec<u32> {
        let mut p: Vec<u32> = (0..n as u32).collect();
        let mut w = [0u8; 8];
        for i in (1..n).rev() {
            self.fill(i as u64, &mut w);
            let j = (u64::from_le_bytes(w) % (i as u64 + 1)) as usize;
            p.swap(i, j);
        }
        p
    }
}
