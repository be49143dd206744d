//! Where a copy stands with its server: apart, following, starting over from a snapshot, or shut out.
//!
//! ```text
//!            subscribed, and it fits            does not fit, or snapshot required
//!   Apart ──────────────────────▶ Following ──────────────────────▶ StartingOver
//!    ▲ ▲ ◀────────────────────────   line lost                       │   │  ▲ │
//!    │ └──────────────── a snapshot whose state hash holds ──────────┘   │  └─┘ one that does not help: later another
//!    │                                                                   │
//!    ├── the person asks again ── Outdated ◀── one of a later version ───┘
//!    └── the person asks again ── Removed ◀── `role: null`, from anywhere
//! ```
//!
//! An answer to a subscription that does not fit leads from `Apart` to `StartingOver` too. Where the server had said so and
//! the line is lost, it is asked again on the next one ([`Word::Stale`]), and may let the copy follow after all.
//!
//! Only in `Following` do entries and fates count and does the outbox go; in every phase a person can write, and what they
//! write waits. After a snapshot the copy stays `Apart` and unsubscribed until nothing of what its history lacks can be lost
//! ([`NewStart`]).

use tidebook_book::{Domain, Epoch, MutationNumber, Person, Role, Seq, Snapshot};
use tidebook_protocol::{Refusal, Refused, SnapshotRequired, Subscribe, Subscribed};

use super::NewStart;
use crate::answer::Answer;
use crate::contradiction::Contradiction;
use crate::{BookCopy, Held, Monotonic, Pending};

/// How long the server may take to tell the fates of numbers it says it has, where nothing else is due from it.
const FATES_WITHIN_MS: u64 = 1_000;

/// How long to leave the server in peace where it refused without saying how long.
const REFUSED_RETRY_MS: u64 = 1_000;

/// Where a copy stands with its server; the picture above shows the ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not subscribed on this line, or the answer is still to come.
    Apart,
    /// Entries come, and the outbox goes.
    Following(Option<Claim>),
    /// The server does not go on from here, or what it said does not fit: nothing is taken but a snapshot.
    StartingOver(Parting, Word),
    /// The snapshot is of a later version than this app.
    Outdated,
    /// The person is no longer a member: nothing is taken, and nothing asked for unless they ask.
    Removed,
}

/// Numbers that the log holds by the server's word (`accepted` in its answer to a subscription), while not all of their
/// entries are here. They are not offered meanwhile. It ends when the copy is at `head`, or else at `fates_by`: what still
/// has no fate then is offered again, and the server answers by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    up_to: MutationNumber,
    /// Once the copy is here, all their entries have come, or there are none under these numbers.
    head: Seq,
    /// Where the copy was at the head already: by then their fates have come.
    fates_by: Option<Monotonic>,
}

/// Where the copy's history and the server's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parting {
    /// At this seq or before it.
    At(Seq),
    /// They may be one. If the snapshot shows two, they part at this seq or before it.
    PerhapsAt(Seq),
}

/// Who says that the copy must start over, and so how far what is known of the parting can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// The server's, on this line, of the history of this epoch.
    Of(Epoch),
    /// The server's, on a line that is gone: it may have been restored since, and is asked again.
    Stale,
    /// The copy's own: what came contradicts it.
    Own,
}

/// When to offer again what was refused: at once, by subscribing again, which tells what the log has. Later numbers of the
/// same push were not taken either, and go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextTry {
    AtOnce,
    AfterMs(u64),
    /// The outbox is held until something else changes.
    WhenMended,
}

/// What became of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SnapshotFate {
    Taken,
    /// It needs a later version of the app.
    TooNew,
    PassedOver,
}

impl<D: Domain> BookCopy<D> {
    /// Whether the book is to be subscribed to on a new line, or again on this one.
    pub(crate) fn wants_subscription(&self) -> bool {
        // What it lacks of the copy's own comes first, so that no gap shows and nothing overtakes it.
        matches!(self.phase, Phase::Apart | Phase::Following(_) | Phase::StartingOver(_, Word::Stale))
            && self.new_start.is_none()
    }

    pub(crate) fn is_following(&self) -> bool {
        matches!(self.phase, Phase::Following(_))
    }

    /// It starts over by its own word, where only the answer to a subscription can tell that the person was removed.
    pub(crate) fn starts_by_itself(&self) -> bool {
        matches!(self.phase, Phase::StartingOver(_, Word::Own))
    }

    pub(crate) fn subscribe_request(&mut self) -> Subscribe {
        self.answer.handle_asked();
        self.unanswered += 1;
        self.asked_after = (self.seq, self.hash);
        self.read_since_asked = false;
        Subscribe {
            book: self.book,
            epoch: self.epoch,
            after: self.seq,
            hash: (self.seq > Seq::ZERO).then_some(self.hash),
            pending_from: self.outbox.first_number(),
        }
    }

