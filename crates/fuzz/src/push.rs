//! Mutations of anybody, pushed into a book on a server.

use serde_json::value::RawValue;
use tidebook_book::Author;
use tidebook_protocol::RawMutation;

use crate::Reading;
use crate::book::{AUTHORS, Desk};
use crate::target::lines;

/// Each line is a push: a digit that says whose it is and whether the disk fails at first, and a list of mutations. Whatever
/// they are, a commit that fails leaves no trace, a push that comes again adds nothing and hears the same, and the log leads
/// to the state there is.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let mut desk = Desk::new();
    let head = desk.head();
    for (first, text) in lines(bytes) {
        let Ok(raw) = serde_json::from_str::<Vec<&RawValue>>(text) else { continue };
        let mutations: Vec<RawMutation> = raw.into_iter().filter_map(|raw| RawMutation::parse(raw).ok()).collect();
        let how = usize::from(first.wrapping_sub(b'0')) % (2 * AUTHORS.len());
        let author = AUTHORS[how % AUTHORS.len()];
        if how >= AUTHORS.len() {
            fail(&mut desk, author, &mutations);
        }
        push(&mut desk, author, &mutations);
    }
    desk.check_replay();
    Reading::taken_if(desk.head() > head)
}

fn fail(desk: &mut Desk, author: Author, mutations: &[RawMutation]) {
    let now = |desk: &Desk| (desk.authority.state().hash(), desk.authority.head(), numbers(desk));
    let before = now(desk);
    desk.push(author, mutations);
    desk.fail();
    assert_eq!(now(desk), before, "a commit that failed leaves no trace");
}

fn push(desk: &mut Desk, author: Author, mutations: &[RawMutation]) {
    let outcomes = desk.push(author, mutations);
    desk.commit();
    let head = desk.head();
    assert_eq!(desk.push(author, mutations), outcomes, "the same push hears the same");
    desk.commit();
    assert_eq!(desk.head(), head, "the same push adds nothing");
    desk.check_sums();
}

/// The last number of each who may write.
fn numbers(desk: &Desk) -> Vec<u64> {
    AUTHORS.iter().map(|author| desk.authority.last_number(author.replica).0).collect()
}
