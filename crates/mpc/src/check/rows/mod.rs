//! The check of shuffles: rows come out as they went in, each with all its words.
//!
//! **Names**, for a pass forward: `u`, `v`, `w` are the parties 0, 1, 2 and hold the shares (A, B),
//! (B, C), (C, A) of the rows; backward `u` and `w` change places. `u` sends `X2` to `v`, from
//! `X1 = first(A + B + Z)`; `v` sends `Y1 = first(C − Z)` to `w`; `Y2` is what `w` makes of it by
//! the middle factor; `C1` from `v` and `C2` from `w` meet as the new share C', besides the drawn
//! ones A' and B'.
//!
//! **Tags.** Before the rows leave, their tags `τ = Σ_c κ_c·word_c` are computed on shares, one
//! product without a record, and travel the same way ([`crate::shuffle::tags`]). The keys `κ` are
//! pseudorandom shares of this one pass. Once they are known, `δ = τ − Σ κ_c·word_c` is linear: the
//! `δ` of all summands of a row add up to zero if and only if the row has its tag.
//!
//! 1. *Keys.* Both `v` and `w` have all rows and tags: `C1` and `C2` too. Each sends the other the
//!    share of `κ` that it lacks, with a salt; it has to fit the commitment that `u` sent before
//!    the pass. `u` gets its missing share from `w` and that share's digest from `v`.
//! 2. *Inputs.* All pairs compare digests of the δ of the rows that went in: u's δ(A + B) with −δ(C) at
//!    both others, w's −δ(A) with v's δ(B + C). Digests are keyed by the two parties' common key. With
//!    its digest to `u`, `w` sends that of `−δ(Y1)`, and `u` compares it with `δ(X1)`.
//! 3. *Middle and outputs.* `v`, if all inputs are fine, sends `w` the digest of `δ(X2)`, which is
//!    `−δ(Y2)`. `u`, if all that and `Y1` are fine, sends both the digest of `δ(A' + B')`, which is `−δ(C')`.
//! 4. *Verdicts* of `u`, with the third flight, and of `w`, once it has all three digests.
//! 5. *Verdict* of `v`, once it has those of both others. Nobody goes on without both others' verdicts.
//!
//! **Soundness.** Let one party be corrupt; the two others hold all shares of every row between them, and
//! what they compare is right at both. (Inputs) Wrong tags are found whatever `κ` is. So rows that
//! went in have their tags, as the honest two see them, and the errors ε that the corrupt party adds,
//! to `Y1` and `C1` as `v`, to `X2` as `u`, to `C2` as `w`, are what it chose before it knew `κ`: an honest
//! `v` or `w` opens it after the last of these has arrived, and each of them after the other two. Moving rows by
//! another permutation is an error of that kind too. Each such place is compared on its own: `Y1` by
//! `u` and `w`, `X2` by `v` and `w`, outputs by `u` and an honest one of the others. A row with errors
//! `ε_c` of its words and `ε_τ` of its tag passes only if `ε_τ = Σ κ_c·ε_c`: for one of 2^64 keys if
//! some `ε_c` is not zero; for numbers, if some `ε_c` is not zero modulo 2^k, for one of 2^(K−k+1) at
//! most, since then `κ_c·ε_c` takes as many values; `K ≥ k + 64`. So **2^-64 for each pass**, statistical; nothing
//! can be ground, since the keys are bound by nobody's choice. The digests add what BLAKE3 collisions add.
//!
//! Comparing outputs alone would not do: `v` could spoil a row of `Y1` and undo it in `C1` where it
//! guesses that the row went, and pass, one time in n, knowing then where it went. Nor would the
//! intermediate rows without the inputs: `w` could spoil a row's tag, guess `first` of it and repair both.
//!
//! **Privacy.** Whoever gets a digest knows what it is of, unless it has cheated: then it knows that up
//! to the place where its error lies, and could test guesses of that place against the digest. So no
//! digest is sent to a party that could have moved an error to places it does not know before that
//! error's own comparison has been passed: digests of `X2`, `Y2` and outputs wait for the inputs, which
//! hang on all three parties' products; `u`, which knows `first`, gets `Y1`'s while `w`, which does not, never
//! gets X1's; outputs go to `v` after `Y1` was compared; `Y2`'s, `C'`'s digests are never sent. Verdicts answer
//! such guesses as well: `w` gives its verdict once `u` is content with `Y1`, and `v` once `w` is
//! content with `X2`. Places matter even though the session ends: the
//! permutation may have served before, with positions opened. A false key would make digests test guesses of the rows
//! themselves, hence the commitments; they are salted, so that nobody can search them for the keys.
//!
//! **Ours**, and reviewed by nobody else: tags that follow their rows, `u`'s commitments in place of a
//! word to it and its copies afterwards, one-way digests and the verdicts' order, and lifted numbers. The rest
//! follows Araki et al., CCS 2021, §5.2, and what IPA makes of it.
//!
//! **Cost.** 5 rounds, once the last tags are there; per pass 32-byte messages but for the keys: 8 bytes for each
//! word of a row.