    /// An answer to a subscription came: whether it is that to the last. An earlier one tells of a server before all that the
    /// copy has learnt since, and all it says is said again.
    pub(crate) fn take_answer(&mut self) -> bool {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.unanswered == 0
    }

    /// The answer is older than what the store has brought since: only the next one tells whether both are of one log, and
    /// whether the log has the numbers that the outbox has let go of.
    pub(crate) fn has_overtaken(&self, subscribed: &Subscribed) -> bool {
        let is_behind = subscribed.head < self.seq && self.asked_after.0 < self.seq;
        is_behind || (self.read_since_asked && self.outbox.lacks(subscribed.accepted.next()))
    }

    pub(crate) fn handle_subscribed(&mut self, now: Monotonic, subscribed: &Subscribed) {
        if self.starts_by_itself() || self.new_start.is_some() {
            // It answers to a subscription from before the snapshot, or from before one was found to be needed.
            return;
        }
        self.head = subscribed.head;
        self.role = Some(subscribed.role);
        if let Err(contradiction) = self.check_history(subscribed) {
            return self.handle_contradiction(now, &contradiction, Parting::At(Seq::ZERO));
        }
        self.epoch = Some(subscribed.epoch);
        self.note_head();
        self.fetch.cancel();
        self.outbox.lift_hold();
        self.outbox.offer_again_after(subscribed.accepted);
        self.phase = Phase::Following(self.claim(now, subscribed));
        // What the store brought since comes over the line too, and is compared with it then.
        self.line_at = Some(self.asked_after).filter(|(seq, _)| *seq < self.seq);
        self.check_next_number(subscribed.accepted.next());
        self.handle_part_of_answer(now);
    }

    pub(crate) fn handle_part_of_answer(&mut self, now: Monotonic) {
        self.answer.handle_part(now, self.is_more_due());
    }

    /// The time for an answer is over, and it is still due: others may have brought meanwhile what it would say.
    pub(crate) fn lacks_answer(&mut self, now: Monotonic) -> bool {
        let is_over = self.answer.due_by().is_some_and(|at| at <= now);
        if is_over {
            self.answer = Answer::NotDue;
        }
        is_over && self.is_more_due()
    }

    /// Of what the server was asked for over this line something has not come: entries up to the head it told, or the
    /// fates of what was pushed.
    pub(super) fn is_more_due(&self) -> bool {
        match self.phase {
            Phase::Apart | Phase::StartingOver(_, Word::Stale) => true,
            Phase::Following(_) => self.outbox.is_in_flight() || self.is_line_behind(),
            Phase::StartingOver(..) | Phase::Outdated | Phase::Removed => false,
        }
    }

    pub(crate) fn is_line_behind(&self) -> bool {
        self.line_at.map_or(self.seq, |(seq, _)| seq) < self.head
    }

    /// The server goes on from this copy only if they have the same history.
    fn check_history(&self, subscribed: &Subscribed) -> Result<(), Contradiction> {
        let (seq, head, theirs) = (self.seq, subscribed.head, subscribed.epoch);
        match self.epoch {
            Some(ours) if ours != theirs && seq > Seq::ZERO => Err(Contradiction::AnotherEpoch { ours, theirs }),
            _ if head < seq => Err(Contradiction::HeadBehind { head, seq }),
            _ if head == seq && subscribed.head_hash != self.hash => Err(Contradiction::AnotherLog(seq)),
            _ => Ok(()),
        }
    }

    fn claim(&self, now: Monotonic, subscribed: &Subscribed) -> Option<Claim> {
        let (up_to, head) = (subscribed.accepted, subscribed.head);
        self.outbox.first_number().filter(|first| *first <= up_to)?;
        let fates_by = (self.seq >= head).then(|| now.plus_ms(FATES_WITHIN_MS));
        Some(Claim { up_to, head, fates_by })
    }

    /// The copy got further. Own numbers that the server said it has, and that nothing up to its head has settled, were
    /// used up by mutations whose ids stand elsewhere in the log: asked again, it answers by the id.
    pub(super) fn check_claim(&mut self) {
        if let Phase::Following(Some(claim)) = self.phase
            && claim.fates_by.is_none()
            && self.seq >= claim.head
        {
            self.offer_claimed(claim);
        }
    }

    fn offer_claimed(&mut self, claim: Claim) {
        self.outbox.offer_again_up_to(claim.up_to);
        self.phase = Phase::Following(None);
    }

