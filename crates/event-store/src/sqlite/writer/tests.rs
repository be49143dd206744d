//! What a group of writes does when one of them, or all, go wrong.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may what it is made of")]

use std::process::{Command, Stdio};

use tokio::sync::oneshot::Receiver;

use super::super::{job, open};
use super::*;

struct Fixture {
    writer: Writer,
    _folder: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let Opened { conn, lock } = open(&path).unwrap();
    conn.execute_batch("CREATE TABLE words (word TEXT UNIQUE) STRICT").unwrap();
    let readers = Arc::new(ReadPool::new(&path));
    let writer = Writer { conn, jobs: mpsc::channel(1).1, unwritten_bytes: 0, wal_frames: 0, readers, lock };
    Fixture { writer, _folder: folder }
}

type Answer = Receiver<Result<(), StoreError>>;

fn sql(text: &'static str) -> (Box<dyn Job>, Answer) {
    job(0, move |conn| Ok(conn.execute_batch(text)?))
}

impl Fixture {
    /// Commits these as one group, and returns their answers.
    fn group(&self, jobs: Vec<(Box<dyn Job>, Answer)>) -> Vec<Result<(), StoreError>> {
        let (jobs, answers): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
        self.writer.commit(jobs);
        answers.into_iter().map(|mut answer| answer.try_recv().unwrap()).collect()
    }

    fn words(&self) -> Vec<String> {
        let mut statement = self.writer.conn.prepare("SELECT word FROM words ORDER BY rowid").unwrap();
        let words = statement.query_map([], |row| row.get(0)).unwrap();
        words.collect::<Result<_, _>>().unwrap()
    }
}

#[test]
fn a_job_that_fails_leaves_its_neighbours_alone() {
    let fixture = fixture();
    let answers = fixture.group(vec![
        sql("INSERT INTO words VALUES ('ebb')"),
        sql("INSERT INTO words VALUES ('flood'), ('ebb')"),
        job(0, |conn| {
            conn.execute_batch("INSERT INTO words VALUES ('slack')")?;
            Err(SqlError::failed("changed my mind"))
        }),
        sql("INSERT INTO words VALUES ('neap')"),
        sql("INSERT INTO oceans VALUES ('none')"),
        sql("INSERT INTO words VALUES ('spring')"),
    ]);
    assert_eq!(answers[0], Ok(()));
    assert_eq!(answers[1], Err(StoreError::Conflict));
    assert_eq!(answers[2], Err(StoreError::Failed("changed my mind".into())));
    assert_eq!(answers[3], Ok(()));
    assert!(matches!(&answers[4], Err(StoreError::Failed(why)) if why.contains("oceans")));
    assert_eq!(answers[5], Ok(()));
    assert_eq!(fixture.words(), ["ebb", "neap", "spring"]);
}

#[test]
fn a_transaction_taken_back_fails_all_of_its_jobs_and_none_after_it() {
    let fixture = fixture();
    let answers = fixture.group(vec![
        sql("INSERT INTO words VALUES ('ebb')"),
        sql("INSERT INTO words VALUES ('flood'), ('flood')"),
        sql("ROLLBACK; SELECT * FROM oceans"),
        sql("INSERT INTO words VALUES ('neap')"),
    ]);
    assert!(matches!(&answers[0], Err(StoreError::Failed(_))));
    assert_eq!(answers[1], Err(StoreError::Conflict));
    assert!(matches!(&answers[2], Err(StoreError::Failed(_))));
    assert!(matches!(&answers[3], Err(StoreError::Failed(_))));
    assert_eq!(fixture.words(), [""; 0]);

    assert_eq!(fixture.group(vec![sql("INSERT INTO words VALUES ('spring')")]), [Ok(())]);
    assert_eq!(fixture.words(), ["spring"]);
}

#[test]
fn a_full_disk_is_a_clean_failure() {
    let fixture = fixture();
    // As many pages as there are: the next one that is needed finds no room.
    fixture.writer.conn.pragma_update_and_check(None, "max_page_count", 1, |_| Ok(())).unwrap();
    let full = fixture.group(vec![sql("INSERT INTO words VALUES (hex(zeroblob(100000)))")]);
    assert!(matches!(&full[0], Err(StoreError::Failed(why)) if why.contains("full")), "{full:?}");
    assert_eq!(fixture.words(), [""; 0]);

    fixture.writer.conn.pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(())).unwrap();
    assert_eq!(fixture.group(vec![sql("INSERT INTO words VALUES ('ebb')")]), [Ok(())]);
    assert_eq!(fixture.words(), ["ebb"]);
}

/// As a write-ahead log finds it that has no room for the pages of a transaction: every statement has worked, and the
/// commit doesn't. A full-text index keeps what it is given to itself until then, and needs its pages only there.
#[test]
fn a_disk_that_is_full_at_the_commit_is_a_clean_failure() {
    const FILL_INDEX: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
        INSERT INTO meanings (docid, word) SELECT 1, group_concat(hex(i), ' ') FROM n";
    let fixture = fixture();
    let conn = &fixture.writer.conn;
    conn.execute_batch("CREATE VIRTUAL TABLE meanings USING fts4 (content='', matchinfo=fts3, word)").unwrap();
    let pages: i64 = conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let limit_pages = |count| conn.pragma_update_and_check(None, "max_page_count", count, |_| Ok(())).unwrap();

    limit_pages(pages);
    let mut jobs = vec![sql("INSERT INTO words VALUES ('ebb')").0, sql(FILL_INDEX).0];
    let mut own_results = Vec::new();
    let group = write_group(conn, &mut jobs, &mut own_results);
    assert_eq!(own_results, [Ok(()), Ok(())], "it is the commit that fails");
    assert!(matches!(&group, Err(StoreError::Failed(why)) if why.contains("full")), "{group:?}");

    let full = fixture.group(vec![sql("INSERT INTO words VALUES ('flood')"), sql(FILL_INDEX)]);
    assert_eq!(full, [group.clone(), group]);
    assert_eq!(fixture.words(), [""; 0]);
    // What needs no new page still finds room, and with room again so does the rest.
    assert_eq!(fixture.group(vec![sql("INSERT INTO words VALUES ('slack')")]), [Ok(())]);
    limit_pages(1_000_000);
    assert_eq!(fixture.group(vec![sql("INSERT INTO words VALUES ('neap')"), sql(FILL_INDEX)]), [Ok(()), Ok(())]);
    assert_eq!(fixture.words(), ["slack", "neap"]);
}