mod deltas;

use buf::{Buf, Bytes};
use net::PartyId;
use subtle::ConstantTimeEq;

use crate::check::copies::{DIGEST_BYTES, Digest};
use crate::error::{Deviation, ProtocolError};
use crate::lanes::Lane;
use crate::prss::Use;
use crate::session::{Clock, Session, guard};
use crate::shuffle::rows::{Rows, Seat};
use crate::shuffle::tags::{Layout, Tag, with_tag};
use crate::shuffle::{Cast, KEY_COMMITMENT};
use crate::step::Step;
use deltas::Sides;

/// The messages of a check.
const KEYS: u8 = 0;
const INPUTS: u8 = 1;
const OUTPUTS: u8 = 2;
const VERDICT: u8 = 3;
const FIRST: u8 = 4;

/// The only verdict that accepts.
const ACCEPTED: u8 = 1;

const SALT_BYTES: usize = 32;

/// A pass of a shuffle that nobody has checked.
pub(crate) enum Pass {
    /// At a party that moves rows: what it moved, and its shares of the keys.
    Made {
        layout: Layout,
        keys: [Vec<u8>; 2],
        rows: Rows,
        tags: Rows,
        moved: Vec<Lane>,
        /// The keys of a mutant that opens them before the pass.
        #[cfg(feature = "lab")]
        early: Option<Vec<u8>>,
    },
    /// In a counting run: who did what, and when the last tags left.
    Counted { step: Step, layout: Layout, cast: &'static Cast, clock: Clock, tags: usize, n_bytes: usize },
}

impl Pass {
    pub(crate) fn step(&self) -> &Step {
        match self {
            Pass::Made { rows, .. } => &rows.seat.step,
            Pass::Counted { step, .. } => step,
        }
    }

    /// What it keeps: both shares of rows and tags before and after, and messages.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Pass::Made { layout, rows, .. } => 6 * rows.seat.n * layout.row_bytes(),
            Pass::Counted { n_bytes, .. } => *n_bytes,
        }
    }
}

/// Before a pass, `u` commits to the shares of the keys that the others will open to each other.
pub(crate) fn commit_keys(s: &mut Session, seat: &Seat, keys: &[Vec<u8>; 2]) -> Result<(), ProtocolError> {
    let Cast { u, v, w, .. } = *seat.cast;
    if seat.index != u {
        return Ok(());
    }
    for to in [v, w] {
        let lacking = (to + 2) % 3;
        let digest = commitment(s, seat, &opening(seat, lacking, keys));
        s.send_digest(&seat.step, KEY_COMMITMENT, seat.core.compute[to], &digest)?;
    }
    Ok(())
}

/// The share in a slot and its salt, from the key of its two holders.
fn opening(seat: &Seat, slot: usize, keys: &[Vec<u8>; 2]) -> Vec<u8> {
    let part = seat.slot(slot);
    let salt = seat.roots().0[part].stream(&seat.step, Use::TagSalt).column::<math::X8>(SALT_BYTES);
    [&keys[part][..], salt.bytes().bytes()].concat()
}