    /// A number that the log lacks and this replica has given away can never come: in another history it was never used,
    /// or its mutation entered under another replica's. Under a new id there is no such gap.
    fn check_next_number(&mut self, expected: MutationNumber) {
        if self.outbox.lacks(expected) {
            let detail = format!("the book lacks change {expected} of this device");
            self.outbox.hold(Held { code: Refusal::Forked, detail });
        }
    }

    pub(crate) fn handle_closed(&mut self, now: Monotonic) {
        self.answer = Answer::NotDue;
        self.unanswered = 0;
        match self.phase {
            Phase::Following(_) => self.phase = Phase::Apart,
            Phase::StartingOver(parting, Word::Of(_)) => self.phase = Phase::StartingOver(parting, Word::Stale),
            Phase::StartingOver(..) | Phase::Apart | Phase::Outdated | Phase::Removed => {}
        }
        self.fetch.handle_line_lost(now);
    }

    /// A mutation was not taken: what to do about it.
    pub(crate) fn handle_refused(&mut self, now: Monotonic, refused: Refused) -> NextTry {
        self.answer = Answer::NotDue;
        let later = NextTry::AfterMs(refused.retry_after_ms.unwrap_or(REFUSED_RETRY_MS));
        match refused.code {
            // It only follows from the refusal that holds the outbox, and offering again would be refused again.
            Refusal::Gap if self.held().is_some() => NextTry::WhenMended,
            // What the server did not know has been withdrawn meanwhile.
            Refusal::UnknownOp if self.outbox.find(refused.id).is_none_or(Pending::is_withdrawn) => later,
            // What a gap lacks may have entered since, by the line of another program over the same store: the answer to the
            // next subscription tells.
            Refusal::Gap | Refusal::RateLimited | Refusal::Unavailable => later,
            Refusal::WrongEpoch => {
                let last = self.wrong_epoch_at.replace(now);
                let is_new = last.is_none_or(|last| last.plus_ms(REFUSED_RETRY_MS) <= now);
                if is_new { NextTry::AtOnce } else { later }
            }
            code => {
                self.outbox.hold(Held { code, detail: refused.detail });
                NextTry::WhenMended
            }
        }
    }

    pub(crate) fn handle_people(&mut self, people: Vec<Person>) {
        if self.is_removed() {
            return;
        }
        self.people = people;
        self.note_head();
        let own = self.people.iter().find(|person| person.id == self.author.user);
        // That the person is a member no longer is for `role` to say: lists of people come late.
        if let Some(role) = own.and_then(|own| own.role) {
            self.hear_role(role);
        }
    }

    pub(crate) fn handle_role(&mut self, role: Option<Role>) {
        match role {
            Some(role) => self.hear_role(role),
            None => {
                self.take_answer();
                self.role = None;
                self.peers.forget();
                self.note_head();
                self.phase = Phase::Removed;
                self.answer = Answer::NotDue;
                self.fetch.cancel();
                let detail = "you are no longer a member of this book".into();
                self.outbox.hold(Held { code: Refusal::NotAMember, detail });
            }
        }
    }

    fn hear_role(&mut self, role: Role) {
        if self.is_removed() {
            return;
        }
        self.role = Some(role);
        self.note_head();
        if role.may_write() && self.is_following() {
            self.outbox.lift_hold_about_role();
        }
    }

    /// The person asks to be let in again.
    pub(crate) fn ask_again(&mut self) {
        if matches!(self.phase, Phase::Removed | Phase::Outdated) {
            self.phase = Phase::Apart;
            if self.kept.as_ref().is_some_and(|kept| kept.is_lost) {
                self.start_from_nothing_known();
            }
        }
    }

    /// From nothing it would follow any history, and what was seen and confirmed is of the one that was stored: only a
    /// snapshot tells by its numbers what of that is there.
    pub(super) fn start_from_nothing_known(&mut self) {
        self.phase = Phase::StartingOver(Parting::At(Seq::ZERO), Word::Own);
        self.fetch.need(Monotonic::default());
    }

    pub(crate) fn handle_snapshot_required(&mut self, now: Monotonic, required: &SnapshotRequired) {
        if self.starts_by_itself() {
            // That much is known, and nobody but the copy knows of what contradicts it.
            return;
        }
        let parting = match required.from_seq {
            Some(from) if from >= self.asked_after.0.min(self.seq) => Parting::PerhapsAt(from),
            // Another history, and where it parts from this one may be anywhere unless the server knows.
            from => Parting::At(from.unwrap_or(Seq::ZERO)),
        };
        self.start_over(now, parting, Word::Of(required.epoch));
    }

    pub(crate) fn handle_contradiction(&mut self, now: Monotonic, contradiction: &Contradiction, parting: Parting) {
        self.contradictions.note(contradiction);
        self.start_over(now, parting, Word::Own);
    }

