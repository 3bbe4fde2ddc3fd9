//! What an honest run says: every message, in the order in which they left.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use buf::Buf;
use net::{Interceptor, PartyId, Tag, Verdict};

use super::{Cheat, Lab, Names};
use crate::error::ProtocolError;
use crate::session::Session;

/// One message of a run.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Who sent it.
    pub from: PartyId,
    /// To whom.
    pub to: PartyId,
    /// Its name on the wire.
    pub tag: Tag,
    /// Its step's path, chunk and number.
    pub name: String,
    /// What it said.
    pub payload: Vec<u8>,
    /// Whether it is a product, which its sender goes on with.
    pub is_product: bool,
    /// Whether its step opens values.
    pub is_opening: bool,
    /// Whether it carries rows that its sender shuffled.
    pub is_move: bool,
}

/// Every message of a run, in the order in which they left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The messages.
    pub messages: Vec<Message>,
}

/// Writes down what the parties of a run say.
#[derive(Default)]
pub struct Recorder {
    sent: Mutex<Vec<Message>>,
    products: Mutex<BTreeSet<(PartyId, Tag)>>,
    moves: Mutex<BTreeSet<(PartyId, Tag)>>,
    names: Arc<Names>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}, {} ({} bytes)", self.from, self.to, self.name, self.payload.len())
    }
}

impl Message {
    /// A message about which nothing else is known.
    pub(super) fn new(from: PartyId, to: PartyId, tag: Tag, payload: Vec<u8>) -> Self {
        let (is_product, is_opening, is_move) = (false, false, false);
        Message { from, to, tag, name: String::new(), payload, is_product, is_opening, is_move }
    }
}

/// The tag of the first message of the same step.
pub(super) fn step_of(tag: Tag) -> Tag {
    Tag { step: tag.step >> 8 << 8, ..tag }
}

impl Recorder {
    /// The lab with this recorder in it.
    pub fn on(self: &Arc<Self>, lab: Lab) -> Lab {
        lab.named(Arc::clone(&self.names))
            .intercepted(Arc::clone(self) as Arc<dyn Interceptor>)
            .cheating(Arc::clone(self) as Arc<dyn Cheat>)
    }

    /// What was said so far.
    pub fn trace(&self) -> Trace {
        let mut messages = self.sent.lock().expect("a recorder does not panic").clone();
        let products = self.products.lock().expect("a recorder does not panic");
        let moves = self.moves.lock().expect("a recorder does not panic");
        for message in &mut messages {
            message.name = self.names.of(message.tag);
            message.is_opening = self.names.opens(message.tag);
            message.is_product = products.contains(&(message.from, message.tag));
            message.is_move = moves.contains(&(message.from, step_of(message.tag)));
        }
        Trace { messages }
    }
}

impl Interceptor for Recorder {
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
        let payload = payload.bytes().to_vec();
        let message = Message::new(from, to, tag, payload);
        self.sent.lock().expect("a recorder does not panic").push(message);
        Verdict::Deliver
    }
}

impl Cheat for Recorder {
    fn product(&self, party: PartyId, tag: Tag, _: &mut [u8]) {
        self.products.lock().expect("a recorder does not panic").insert((party, tag));
    }

    fn factor(&self, party: PartyId, tag: Tag, _: usize, _: &mut [u32]) {
        self.moves.lock().expect("a recorder does not panic").insert((party, tag));
    }
}

impl Trace {
    /// What a run of `f` says.
    ///
    /// # Errors
    /// Of the first party that failed.
    pub fn of<T: Send>(
        lab: &Lab,
        f: impl Fn(&mut Session) -> Result<T, ProtocolError> + Sync,
    ) -> Result<Trace, ProtocolError> {
        let recorder = Arc::new(Recorder::default());
        let run = recorder.on(lab.clone()).run(f);
        run.outcomes.into_iter().try_for_each(|outcome| outcome.map(drop))?;
        Ok(recorder.trace())
    }

    /// The messages by sender, receiver and tag: the same for every interleaving of threads.
    pub fn by_key(&self) -> BTreeMap<(PartyId, PartyId, Tag), &Message> {
        self.messages.iter().map(|message| ((message.from, message.to, message.tag), message)).collect()
    }

    /// The message that a run with other keys sent in place of this one.
    pub fn counterpart(&self, of: &Message) -> Option<&Message> {
        self.messages.iter().find(|other| (other.from, other.to, &other.name) == (of.from, of.to, &of.name))
    }

    /// What breaks the order rule: messages with which a party opens something although, since the
    /// last product that it sent, not both other compute parties have told it that the checks
    /// passed. (A product that others sent it may be of a step that it has yet to reach.)
    ///
    /// Meant for protocols whose steps follow one another: products of a fork beside the one that
    /// opens would count as well.
    pub fn early_openings(&self, is_verdict: impl Fn(&Message) -> bool) -> Vec<EarlyOpening> {
        let verdict = |(at, opening): (usize, &Message)| {
            let before = &self.messages[..at];
            let product =
                before.iter().rposition(|message| message.is_product && message.from == opening.from)?;
            let heard: BTreeSet<PartyId> = before[product..]
                .iter()
                .filter(|message| message.to == opening.from && is_verdict(message))
                .map(|message| message.from)
                .collect();
            let early = EarlyOpening { opening: opening.clone(), product: before[product].clone() };
            (heard.len() < 2).then_some(early)
        };
        self.messages
            .iter()
            .enumerate()
            .filter(|(_, message)| message.is_opening)
            .filter_map(verdict)
            .collect()
    }
}

/// An opening that left before its products were verified.
#[derive(Debug)]
pub struct EarlyOpening {
    /// The opening.
    pub opening: Message,
    /// The product that nobody had vouched for.
    pub product: Message,
}