fn commitment(s: &Session, seat: &Seat, opening: &[u8]) -> Digest {
    let context = [&s.session_id()[..], &seat.step.key_bytes()].concat();
    let key = blake3::derive_key("junto 2026 shuffle key commitment v1", &context);
    *blake3::keyed_hash(&key, opening).as_bytes()
}

/// What the mutant does that opens the keys before a pass.
#[cfg(feature = "lab")]
pub(crate) fn open_keys_early(
    s: &mut Session,
    seat: &Seat,
    layout: &Layout,
    keys: &[Vec<u8>; 2],
) -> Result<Option<Vec<u8>>, ProtocolError> {
    if !s.core.lab.lacks(crate::lab::Mutant::ShuffleKeysEarly) {
        return Ok(None);
    }
    let step = seat.step.child("early".into());
    Check { step: &step, seat, layout, keys }.open_keys(s).map(Some)
}

/// Checks one pass.
///
/// # Errors
/// `PeerDeviated` if rows changed, or keys differ; `StepReused`; `Link`.
pub(crate) fn check(s: &mut Session, step: &Step, pass: &Pass) -> Result<(), ProtocolError> {
    s.claim(&step.child("rows".into()))?;
    #[cfg(feature = "lab")]
    if s.core.lab.lacks(crate::lab::Mutant::ShuffleUnchecked) {
        return Ok(());
    }
    match pass {
        Pass::Made {
            layout,
            keys,
            rows,
            tags,
            moved,
            #[cfg(feature = "lab")]
            early,
        } => {
            let arrived = tags.arrive(s)?;
            let check = Check { step, seat: &rows.seat, layout, keys };
            #[cfg(feature = "lab")]
            let keys = early.clone().map_or_else(|| check.open_keys(s), Ok)?;
            #[cfg(not(feature = "lab"))]
            let keys = check.open_keys(s)?;
            let out: Vec<Lane> = moved.iter().chain(&arrived).cloned().collect();
            let sides = Sides::of(layout, &keys, rows, tags, &out);
            check.compare(s, &sides)
        }
        Pass::Counted { layout, cast, clock, tags, .. } => {
            count(s, layout, cast, clock, *tags);
            Ok(())
        }
    }
}

struct Check<'a> {
    step: &'a Step,
    seat: &'a Seat,
    layout: &'a Layout,
    keys: &'a [Vec<u8>; 2],
}