#[test]
fn a_group_ends_at_its_bytes_and_at_its_count() {
    let cases = [(GROUP_BYTES_MAX - 1, 2), (GROUP_BYTES_MAX, 1), (GROUP_BYTES_MAX / 2, 2), (0, GROUP_JOBS_MAX)];
    for (bytes, expected) in cases {
        let mut fixture = fixture();
        let (sender, receiver) = mpsc::channel(2 * GROUP_JOBS_MAX);
        fixture.writer.jobs = receiver;
        for _ in 0..2 * GROUP_JOBS_MAX {
            sender.try_send(Message::Job(job(bytes, |_| Ok(())).0)).unwrap();
        }
        let first = fixture.writer.jobs.try_recv().unwrap();
        assert_eq!(fixture.writer.gather(first).len(), expected, "{bytes} bytes each");
    }
}

#[test]
fn closing_finishes_what_was_accepted_and_refuses_the_rest() {
    let mut fixture = fixture();
    let (sender, receiver) = mpsc::channel(8);
    fixture.writer.jobs = receiver;
    let (before, mut answer_before) = sql("INSERT INTO words VALUES ('ebb')");
    let (after, mut answer_after) = sql("INSERT INTO words VALUES ('flood')");
    for message in [Message::Job(before), Message::Close, Message::Job(after)] {
        sender.try_send(message).unwrap();
    }
    fixture.writer.run();
    assert_eq!(answer_before.try_recv(), Ok(Ok(())));
    assert_eq!(answer_after.try_recv(), Ok(Ok(())));
    assert!(sender.try_send(Message::Close).is_err());
}

#[test]
fn the_log_is_brought_into_the_database_before_it_grows_long() {
    let fixture = fixture();
    let (sender, receiver) = mpsc::channel(8);
    let mut writer = fixture.writer;
    writer.jobs = receiver;
    let wal = fixture._folder.path().join("store.db-wal");
    let (big, _answer) =
        job(
            CHECKPOINT_AFTER_BYTES,
            |conn| Ok(conn.execute_batch("INSERT INTO words VALUES (hex(zeroblob(1000000)))")?),
        );
    sender.try_send(Message::Job(big)).unwrap();
    let group = {
        let first = writer.jobs.try_recv().unwrap();
        writer.gather(first)
    };
    writer.commit(group);
    assert!(writer.unwritten_bytes >= CHECKPOINT_AFTER_BYTES);
    writer.checkpoint("PASSIVE");
    assert_eq!(writer.unwritten_bytes, 0);
    assert!(writer.wal_frames > 400, "{}", writer.wal_frames);
    writer.end();
    assert!(!wal.exists(), "the last one out leaves no log behind");
}

#[test]
fn who_looks_for_long_holds_the_writer_up_for_a_moment_only() {
    let fixture = fixture();
    let mut writer = fixture.writer;
    writer.conn.execute_batch("INSERT INTO words VALUES ('ebb')").unwrap();
    let reader = crate::sqlite::open::connect_to_read(&fixture._folder.path().join("store.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM words").unwrap();
    writer.conn.execute_batch("INSERT INTO words VALUES ('flood')").unwrap();
    let began = std::time::Instant::now();
    writer.checkpoint("RESTART");
    assert!(began.elapsed() < 10 * READERS_WAITED_FOR, "{:?}", began.elapsed());
    let patience: i64 = writer.conn.pragma_query_value(None, "busy_timeout", |row| row.get(0)).unwrap();
    assert_eq!(patience, BUSY_TIMEOUT.as_millis() as i64);
}

const STOP_CASE: &str = "TIDEBOOK_STORE_STOP_CASE";

/// Each in a process of its own, which has to die of it.
#[test]
#[cfg(unix)]
fn what_leaves_the_disk_unknown_stops_the_process() {
    use std::os::unix::process::ExitStatusExt;
    const SIGABRT: i32 = 6;
    for (case, dies) in [("commit", true), ("panic", true), ("none", false)] {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sqlite::writer::tests::stop_case", "--nocapture"])
            .env(STOP_CASE, case)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.signal(), dies.then_some(SIGABRT), "{case}: {status}");
    }
}

/// Does something only where the test above has started it.
#[test]
fn stop_case() {
    let Ok(case) = std::env::var(STOP_CASE) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (jobs, mut ended) = start(open(&path).unwrap(), Arc::new(ReadPool::new(&path))).unwrap();
    let (job, answer) = match case.as_str() {
        "commit" => sql("PRAGMA defer_foreign_keys = ON; INSERT INTO members VALUES (1, 404, zeroblob(16), NULL, 0)"),
        "panic" => job(0, |_| panic!("planted")),
        _ => sql("SELECT 1"),
    };
    jobs.blocking_send(Message::Job(job)).unwrap();
    let answer = answer.blocking_recv();
    drop(jobs);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { while ended.changed().await.is_ok() {} });
    assert_eq!(answer, Ok(Ok(())));
}
