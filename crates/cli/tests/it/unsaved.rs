//! A disk that takes nothing more: what is not kept is not called saved.

use rusqlite::Connection;

use crate::home::Home;
use crate::program::{Place, run};

#[tokio::test]
async fn what_the_disk_does_not_take_is_an_error_and_nothing_of_it_is_sent() {
    let place = Place::new().await;
    let book = place.mira.book("Harbour Street").await;
    let home = Home::of(&place.mira);
    home.sync().await;
    home.saved_offline(&["contact", "add", "Ana"]).await;
    let conn = Connection::open(home.store()).expect("a store");
    conn.execute_batch("CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no space'); END")
        .expect("it is made");
    for more in [&[][..], &["--offline"]] {
        let ran = run(home.command(&["contact", "add", "Bo"]).args(more), "").await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{}", ran.err);
        assert!(ran.err.contains("not saved: ") && ran.err.contains("no space"), "{}", ran.err);
    }
    conn.execute_batch("DROP TRIGGER full").expect("it is dropped");
    home.sync().await;
    let snapshot = home.assert_has_what_the_server_has(&book).await;
    let names: Vec<_> =
        snapshot["state"]["contacts"].as_array().expect("a list").iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["Ana"]);
}
