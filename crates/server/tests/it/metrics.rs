//! `GET /metrics`: numbers for whoever keeps the server running, and for nobody else.

use reqwest::Method;

use crate::says::someone;
use crate::server::TestServer;

#[tokio::test]
async fn this_machine_and_the_admin_see_numbers_and_nobody_else_does() {
    let (server, mira) = TestServer::with_mira().await;
    let other = server.person("Ben").await;
    let book = mira.book("Harbour Street").await;
    mira.device(&book).await.write(&[someone()]).await;
    let here = mira.call(Method::GET, "/metrics", &[], None).await;
    assert_eq!(here.status, 200);
    for name in ["tidebook_entries_total", "tidebook_commit_seconds_count", "tidebook_sockets"] {
        assert!(here.body.lines().any(|line| line.starts_with(name)), "{name} is in {}", here.body);
    }
    let proxied = ("x-forwarded-for", "192.0.2.7");
    let (admin, member) = (mira.bearer(), other.bearer());
    let ask = async |headers: &[(&str, &str)]| mira.call(Method::GET, "/metrics", headers, None).await.problem();
    assert_eq!(ask(&[proxied]).await, (401, "unauthenticated".into()));
    assert_eq!(ask(&[proxied, ("authorization", &member)]).await, (403, "not_an_admin".into()));
    assert_eq!(ask(&[proxied, ("authorization", &admin)]).await, (200, String::new()));
}
