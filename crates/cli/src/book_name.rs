//! Finding the book a person means.

use anyhow::{Result, bail};
use tidebook_client::{Api, BookItem};

/// The book of this id, or the only one of this name.
pub(crate) async fn find(api: &Api, wanted: &str) -> Result<BookItem> {
    choose(api.books().await?, wanted)
}

fn choose(books: Vec<BookItem>, wanted: &str) -> Result<BookItem> {
    let names: Vec<String> = books.iter().map(|book| format!("{:?}", book.name)).collect();
    let is_it = |book: &BookItem| book.id.to_string() == wanted || book.name == wanted;
    let mut found: Vec<BookItem> = books.into_iter().filter(is_it).collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 if names.is_empty() => bail!("you have no book yet; make one in the app"),
        0 => bail!("no book {wanted:?}; yours are {}", names.join(", ")),
        count => bail!("{count} books are called {wanted:?}; give the id instead"),
    }
}
