//! What an honest run says: every message, in the order in which they left.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use buf::Buf;
use net::{Interceptor, PartyId, Tag, Verdict};

use super::hooks::step_of;
use super::place::Place;
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
    /// Where the session stands that sent it.
    pub(super) place: Place,
}

/// A message that its receiver took in.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// Who did.
    pub by: PartyId,
    /// Who had sent it.
    pub from: PartyId,
    /// Its name on the wire.
    pub tag: Tag,
    /// How many messages had left until then, of all parties.
    pub after: usize,
}

/// Every message of a run, in the order in which they left.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The messages.
    pub messages: Vec<Message>,
    /// What was taken in when.
    pub heard: Vec<Heard>,
    /// The steps of the proofs that cover a step's products, by the steps' first tags.
    pub proofs: BTreeMap<Tag, BTreeSet<Tag>>,
}

/// Writes down what the parties of a run say.
#[derive(Default)]
pub struct Recorder {
    said: Mutex<Said>,
    products: Mutex<BTreeSet<(PartyId, Tag)>>,
    moves: Mutex<BTreeSet<(PartyId, Tag)>>,
    names: Arc<Names>,
}

/// What all parties said and took in, in one order.
#[derive(Default)]
struct Said {
    messages: Vec<Message>,
    heard: Vec<Heard>,
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
        let place = Place::default();
        Message { from, to, tag, name: String::new(), payload, is_product, is_opening, is_move, place }
    }

    /// Whether it says that a proof is right, or that it is not.
    pub fn is_verdict(&self) -> bool {
        self.name.contains("/check ") && self.payload.len() == 1
    }
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
        let said = self.said.lock().expect("a recorder does not panic");
        let (mut messages, heard) = (said.messages.clone(), said.heard.clone());
        let products = self.products.lock().expect("a recorder does not panic");
        let moves = self.moves.lock().expect("a recorder does not panic");
        for message in &mut messages {
            message.name = self.names.of(message.tag);
            message.place = self.names.place_of(message.tag);
            message.is_opening = self.names.opens(message.tag);
            message.is_product = products.contains(&(message.from, message.tag));
            message.is_move = moves.contains(&(message.from, step_of(message.tag)));
        }
        Trace { messages, heard, proofs: self.names.proofs() }
    }
}

impl Interceptor for Recorder {
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
        let payload = payload.bytes().to_vec();
        let message = Message::new(from, to, tag, payload);
        self.said.lock().expect("a recorder does not panic").messages.push(message);
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

    fn heard(&self, by: PartyId, from: PartyId, tag: Tag) {
        let mut said = self.said.lock().expect("a recorder does not panic");
        let after = said.messages.len();
        said.heard.push(Heard { by, from, tag, after });
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
}