impl Check<'_> {
    fn party(&self, index: usize) -> PartyId {
        self.seat.core.compute[index]
    }

    /// The keys, from all three shares.
    fn open_keys(&self, s: &mut Session) -> Result<Vec<u8>, ProtocolError> {
        let Seat { index: me, cast, .. } = *self.seat;
        let Cast { u, v, w, .. } = *cast;
        let lacking = |party: usize| (party + 2) % 3;
        let n_bytes = self.layout.key_bytes();
        let missing = if me == u {
            let missing = s.recv(self.step, KEYS, self.party(w), n_bytes)?;
            let digest = s.share_digest(self.step, lacking(u), missing.bytes());
            s.same_copy(self.step, KEYS, self.party(v), &digest)?;
            missing.bytes().to_vec()
        } else {
            let other = if me == v { w } else { v };
            let for_other = opening(self.seat, lacking(other), self.keys);
            s.send(self.step, KEYS, self.party(other), bytes_of(&for_other))?;
            let for_u = &self.keys[self.seat.slot(lacking(u))];
            if me == w {
                s.send(self.step, KEYS, self.party(u), bytes_of(for_u))?;
            } else {
                let digest = s.share_digest(self.step, lacking(u), for_u);
                s.send_digest(self.step, KEYS, self.party(u), &digest)?;
            }
            let opened = s.recv(self.step, KEYS, self.party(other), n_bytes + SALT_BYTES)?;
            let digest = commitment(s, self.seat, opened.bytes());
            let fine = s.digest_agrees(&self.seat.step, KEY_COMMITMENT, self.party(u), &digest)?;
            self.agree(guard!(s, ShuffleKeysUncompared, fine), Deviation::CopiesDiffer)?;
            opened.bytes()[..n_bytes].to_vec()
        };
        let mut keys = Vec::with_capacity(n_bytes);
        for family in &self.layout.families {
            with_tag!(*family, T => {
                let shares = [&self.keys[0], &self.keys[1], &missing].map(|share| self.layout.keys::<T>(share));
                keys.extend_from_slice(bytemuck::cast_slice(&sum(&shares)));
            });
        }
        #[cfg(feature = "lab")]
        s.keys_are_open(&self.seat.step, &keys);
        Ok(keys)
    }

    /// The digest that a pair of parties makes of what they compare: one half for either direction.
    fn digest(&self, peer: usize, part: u8, side: &Digest) -> [Digest; 2] {
        let me = self.seat.index;
        // K_j is the key of P_{j-1} and P_j.
        let shared = if peer == (me + 1) % 3 { peer } else { me };
        let key = self.seat.roots().0[self.seat.slot(shared)].stream(self.step, Use::TagDigest);
        let key: [u8; 32] =
            key.column::<math::X8>(32).bytes().bytes().try_into().expect("as many as asked for");
        let mut halves = [0; 2 * DIGEST_BYTES];
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(&[part]).update(side);
        hasher.finalize_xof().fill(&mut halves);
        let (low, high) = halves.split_at(DIGEST_BYTES);
        let half = |half: &[u8]| half.try_into().expect("half of it");
        if me < peer { [half(low), half(high)] } else { [half(high), half(low)] }
    }

    fn say(&self, s: &mut Session, peer: usize, part: u8, side: &Digest) -> Result<(), ProtocolError> {
        let [mine, _] = self.digest(peer, part, side);
        s.send_digest(self.step, part, self.party(peer), &mine)
    }

    /// Whether a peer says what it has to. A party acts on that only when it has heard all that
    /// it waits for: what it says next tells nobody which of several comparisons failed.
    fn hear(&self, s: &mut Session, peer: usize, part: u8, side: &Digest) -> Result<bool, ProtocolError> {
        let [_, theirs] = self.digest(peer, part, side);
        let said = s.recv(self.step, part, self.party(peer), DIGEST_BYTES)?;
        Ok(theirs.ct_eq(said.bytes()).into())
    }

    fn compare(&self, s: &mut Session, sides: &Sides) -> Result<(), ProtocolError> {
        match sides {
            Sides::U { input, first, output } => self.compare_u(s, input, first, output),
            Sides::V { input, middle, output } => self.compare_v(s, input, middle, output),
            Sides::W { input, first, middle, output } => self.compare_w(s, input, first, middle, output),
        }
    }

    fn compare_u(
        &self,
        s: &mut Session,
        input: &Digest,
        first: &Digest,
        output: &Digest,
    ) -> Result<(), ProtocolError> {
        let Cast { v, w, .. } = *self.seat.cast;
        self.say(s, v, INPUTS, input)?;
        self.say(s, w, INPUTS, input)?;
        let with_v = self.hear(s, v, INPUTS, input)?;
        let with_w = self.hear(s, w, INPUTS, input)?;
        let is_first = self.hear(s, w, FIRST, first)?;
        let inputs = guard!(s, ShuffleInputsUncompared, with_v & with_w);
        self.same(inputs & guard!(s, ShuffleMiddleUncompared, is_first))?;
        self.say(s, v, OUTPUTS, output)?;
        self.say(s, w, OUTPUTS, output)?;
        self.accept(s, [v, w])?;
        self.accepted(s, [w, v])
    }

    fn compare_v(
        &self,
        s: &mut Session,
        [to_u, to_w]: &[Digest; 2],
        middle: &Digest,
        output: &Digest,
    ) -> Result<(), ProtocolError> {
        let Cast { u, w, .. } = *self.seat.cast;
        self.say(s, u, INPUTS, to_u)?;
        self.say(s, w, INPUTS, to_w)?;
        let with_u = self.hear(s, u, INPUTS, to_u)?;
        let with_w = self.hear(s, w, INPUTS, to_w)?;
        self.same(guard!(s, ShuffleInputsUncompared, with_u & with_w))?;
        self.say(s, w, OUTPUTS, middle)?;
        let with_u = self.hear(s, u, OUTPUTS, output)?;
        self.accepted(s, [u, w])?;
        self.same(guard!(s, ShuffleOutputsUncompared, with_u))?;
        self.accept(s, [u, w])
    }

    fn compare_w(
        &self,
        s: &mut Session,
        [to_u, to_v]: &[Digest; 2],
        first: &Digest,
        middle: &Digest,
        output: &Digest,
    ) -> Result<(), ProtocolError> {
        let Cast { u, v, .. } = *self.seat.cast;
        self.say(s, u, INPUTS, to_u)?;
        self.say(s, u, FIRST, first)?;
        self.say(s, v, INPUTS, to_v)?;
        let with_u = self.hear(s, u, INPUTS, to_u)?;
        let with_v = self.hear(s, v, INPUTS, to_v)?;
        self.same(guard!(s, ShuffleInputsUncompared, with_u & with_v))?;
        let with_u = self.hear(s, u, OUTPUTS, output)?;
        let with_v = self.hear(s, v, OUTPUTS, middle)?;
        self.same(guard!(s, ShuffleOutputsUncompared, with_u) & guard!(s, ShuffleMiddleUncompared, with_v))?;
        self.accept(s, [u, v])?;
        self.accepted(s, [u, v])
    }

    fn accept(&self, s: &mut Session, peers: [usize; 2]) -> Result<(), ProtocolError> {
        peers
            .into_iter()
            .try_for_each(|peer| s.send(self.step, VERDICT, self.party(peer), bytes_of(&[ACCEPTED])))
    }

    fn accepted(&self, s: &mut Session, peers: [usize; 2]) -> Result<(), ProtocolError> {
        for peer in peers {
            let verdict = s.recv(self.step, VERDICT, self.party(peer), 1)?;
            self.same(guard!(s, ShuffleVerdictIgnored, verdict.bytes() == [ACCEPTED]))?;
        }
        Ok(())
    }

    fn same(&self, fine: bool) -> Result<(), ProtocolError> {
        self.agree(fine, Deviation::RowsChanged)
    }

    fn agree(&self, fine: bool, deviation: Deviation) -> Result<(), ProtocolError> {
        let step = self.step.clone();
        if fine { Ok(()) } else { Err(ProtocolError::PeerDeviated { step, deviation, culprit: None }) }
    }
}

