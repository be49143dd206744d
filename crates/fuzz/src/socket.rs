//! A client's frames, one after the other, into the server's half of a conversation.

use tidebook_authority::{Action, Head, Identity, Opened, Outcome, SyncSession};
use tidebook_book::{EncodedEntry, MutationNumber, Person, Role, Seq};
use tidebook_protocol::{Down, FRAME_DOWN_BYTES_MAX, Subscribe};

use crate::Reading;
use crate::book::{AT, AUTHORS, BOOK, Desk, EPOCH};

/// Who is not signed in says nothing that is acted on, nothing is said to who was hung up on, and everything said reads.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let desk = Desk::new();
    let mut server = Server { session: SyncSession::new(None), entries: desk.entries(), has_pushed: false };
    for line in bytes.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok()) {
        server.session.handle_text(AT, line);
        while let Some(action) = server.session.poll_action() {
            server.act(action);
        }
    }
    Reading::taken_if(server.has_pushed)
}

/// What is around a session, on the server.
struct Server<'a> {
    session: SyncSession,
    entries: &'a [EncodedEntry],
    has_pushed: bool,
}

impl Server<'_> {
    fn act(&mut self, action: Action) {
        match action {
            Action::Send(frame) => {
                assert!(frame.len() <= FRAME_DOWN_BYTES_MAX);
                let text = std::str::from_utf8(&frame).expect("a frame is text");
                assert!(!matches!(Down::parse(text), Err(_) | Ok(Down::Unknown)), "{text}");
            }
            Action::Authenticate { token } => {
                assert!(self.session.author().is_none());
                let known = Identity { user: AUTHORS[0].user, name: "Ana".into() };
                self.session.handle_identity(AT, (token != "wrong").then_some(known));
            }
            Action::Open(subscribe) => {
                self.check_signed_in();
                let opened = (subscribe.book == BOOK).then(|| self.opened(&subscribe));
                self.session.handle_opened(&subscribe, opened);
                self.catch_up();
            }
            Action::Push { book, author, mutations, .. } => {
                self.check_signed_in();
                assert_eq!(author.user, AUTHORS[0].user);
                self.has_pushed = true;
                let outcomes = mutations.iter().map(|_| Outcome::Entry(Seq(1))).collect();
                self.session.handle_pushed(book, Seq(1), outcomes);
            }
            Action::ReadFates { book, seqs } => {
                let read: Vec<EncodedEntry> =
                    self.entries.iter().filter(|entry| seqs.contains(&entry.seq)).cloned().collect();
                self.session.handle_fates(book, &read);
            }
            Action::Presence(presence) => assert!(self.session.cursor(presence.book).is_some(), "only who is there"),
            Action::Forget(book) => assert!(self.session.cursor(book).is_none()),
            Action::Close { .. } => {
                assert!(self.session.is_closed());
                assert!(self.session.poll_action().is_none(), "nothing is said after the end");
            }
        }
    }

    fn check_signed_in(&self) {
        assert!(self.session.author().is_some() || self.session.is_closed(), "nobody is asked for nothing");
    }

    fn opened(&self, Subscribe { after, .. }: &Subscribe) -> Opened {
        let head = self.entries.last().expect("a book has entries");
        let head = Head { seq: head.seq, hash: head.hash };
        let there = self.entries.iter().find(|entry| entry.seq == *after);
        let person = Person { id: AUTHORS[0].user, name: "Ana".into(), role: Some(Role::Owner) };
        Opened {
            epoch: EPOCH,
            role: Role::Owner,
            head,
            accepted: MutationNumber::ZERO,
            people: vec![person],
            hash_there: there.map(|entry| entry.hash),
            common: None,
        }
    }

    fn catch_up(&mut self) {
        if let Some(cursor) = self.session.cursor(BOOK) {
            let rest = self.entries.get(cursor.0 as usize..).expect("a cursor is no later than the head");
            self.session.handle_entries(BOOK, rest);
        }
    }
}
