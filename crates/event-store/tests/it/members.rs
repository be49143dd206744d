//! Who is in a book, since when, and who is alone in one.

use tidebook_book::{Role, UnixMillis};
use tidebook_event_store::{MemberRow, Store};

use crate::support::{Author, Place, account, book_id, user};

/// A person's new role in the author's book, at a time.
async fn set(store: &Store, author: &mut Author, number: u128, role: Option<Role>, at: i64) {
    let mut append = author.stage(&["members"]);
    append.members = vec![(user(number), role, UnixMillis(at))];
    store.append(append).await.unwrap();
}

#[tokio::test]
async fn a_member_is_one_since_they_came_or_came_back() {
    let place = Place::new();
    let store = place.open();
    account(&store, 1, "Ada").await;
    account(&store, 2, "Ben").await;
    let mut author = Author::new(1);
    author.create(&store).await;
    let member = |number, name: &str, role, since| MemberRow {
        user: user(number),
        name: name.into(),
        role,
        since: UnixMillis(since),
    };
    let ada = member(1, "Ada", Role::Owner, 5);
    let cyd = member(3, "", Role::Editor, 20);
    set(&store, &mut author, 2, Some(Role::Viewer), 10).await;
    set(&store, &mut author, 3, Some(Role::Editor), 20).await;

    let steps = [
        ("another role moves nothing", Some(Role::Owner), 30, Some((Role::Owner, 10))),
        ("who has left is no member", None, 40, None),
        ("who has left can leave again", None, 50, None),
        ("who comes back begins anew, in their old place", Some(Role::Editor), 60, Some((Role::Editor, 60))),
        ("and keeps that with another role", Some(Role::Viewer), 70, Some((Role::Viewer, 60))),
    ];
    for (what, role, at, expected) in steps {
        set(&store, &mut author, 2, role, at).await;
        let ben = expected.map(|(role, since)| member(2, "Ben", role, since));
        let members = [Some(ada.clone()), ben, Some(cyd.clone())].into_iter().flatten().collect();
        assert_eq!(store.members(author.book).await, Ok(members), "{what}");
    }
    assert_eq!(store.members(book_id(9)).await, Ok(vec![]));
}

#[tokio::test]
async fn one_append_can_take_a_member_out_and_in_again() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    let mut append = author.stage(&["out and in"]);
    append.members = vec![(user(1), None, UnixMillis(30)), (user(1), Some(Role::Viewer), UnixMillis(40))];
    store.append(append).await.unwrap();
    let members = store.members(author.book).await.unwrap();
    assert_eq!((members[0].role, members[0].since), (Role::Viewer, UnixMillis(40)));
}

#[tokio::test]
async fn a_book_is_somebodys_alone_while_nobody_else_is_a_member() {
    let place = Place::new();
    let store = place.open();
    // The first of three books is joined by user 2, then left by one of them.
    let (mut shared, mut alone, mut third) = (Author::new(1), Author::new(2), Author::new(3));
    for author in [&mut shared, &mut alone, &mut third] {
        author.create(&store).await;
    }
    set(&store, &mut third, 1, None, 10).await;
    let (one, two) = (shared.book, alone.book);
    type Step = (&'static str, u128, Option<Role>, &'static [u128], &'static [u128]);
    let steps: [Step; 5] = [
        ("shared", 2, Some(Role::Viewer), &[2], &[]),
        ("left by the other", 2, None, &[1, 2], &[]),
        ("shared again", 2, Some(Role::Owner), &[2], &[]),
        ("left by its maker", 1, None, &[2], &[1]),
        ("left by all", 2, None, &[2], &[]),
    ];
    for (what, number, role, of_one, of_two) in steps {
        set(&store, &mut shared, number, role, 20).await;
        for (number, expected) in [(1, of_one), (2, of_two), (9, &[])] {
            let books = store.sole_member_books(user(number)).await.unwrap();
            assert_eq!(books, expected.iter().map(|id| book_id(*id)).collect::<Vec<_>>(), "{what}: of {number}");
        }
    }

    set(&store, &mut shared, 2, Some(Role::Editor), 30).await;
    set(&store, &mut alone, 2, Some(Role::Viewer), 30).await;
    set(&store, &mut shared, 1, Some(Role::Viewer), 40).await;
    assert_eq!(store.memberships(user(1)).await, Ok(vec![(one, Role::Viewer), (two, Role::Owner)]));
    assert_eq!(store.memberships(user(2)).await, Ok(vec![(one, Role::Editor), (two, Role::Viewer)]));
    assert_eq!(store.memberships(user(9)).await, Ok(vec![]));
    // Former ones count where names are shown.
    assert_eq!(store.books_that_name(user(1)).await, Ok(vec![one, two, third.book]));
    assert_eq!(store.books_that_name(user(2)).await, Ok(vec![one, two]));
    assert_eq!(store.books_that_name(user(9)).await, Ok(vec![]));
}
