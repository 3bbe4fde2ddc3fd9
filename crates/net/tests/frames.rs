//! Frames to bytes and back, however the bytes are cut, and whatever they are.

use net::Tag;
use net::frame::{Control, DATA_HEADER_BYTES, DataHeader, Decoder, Event, Garbage, Hello};

/// What a decoder saw: data frames whole again.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Data(DataHeader, Vec<u8>),
    Control(Control),
}

/// Feeds `bytes` in pieces whose lengths `cut` chooses.
fn decode(bytes: &[u8], mut cut: impl FnMut() -> usize) -> (Vec<Seen>, Result<(), Garbage>) {
    let (mut decoder, mut seen, mut rest) = (Decoder::default(), Vec::new(), bytes);
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(cut().clamp(1, rest.len()));
        rest = tail;
        let fed = decoder.feed(piece, |event| {
            match event {
                Event::Data { header, at: 0, piece } => seen.push(Seen::Data(header, piece.to_vec())),
                Event::Data { header, at, piece } => match seen.last_mut() {
                    Some(Seen::Data(first, payload)) if *first == header && payload.len() == at as usize => {
                        payload.extend_from_slice(piece);
                    }
                    other => panic!("a piece at {at} after {other:?}"),
                },
                Event::Control(control) => seen.push(Seen::Control(control)),
            }
            Ok(())
        });
        if fed.is_err() {
            return (seen, fed);
        }
    }
    assert!(decoder.is_between_frames());
    (seen, Ok(()))
}

/// A stream of numbers that looks random.
fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// One of each kind, with the smallest and largest values.
fn samples() -> Vec<(Seen, Vec<u8>)> {
    let hello = Hello {
        version: 0x0102,
        from: 3,
        to: 4,
        n_parties: 5,
        session: std::array::from_fn(|k| k as u8),
        initial_credit: 6,
        window_bytes: u64::MAX,
        window_messages: 7,
    };
    let controls = [
        Control::Credit(Tag { step: u128::MAX - 1, chunk: 9 }),
        Control::Claimed { messages: 1, bytes: u64::MAX },
        Control::Heartbeat,
        Control::Abort(String::new()),
        // Without spaces: control characters become spaces, so a flipped one may look the same.
        Control::Abort("shares-of-q1-do-not-add-up:Übel".into()),
        Control::Goodbye,
        Control::Hello(hello),
    ];
    let datas = [(0, 0, 0), (1, 0, 1), (1 << 40, 77, 4097), (1 << 18, 0, 1 << 18)];
    let data = |(total, offset, n): (u64, u64, u32)| {
        let tag = Tag { step: 0x0123_4567_89ab_cdef << 64 | 5, chunk: u32::MAX };
        let header = DataHeader { tag, depth: 11, total, offset, n_bytes: n };
        let payload: Vec<u8> = (0..n).map(|k| k as u8).collect();
        (Seen::Data(header, payload.clone()), [&header.encode()[..], &payload].concat())
    };
    controls
        .into_iter()
        .map(|control| (Seen::Control(control.clone()), control.encode()))
        .chain(datas.into_iter().map(data))
        .collect()
}

#[test]
fn frames_survive_however_they_are_cut() {
    for seed in 0..200 {
        let mut random = noise(seed);
        let mut list = samples();
        for k in (1..list.len()).rev() {
            list.swap(k, random() as usize % (k + 1));
        }
        let bytes: Vec<u8> = list.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        let longest = [1, 7, 49, 5000, usize::MAX][seed as usize % 5];
        // Cutting 300 kB into single bytes is for a few rounds only.
        let longest = if seed > 10 { longest.max(49) } else { longest };
        let (seen, result) = decode(&bytes, || random() as usize % longest);
        assert_eq!(result, Ok(()));
        assert!(seen.iter().eq(list.iter().map(|(frame, _)| frame)));
    }
}

#[test]
fn the_bytes_are_those_of_the_document() {
    // The first bytes of docs/wire.md's examples.
    let header = DataHeader { tag: Tag { step: 2, chunk: 3 }, depth: 4, total: 5, offset: 0, n_bytes: 5 };
    let mut expected = [0u8; DATA_HEADER_BYTES];
    (expected[0], expected[4], expected[8], expected[24]) = (1, 45, 2, 3);
    (expected[28], expected[32]) = (4, 5);
    assert_eq!(header.encode(), expected);
    assert_eq!(Control::Heartbeat.encode(), [4, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(Control::Abort("no".into()).encode(), [5, 0, 0, 0, 2, 0, 0, 0, b'n', b'o']);
    assert_eq!(Control::Goodbye.encode(), [6, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(Control::Abort("é".repeat(1000)).encode().len(), 8 + 1024);
}

#[test]
fn noise_is_garbage_or_frames_and_never_a_panic() {
    let mut n_garbage = 0;
    for seed in 0..20_000 {
        let mut random = noise(seed);
        let mut bytes: Vec<u8> = (0..random() % 200).map(|_| random() as u8).collect();
        // Half begin as a frame does, so that the bodies are tried as well.
        if seed % 2 == 0 && bytes.len() >= 8 {
            bytes[0] = (random() % 9) as u8;
            bytes[1..8].fill(0);
            bytes[4] = [0, 2, 16, 20, 40, 41, 68][random() as usize % 7];
        }
        let mut decoder = Decoder::default();
        let fed: Result<(), Garbage> = decoder.feed(&bytes, |_| Ok(()));
        n_garbage += u32::from(fed.is_err());
    }
    assert!(n_garbage > 10_000);
}

#[test]
fn a_frame_with_one_bit_flipped_is_another_frame_or_garbage() {
    for (frame, bytes) in samples() {
        for bit in 0..bytes.len().min(200) * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let mut same = false;
            let mut decoder = Decoder::default();
            let fed: Result<(), Garbage> = decoder.feed(&changed, |event| {
                same |= matches!((&event, &frame), (Event::Control(a), Seen::Control(b)) if a == b);
                Ok(())
            });
            assert!(fed.is_err() || !same, "bit {bit} of {frame:?}");
        }
    }
}
