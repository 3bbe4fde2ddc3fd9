//! What no protocol on this machine can beat: bytes through a socket, and through TLS's cipher.
//!
//! `cargo bench -p bench --bench limits`.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// A TLS record.
const RECORD: usize = 1 << 14;

fn ciphers(c: &mut Criterion) {
    let mut group = c.benchmark_group("aes");
    group.throughput(Throughput::Bytes(RECORD as u64));
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[1; 16]).expect("a key of its size"));
    let nonce = || Nonce::assume_unique_for_key([0; 12]);
    let mut record = vec![0; RECORD];
    group.bench_function("gcm, one record", |b| {
        b.iter(|| key.seal_in_place_separate_tag(nonce(), Aad::empty(), black_box(&mut record)));
    });
    let prg = math::Prg::new(&[1; 16]);
    group.bench_function("counter mode", |b| b.iter(|| prg.fill(0, black_box(&mut record))));
    group.finish();
}

/// One way over loopback, written and read in pieces as the mesh does: one core writes, one reads.
fn loopback(c: &mut Criterion) {
    const PIECE: usize = 1 << 17;
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let mut writer = TcpStream::connect(listener.local_addr().expect("bound")).expect("connects to itself");
    let (mut reader, _) = listener.accept().expect("accepts itself");
    let reading = std::thread::spawn(move || {
        let mut piece = vec![0; 2 * PIECE];
        while reader.read(&mut piece).is_ok_and(|n| n > 0) {}
    });
    let mut group = c.benchmark_group("socket");
    group.throughput(Throughput::Bytes(PIECE as u64));
    let piece = vec![7; PIECE];
    group.bench_function("loopback", |b| {
        b.iter_custom(|n| {
            let start = Instant::now();
            for _ in 0..n {
                writer.write_all(&piece).expect("the reader reads");
            }
            start.elapsed()
        });
    });
    group.finish();
    drop(writer);
    reading.join().expect("reading does not panic");
}

fn brief() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .without_plots()
}

criterion_group! { name = limits; config = brief(); targets = ciphers, loopback }
criterion_main!(limits);
