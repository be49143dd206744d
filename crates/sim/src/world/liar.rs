//! A client that lies: it says what no shipped replica says, over a line of its own.

use serde_json::{Value, json};
use tidebook_book::{BookId, ReplicaId};
use uuid::Uuid;

use super::World;
use super::ops::Pen;
use crate::check::Checked;
use crate::fault::Fault;
use crate::line::{DeviceEnd, Frame, Parcel, Way};

/// Frames it sends before it hangs up, or is hung up on.
const LIES: (u64, u64) = (1, 5);

/// Which of the seq, the number and the epoch of a push are as they should be, mostly.
const TRUE_ONE_IN: u64 = 3;

impl World {
    /// Somebody with an account, of the book or not, goes at a book.
    pub(super) fn lie(&mut self) -> Checked {
        let Some(node) = self.any_node() else { return Ok(()) };
        let (index, book) = (self.any_client(), self.any_book());
        let user = self.clients[index].user;
        let own = ReplicaId(Uuid::from_u128(0x11a4_0000 + user.0.as_u128()));
        self.checker.owns(own, user);
        let replica = self.any_victim(index, book).unwrap_or(own);
        self.weather.note(Fault::Liar);
        let name = self.clients[index].name.clone();
        self.say(|| format!("somebody lies as {name}"));
        let id = self.open_line(index, node, DeviceEnd::Liar);
        let hello = json!({ "type": "hello", "protocol": 1, "replica": replica, "client": "liar/1" }).to_string();
        let mut frames = vec![hello];
        for _ in 0..self.random.between(LIES.0, LIES.1) {
            frames.push(self.lie_about(book, replica));
        }
        for text in frames {
            self.put(id, Way::Up, Parcel::Text(Frame { text, told: None }));
        }
        let after = self.random.between(500, 20_000);
        self.close_pipe(id, Way::Up, after, None);
        Ok(())
    }

    fn any_client(&mut self) -> usize {
        usize::try_from(self.random.below(self.clients.len() as u64)).expect("few devices")
    }

    /// A replica of somebody else that has written in the book: nobody else may write under it. (One that has not is for
    /// whoever comes first.)
    fn any_victim(&mut self, index: usize, book: BookId) -> Option<ReplicaId> {
        let author = self.clients[index].author();
        let check = self.checker.book(book);
        let others = self.clients.iter().map(|client| client.author()).filter(|other| other.user != author.user);
        let victims: Vec<ReplicaId> =
            others.map(|other| other.replica).filter(|replica| check.last_number(*replica) > 0).collect();
        if self.random.one_in(2) { self.random.pick(&victims).copied() } else { None }
    }

    fn lie_about(&mut self, book: BookId, replica: ReplicaId) -> String {
        match self.random.below(8) {
            0 => self.random.choose(["{", "[]", "null", r#"{"type":7}"#, r#"{"type":"push"}"#, "\u{0}"]).into(),
            // What an honest answer would tell somebody who is no member, the checker looks for.
            1 => json!({
                "type": "subscribe", "book": book, "epoch": null, "after": u64::MAX >> 1, "hash": "00".repeat(32),
                "pending_from": 1,
            })
            .to_string(),
            2 => json!({
                "type": "presence", "book": book, "viewing": { "kind": "book" }, "editing": null,
            })
            .to_string(),
            _ => self.false_push(book, replica),
        }
    }

    fn false_push(&mut self, book: BookId, replica: ReplicaId) -> String {
        let (last, head) = (self.checker.book(book).last_number(replica), self.head(book));
        let n =
            if self.is_true() { last + 1 } else { self.random.choose([0, 1, last, last + 2, u64::MAX >> 1, u64::MAX]) };
        let base = if self.is_true() { head.0 } else { self.random.choose([0, head.0 + 1, u64::MAX >> 1]) };
        let number = self.books.iter().position(|other| *other == book).unwrap_or_default();
        let epoch = if self.random.one_in(TRUE_ONE_IN + 2) { json!(Uuid::nil()) } else { self.epoch_of(book) };
        let (same_ids, invalid) = (self.random.one_in(2), self.random.one_in(2));
        let state = &self.checker.books[&book].state().domain;
        let mut pen = Pen { random: &mut self.random, state, book: number, same_ids, invalid };
        let ops = pen.ops();
        let ops = if self.is_true() { json!(ops) } else { json!([{ "op": "take_everything", "id": book }]) };
        let id = Uuid::from_u128(self.random.wide());
        let mutation = json!({ "id": id, "n": n, "made_at": i64::MIN, "base": base, "ops": ops });
        json!({ "type": "push", "book": book, "epoch": epoch, "mutations": [mutation] }).to_string()
    }

    fn is_true(&mut self) -> bool {
        !self.random.one_in(TRUE_ONE_IN)
    }

    fn epoch_of(&self, book: BookId) -> Value {
        json!(self.disk.log(book).map(|log| log.epoch))
    }
}
