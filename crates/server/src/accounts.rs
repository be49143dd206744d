//! People and their devices: signing up, in and out.
//!
//! Each call has a file: parse, check, do, answer.

mod devices;
mod me;
mod sign_in;
mod sign_out;
mod sign_up;
#[cfg(test)]
mod tests;

use std::{
    io::Write as _,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use tidebook_book::{UnixMillis, UserId};
use tidebook_event_store::{AccountRow, Store, StoreError};
use tokio::sync::broadcast;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    books::BookParts,
    config::{Config, Signup},
    origin::{OriginCheck, Origins},
    password::{Busy, Passwords},
    problem::Problem,
    random,
    rate_limit::{Key, RateLimit},
    session::{self, Begun, KnownSessions},
};

/// Tries to sign in as one person from one address: room for a household's forgotten password, and no more than
/// 90,000 guesses a day after it.
const TRIES_PER_PERSON_BURST: u32 = 30;
const TRIES_PER_PERSON_INTERVAL: Duration = Duration::from_secs(1);

/// Sign-ups and sign-ins from one address, whoever as: an office behind one address fits, a list of leaked passwords
/// doesn't.
const TRIES_PER_ADDRESS_BURST: u32 = 300;
const TRIES_PER_ADDRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Ended sessions that a socket may be late to hear of; one that is later looks its session up again.
const ENDED_SESSIONS_KEPT: usize = 1024;

/// An e-mail address may have this many characters (RFC 3696, erratum 1690, allows 254; older forms had 320).
const EMAIL_CHARACTERS_MAX: usize = 320;

const NAME_CHARACTERS_MAX: usize = 200;

/// Everything that accounts and sessions need.
#[derive(Debug)]
pub(crate) struct Accounts {
    pub(crate) store: Store,
    pub(crate) origins: Origins,
    pub(crate) known: Arc<KnownSessions>,
    /// Sessions that end, for those who act in their name without a request: see [`Accounts::sessions_ended`].
    ended: broadcast::Sender<Uuid>,
    signup: Signup,
    /// What the first account has to know, where others than this machine's people could be first.
    setup_code: Option<SetupCode>,
    /// Held while the first account is made, so that there is one first.
    first_account: tokio::sync::Mutex<()>,
    passwords: Passwords,
    tries_per_person: RateLimit,
    tries_per_address: RateLimit,
}

impl Accounts {
    /// Prints the setup code to standard error where one is needed.
    pub(crate) async fn open(config: &Config, origins: Origins, store: Store) -> Result<Arc<Self>, StoreError> {
        let needs_setup_code = config.listens_beyond_loopback() && store.account_count().await? == 0;
        let setup_code = needs_setup_code.then(SetupCode::generate);
        if let Some(code) = &setup_code {
            code.print();
        }
        Ok(Arc::new(Self {
            store,
            origins,
            known: Arc::default(),
            ended: broadcast::Sender::new(ENDED_SESSIONS_KEPT),
            signup: config.signup,
            setup_code,
            first_account: tokio::sync::Mutex::default(),
            passwords: Passwords::new(),
            tries_per_person: RateLimit::new(TRIES_PER_PERSON_BURST, TRIES_PER_PERSON_INTERVAL),
            tries_per_address: RateLimit::new(TRIES_PER_ADDRESS_BURST, TRIES_PER_ADDRESS_INTERVAL),
        }))
    }

    /// Ids of sessions as they end. Subscribe first and authenticate then, or an end in between goes unheard. Who lags
    /// behind authenticates again.
    pub(crate) fn sessions_ended(&self) -> broadcast::Receiver<Uuid> {
        self.ended.subscribe()
    }