fn sum<T: Tag>([a, b, c]: &[Vec<T>; 3]) -> Vec<T> {
    a.iter().zip(b).zip(c).map(|((a, b), c)| a.plus(*b).plus(*c)).collect()
}

fn bytes_of(bytes: &[u8]) -> Bytes {
    Buf::copy_of(bytes).freeze()
}

/// The messages of a check, by size.
fn count(s: &mut Session, layout: &Layout, cast: &Cast, clock: &Clock, tags: usize) {
    let [u, v, w] = [cast.u, cast.v, cast.w].map(|seat| s.core.compute[seat]);
    // The last tags left when the pass was made.
    let now = std::mem::replace(&mut s.clock, *clock);
    s.count_messages(&[(v, w, tags), (w, v, tags)]);
    s.absorb(&now);
    let n_keys = layout.key_bytes();
    let opening = n_keys + SALT_BYTES;
    s.count_messages(&[(v, w, opening), (w, v, opening), (w, u, n_keys), (v, u, DIGEST_BYTES)]);
    let inputs =
        [u, v, w].map(|from| [u, v, w].map(|to| (from, to, if from == to { 0 } else { DIGEST_BYTES })));
    let inputs = inputs.as_flattened().iter().copied().filter(|(from, to, _)| from != to);
    s.count_messages(&inputs.chain([(w, u, DIGEST_BYTES)]).collect::<Vec<_>>());
    let digests = [(u, v, DIGEST_BYTES), (u, w, DIGEST_BYTES), (v, w, DIGEST_BYTES)];
    s.count_messages(&[&digests[..], &[(u, v, 1), (u, w, 1)]].concat());
    s.count_messages(&[(w, u, 1), (w, v, 1)]);
    s.count_messages(&[(v, u, 1), (v, w, 1)]);
}
