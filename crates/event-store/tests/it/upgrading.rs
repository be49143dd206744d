//! A store of an older program is a store of this one, with everything in it.

use tidebook_book::{Person, Role, UnixMillis};
use tidebook_event_store::Store;

use crate::support::{Author, Place, columns, dump, replica, rows, user, whole_log};

const NEWEST: i64 = 3;

/// One of each schema before it, all with the same content but for what a schema brought, and how many rows that makes.
const GOLDEN: [(&str, usize); 2] =
    [(include_str!("golden/schema-1.sql"), 22), (include_str!("golden/schema-2.sql"), 25)];

#[tokio::test]
async fn an_older_store_keeps_every_value_it_has() {
    for (schema, (golden, row_count)) in (1..).zip(GOLDEN) {
        let place = Place::new();
        place.raw().execute_batch(golden).unwrap();
        let older = columns(&place.path());
        let before = dump(&place.path());
        assert_eq!(before.len(), row_count, "schema {schema}");

        place.open().close().await;
        assert_eq!(rows(&place.path(), &older), before, "schema {schema}");
        let steps: i64 = place.raw().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(steps, NEWEST, "schema {schema}");
    }
}

#[tokio::test]
async fn an_older_store_reads_and_goes_on_like_any_other() {
    for (schema, (golden, _)) in (1..).zip(GOLDEN) {
        let place = Place::new();
        place.raw().execute_batch(golden).unwrap();
        let store = place.open();
        check_what_is_there(&store, &format!("schema {schema}")).await;

        let mut author = Author::new(1);
        author.stage(&["born", "ben and cyd join", "cyd goes", "tide"]);
        store.append(author.stage(&["after the upgrade"])).await.unwrap();
        store.close().await;
        assert_eq!(whole_log(&place.open(), author.book).await.len(), 5, "schema {schema}");
    }
}

async fn check_what_is_there(store: &Store, which: &str) {
    let (one, two) = (Author::new(1), Author::new(2));
    assert_eq!(whole_log(store, one.book).await[3].bytes.as_ref(), b"tide", "{which}");
    assert_eq!(whole_log(store, two.book).await.len(), 1, "{which}");
    let books = store.books_of(user(1)).await.unwrap();
    let books: Vec<_> = books.iter().map(|(row, role)| (row.id, row.summary.as_str(), *role)).collect();
    assert_eq!(books, [(one.book, "shore", Role::Owner), (two.book, "", Role::Owner)], "{which}");

    let person = |number, name: &str, role| Person { id: user(number), name: name.into(), role };
    let people = [person(1, "Ada", Some(Role::Owner)), person(2, "Ben", Some(Role::Editor)), person(3, "", None)];
    assert_eq!(store.people(one.book).await.unwrap(), people, "{which}");
    let sessions = store.sessions_of(user(1)).await.unwrap();
    let sessions: Vec<_> = sessions.iter().map(|row| (row.replica, row.created_at)).collect();
    assert_eq!(sessions, [(replica(101), UnixMillis(1)), (replica(102), UnixMillis(2))], "{which}");
    assert_eq!(store.session([3; 32]).await.unwrap().unwrap().user, user(2), "{which}");
    assert_eq!(store.replica_owner(replica(7)).await, Ok(Some(user(2))), "{which}");
}