    /// Changes sessions, or people who have some: to the end, also where whoever asked for it goes away meanwhile. `change`
    /// returns the sessions that it ends, whose sockets are told. Nothing is known any more of how it was.
    pub(crate) async fn change(
        &self,
        change: impl Future<Output = Result<Vec<Uuid>, StoreError>> + Send + 'static,
    ) -> Result<Vec<Uuid>, StoreError> {
        let (known, ended) = (Arc::clone(&self.known), self.ended.clone());
        let changing = tokio::spawn(async move {
            let sessions = change.await;
            known.forget();
            for session in sessions.iter().flatten() {
                // No receivers means no sockets.
                let _ = ended.send(*session);
            }
            sessions
        });
        changing.await.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))
    }

    fn limit_address(&self, address: IpAddr) -> Result<(), Problem> {
        self.tries_per_address.take(Instant::now(), Key::of_address(address)).map_err(Problem::rate_limited)
    }

    /// Guesses at a person's password by whoever holds one of their sessions.
    fn limit_password(&self, user: UserId) -> Result<(), Problem> {
        let key = Key::of_person(user);
        self.tries_per_person.take(Instant::now(), key).map_err(Problem::rate_limited)
    }

    fn limit_person(&self, address: IpAddr, email: &str) -> Result<(), Problem> {
        let key = Key::of_address_and(address, email);
        self.tries_per_person.take(Instant::now(), key).map_err(Problem::rate_limited)
    }
}

pub(crate) fn router(accounts: Arc<Accounts>, parts: BookParts) -> OpenApiRouter {
    let own = OpenApiRouter::new()
        .routes(routes!(me::show, me::rename, me::delete))
        .routes(routes!(me::change_password))
        .with_state(parts);
    OpenApiRouter::new()
        .routes(routes!(sign_up::handle))
        .routes(routes!(sign_in::handle, devices::list))
        .routes(routes!(sign_out::handle))
        .routes(routes!(devices::end))
        .with_state(accounts)
        .merge(own)
}

/// How a new session's token travels: pages get a cookie that no script can read, programs get the token itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Cookie,
    Token,
}

impl Delivery {
    fn choose(origins: &Origins, headers: &HeaderMap) -> Result<Self, Problem> {
        match origins.check(headers) {
            OriginCheck::Own => Ok(Self::Cookie),
            OriginCheck::None => Ok(Self::Token),
            OriginCheck::Foreign => Err(Problem::origin()),
        }
    }
}

/// A person as they see themselves.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct User {
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    email: String,
    name: String,
}

impl From<AccountRow> for User {
    fn from(account: AccountRow) -> Self {
        Self { id: account.id, email: account.email, name: account.name }
    }
}

/// The answer to a sign-up and to a sign-in.
#[derive(Serialize, utoipa::ToSchema)]
struct Welcome {
    user: User,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[schema(value_type = i64)]
    expires_at: UnixMillis,
}

/// Begins the person's session and answers with it.
async fn welcome(
    accounts: &Accounts,
    headers: &HeaderMap,
    delivery: Delivery,
    status: StatusCode,
    user: User,
) -> Result<Response, Problem> {
    let Begun { token, expires_at } = session::begin(accounts, user.id, headers).await?;
    match delivery {
        Delivery::Token => Ok((status, Json(Welcome { user, token: Some(token), expires_at })).into_response()),
        Delivery::Cookie => {
            session::end_replaced(accounts, headers).await?;
            let cookie = session::set_cookie(&accounts.origins, &token);
            let welcome = Json(Welcome { user, token: None, expires_at });
            Ok((status, [(header::SET_COOKIE, cookie)], welcome).into_response())
        }
    }
}

/// The one spelling under which an e-mail address is kept and looked up.
fn email_as_kept(email: &str) -> String {
    email.trim().to_lowercase()
}

impl From<Busy> for Problem {
    fn from(_: Busy) -> Self {
        Self::busy()
    }
}

/// What the server's first account has to know when others could get there first.
#[derive(Debug)]
struct SetupCode {
    text: String,
}

impl SetupCode {
    /// Four groups of five hex digits: 80 random bits, and still possible to type.
    fn generate() -> Self {
        let digits = random::hex(&random::bytes::<10>());
        let groups = [&digits[..5], &digits[5..10], &digits[10..15], &digits[15..]];
        Self { text: groups.join("-") }
    }

    /// Not through the log: a log is kept, sent on and filtered, and this line must be seen once.
    fn print(&self) {
        let _ = writeln!(std::io::stderr(), "setup code for the first account: {}", self.text);
    }

    fn matches(&self, stated: &str) -> bool {
        // `blake3::Hash` compares in constant time, so the time tells nothing of how much was right.
        blake3::hash(stated.trim().to_lowercase().as_bytes()) == blake3::hash(self.text.as_bytes())
    }
}