    fn start_over(&mut self, now: Monotonic, parting: Parting, word: Word) {
        self.phase = Phase::StartingOver(parting, word);
        self.answer = Answer::NotDue;
        self.fetch.need(now);
    }

    /// Starts over from a snapshot, keeping the outbox. One that comes late, when the copy has gone on by another way or
    /// from another snapshot, would take it back in time: it is passed over.
    pub(crate) fn handle_snapshot(&mut self, now: Monotonic, mut snapshot: Snapshot<D>) -> SnapshotFate {
        let is_another_history = self.seq > snapshot.seq || self.epoch.is_some_and(|ours| ours != snapshot.epoch);
        // One of another epoch is what was asked for, more likely than not.
        let goes_back = self.seq > snapshot.seq && self.epoch == Some(snapshot.epoch);
        if goes_back && self.fetch.is_late(now) {
            return SnapshotFate::PassedOver;
        }
        self.fetch.handle_ended(now);
        let Phase::StartingOver(parting, word) = self.phase else { return SnapshotFate::PassedOver };
        if snapshot.state_version > D::STATE_VERSION {
            self.become_outdated();
            return SnapshotFate::TooNew;
        }
        let is_same_form = snapshot.state_version == D::STATE_VERSION;
        let (epoch, seq, hash, state_hash) = (snapshot.epoch, snapshot.seq, snapshot.hash, snapshot.state_hash);
        let (people, replicas) = (snapshot.people.clone(), std::mem::take(&mut snapshot.replicas));
        let state = snapshot.into_state();
        // An older server's hash is over an older form of the state, which nobody here can make.
        if is_same_form && state.hash() != state_hash {
            self.contradictions.note(&Contradiction::AnotherState(seq));
            self.start_over(now, parting, word);
            return SnapshotFate::PassedOver;
        }
        // Of another server than the one that was asked, perhaps: where this history parts from the copy's, nobody has told.
        let is_told = word == Word::Own || word == Word::Of(epoch);
        let parting = if is_told { parting } else { Parting::At(Seq::ZERO) };
        let (Parting::At(at) | Parting::PerhapsAt(at)) = parting;
        let parted_at = at.min(seq);
        let seen_at_most = match parting {
            Parting::PerhapsAt(_) if !is_another_history => seq,
            _ => parted_at,
        };
        (self.epoch, self.seq, self.hash, self.head) = (Some(epoch), seq, hash, seq);
        self.phase = Phase::Apart;
        // What was asked before is answered in vain, and nothing is asked until this is stored.
        self.answer = Answer::NotDue;
        self.handle_people(people);
        let may_be_same_history = word != Word::Of(epoch) || seen_at_most == seq;
        self.start_anew(NewStart { replicas, seen_at_most, parted_at, may_be_same_history, is_another_history });
        self.replace_state(state);
        SnapshotFate::Taken
    }

    pub(crate) fn handle_snapshot_failed(&mut self, now: Monotonic) {
        self.fetch.handle_ended(now);
        if let Phase::StartingOver(..) = self.phase {
            self.fetch.need(now);
        }
    }

    /// The snapshot is of a version that this app cannot even read.
    pub(crate) fn handle_snapshot_too_new(&mut self, now: Monotonic) -> SnapshotFate {
        self.fetch.handle_ended(now);
        let Phase::StartingOver(..) = self.phase else { return SnapshotFate::PassedOver };
        self.become_outdated();
        SnapshotFate::TooNew
    }

    fn become_outdated(&mut self) {
        self.phase = Phase::Outdated;
        let detail = "this book needs a newer version of the app".into();
        self.outbox.hold(Held { code: Refusal::Other, detail });
    }

    /// When something is due that waits for time alone, while there is a line.
    pub(crate) fn poll_timeout(&self) -> Option<Monotonic> {
        match self.phase {
            Phase::Following(claim) => claim?.fates_by,
            Phase::StartingOver(_, Word::Of(_) | Word::Own) => self.fetch.due_at(),
            Phase::StartingOver(_, Word::Stale) | Phase::Apart | Phase::Outdated | Phase::Removed => None,
        }
    }

    /// That, and when the server must have answered.
    pub(crate) fn timeouts(&self) -> [Option<Monotonic>; 2] {
        [self.poll_timeout(), self.answer.due_by()]
    }

    /// Time passed, and there is a line. Whether a snapshot is to be fetched now.
    pub(crate) fn handle_timeout(&mut self, now: Monotonic) -> bool {
        match self.phase {
            Phase::Following(Some(claim)) if claim.fates_by.is_some_and(|at| at <= now) => {
                self.offer_claimed(claim);
                false
            }
            Phase::StartingOver(_, Word::Of(_) | Word::Own) => self.fetch.take_due(now),
            _ => false,
        }
    }
}
