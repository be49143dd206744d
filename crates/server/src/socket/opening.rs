//! What is looked up when a replica subscribes to a book.

use tidebook_authority::Opened;
use tidebook_book::Author;
use tidebook_event_store::{Store, StoreError};
use tidebook_protocol::Subscribe;

use crate::book::Access;

/// `None`: the book is being reloaded.
pub(super) async fn look_up(
    store: &Store,
    access: &Access,
    author: Author,
    subscribe: &Subscribe,
) -> Result<Option<Opened>, StoreError> {
    let (book, replica) = (subscribe.book, author.replica);
    let standing =
        access.handle.read(move |committed| (committed.head, committed.authority.last_number(replica))).await;
    let Ok((head, accepted)) = standing else { return Ok(None) };
    let hash_there = store.hash_at(book, subscribe.after).await?;
    let people = store.people(book).await?;
    let epoch = access.handle.epoch;
    let common = match subscribe.epoch {
        Some(named) if named != epoch => store.common_with(book, named).await?,
        _ => None,
    };
    Ok(Some(Opened { epoch, role: access.role, head, accepted, people, hash_there, common }))
}
