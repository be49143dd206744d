//! HTTP sessions: who is signed in, how a request proves it, and how the rest of the server learns that it has ended.
//!
//! A session is a token of 256 random bits. The caller has the token, in a cookie or in hand; the server keeps its
//! BLAKE3 hash. (A fast hash will do: there is nothing to guess in 256 random bits.)

mod known;

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::{HeaderMap, HeaderValue, Method, header, request::Parts};
use tidebook_book::{ReplicaId, UnixMillis, UserId};
use tidebook_event_store::{NewSession, SessionRow, StoreError};
use uuid::Uuid;

use crate::{
    accounts::Accounts,
    clock,
    origin::{OriginCheck, Origins},
    problem::Problem,
    random,
};

/// A season: long enough that a device used now and then stays signed in, short enough that a lost one doesn't for ever.
const LIFE_S: i64 = 90 * 24 * 60 * 60;

/// `last_seen_at` is written at most this often per session: people read it in days, and each write is a commit.
const SEEN_INTERVAL_MS: i64 = 5 * 60 * 1000;

/// Sessions of one person at a time: far more devices than anyone has, and one page of the list. The next sign-in ends
/// the one that was used longest ago.
const SESSIONS_PER_PERSON_MAX: usize = 100;

/// A client describes itself in at most this many characters.
const CLIENT_CHARACTERS_MAX: usize = 200;

pub(crate) use known::{KnownSession, KnownSessions};

const COOKIE: &str = "tidebook_session";

/// Browsers accept a cookie of this prefix only over TLS, for this host alone and for all its paths.
const COOKIE_OF_TLS: &str = "__Host-tidebook_session";

/// A request whose sender is known. As an extractor it answers 401 without a valid session, and 403 to a write that a
/// cookie carried and no page of this server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) user: UserId,
    pub(crate) session: Uuid,
    /// The replica of this session's REST writes.
    pub(crate) replica: ReplicaId,
    pub(crate) name: String,
    pub(crate) by_cookie: bool,
}

/// Who the token's session belongs to; `None` where there is no such session, or no longer.
pub(crate) async fn authenticate(accounts: &Accounts, token: &str) -> Result<Option<Signed>, StoreError> {
    let token_hash = hash_of(token);
    let Some(KnownSession { row, name }) = look_up(accounts, token_hash).await? else { return Ok(None) };
    let now = clock::now();
    if row.expires_at <= now {
        return Ok(None);
    }
    note_seen(accounts, token_hash, &row, now).await;
    let SessionRow { id, user, replica, .. } = row;
    Ok(Some(Signed { user, session: id, replica, name, by_cookie: false }))
}

async fn look_up(accounts: &Accounts, token_hash: [u8; 32]) -> Result<Option<KnownSession>, StoreError> {
    let forgotten = match accounts.known.get(token_hash) {
        Ok(known) => return Ok(Some(known)),
        Err(forgotten) => forgotten,
    };
    let Some(row) = accounts.store.session(token_hash).await? else { return Ok(None) };
    let Some(account) = accounts.store.account(row.user).await? else { return Ok(None) };
    let session = KnownSession { row, name: account.name };
    accounts.known.keep(forgotten, token_hash, session.clone());
    Ok(Some(session))
}

/// A device's "last seen" is a courtesy: that it can't be written keeps nobody out.
async fn note_seen(accounts: &Accounts, token_hash: [u8; 32], session: &SessionRow, now: UnixMillis) {
    if now.0.saturating_sub(session.last_seen_at.0) < SEEN_INTERVAL_MS {
        return;
    }
    match accounts.store.touch_session(session.id, now).await {
        Ok(_) => accounts.known.seen(token_hash, now),
        Err(error) => tracing::warn!(?error, "a session's last use couldn't be noted"),
    }
}

fn hash_of(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

impl<S> FromRequestParts<S> for Signed
where
    Arc<Accounts>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let accounts = Arc::from_ref(state);
        let signed = signed(&accounts, &parts.method, &parts.headers).await?;
        signed.ok_or_else(Problem::unauthenticated)
    }
}

/// For those who may also prove later who they are, as sockets do: without a valid session the request is anonymous.
impl<S> OptionalFromRequestParts<S> for Signed
where
    Arc<Accounts>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        let accounts = Arc::from_ref(state);
        signed(&accounts, &parts.method, &parts.headers).await
    }
}

async fn signed(accounts: &Accounts, method: &Method, headers: &HeaderMap) -> Result<Option<Signed>, Problem> {
    match credential(headers, &accounts.origins) {
        Credential::None => Ok(None),
        Credential::Bearer(token) => Ok(authenticate(accounts, token).await?),
        // Browsers attach cookies to what other sites make them send; `Origin` is what tells those apart.
        Credential::Cookie(_) if !method.is_safe() && accounts.origins.check(headers) != OriginCheck::Own => {
            Err(Problem::origin())
        }
        Credential::Cookie(token) => {
            let signed = authenticate(accounts, token).await?;
            Ok(signed.map(|signed| Signed { by_cookie: true, ..signed }))
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Credential<'a> {
    None,
    Bearer(&'a str),
    Cookie(&'a str),
}

/// A header names the caller on purpose, a cookie comes along: so the header counts, also when it turns out wrong.
fn credential<'a>(headers: &'a HeaderMap, origins: &Origins) -> Credential<'a> {
    if let Some(stated) = headers.get(header::AUTHORIZATION) {
        return stated.to_str().ok().and_then(bearer).map_or(Credential::None, Credential::Bearer);
    }
    cookie(headers, cookie_name(origins)).map_or(Credential::None, Credential::Cookie)
}

fn bearer(stated: &str) -> Option<&str> {
    let (scheme, token) = stated.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn cookie_name(origins: &Origins) -> &'static str {
    if origins.secure() { COOKIE_OF_TLS } else { COOKIE }
}

/// A session just begun. The token is shown once, here.
pub(crate) struct Begun {
    pub(crate) token: String,
    pub(crate) expires_at: UnixMillis,
}

/// Begins a session for a person whose password was right, or who is new.
pub(crate) async fn begin(accounts: &Accounts, user: UserId, headers: &HeaderMap) -> Result<Begun, StoreError> {
    let now = clock::now();
    make_room(accounts, user, now).await?;
    let token = random::hex(&random::bytes::<32>());
    let expires_at = UnixMillis(now.0.saturating_add(LIFE_S * 1000));
    let session = NewSession {
        id: random::uuid(now),
        user,
        token_hash: hash_of(&token),
        replica: ReplicaId(random::uuid(now)),
        client: client_name(headers),
        created_at: now,
        expires_at,
    };
    accounts.store.create_session(session).await?;
    Ok(Begun { token, expires_at })
}

/// Ends what has expired, and of the rest so many that one more fits.
async fn make_room(accounts: &Accounts, user: UserId, now: UnixMillis) -> Result<(), StoreError> {
    let sessions = accounts.store.sessions_of(user).await?;
    let (mut standing, expired): (Vec<_>, Vec<_>) = sessions.into_iter().partition(|row| row.expires_at > now);
    standing.sort_by_key(|row| std::cmp::Reverse(row.last_seen_at));
    let surplus = standing.into_iter().skip(SESSIONS_PER_PERSON_MAX - 1);
    for row in expired.into_iter().chain(surplus) {
        end(accounts, user, row.id).await?;
    }
    Ok(())
}

/// Ends the session that a browser brings along when it signs in anew: its cookie is about to be replaced, and a
/// session nobody holds a token for should not stand.
pub(crate) async fn end_replaced(accounts: &Accounts, headers: &HeaderMap) -> Result<(), StoreError> {
    let Some(token) = cookie(headers, cookie_name(&accounts.origins)) else { return Ok(()) };
    if let Some(old) = authenticate(accounts, token).await? {
        end(accounts, old.user, old.session).await?;
    }
    Ok(())
}

/// Ends a person's session, and tells its sockets. Whether there was one.
pub(crate) async fn end(accounts: &Accounts, user: UserId, session: Uuid) -> Result<bool, StoreError> {
    let store = accounts.store.clone();
    let end = async move { Ok(store.end_session(user, session).await?.then_some(session).into_iter().collect()) };
    Ok(!accounts.change(end).await?.is_empty())
}

/// What the client calls itself, for the person's list of devices.
fn client_name(headers: &HeaderMap) -> String {
    let stated = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    stated.chars().filter(|character| !character.is_control()).take(CLIENT_CHARACTERS_MAX).collect()
}

/// The cookie that carries a token from now on.
pub(crate) fn set_cookie(origins: &Origins, token: &str) -> HeaderValue {
    cookie_header(origins, token, LIFE_S)
}

/// The cookie that makes a browser forget its token.
pub(crate) fn clear_cookie(origins: &Origins) -> HeaderValue {
    cookie_header(origins, "", 0)
}

fn cookie_header(origins: &Origins, token: &str, max_age_s: i64) -> HeaderValue {
    let name = cookie_name(origins);
    let tls = if origins.secure() { "; Secure" } else { "" };
    let cookie = format!("{name}={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age={max_age_s}{tls}");
    let mut value = HeaderValue::try_from(cookie).expect("names and hex digits are header text");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::{Config, Signup};

    fn origins(public_urls: &[&str]) -> Origins {
        let listen = "127.0.0.1:8000".parse().unwrap();
        let public_urls = public_urls.iter().map(|url| (*url).to_owned()).collect();
        Origins::new(&Config { listen, data: PathBuf::new(), signup: Signup::Open, public_urls }, listen).unwrap()
    }

    #[test]
    fn a_cookie_is_tied_to_tls_where_there_is_tls() {
        let cases = [
            (origins(&[]), "tidebook_session=aa; HttpOnly; SameSite=Lax; Path=/; Max-Age=7776000"),
            (
                origins(&["https://tide.example"]),
                "__Host-tidebook_session=aa; HttpOnly; SameSite=Lax; Path=/; Max-Age=7776000; Secure",
            ),
        ];
        for (origins, expected) in cases {
            assert_eq!(set_cookie(&origins, "aa"), expected);
            let cleared = expected.replace("=aa", "=").replace("7776000", "0");
            assert_eq!(clear_cookie(&origins), cleared);
        }
    }

    #[test]
    fn a_credential_is_a_bearer_header_or_the_right_cookie() {
        let cases: [(&[(&str, &str)], Credential<'_>); 13] = [
            (&[], Credential::None),
            (&[("authorization", "Bearer aa")], Credential::Bearer("aa")),
            (&[("authorization", "bearer  aa ")], Credential::Bearer("aa")),
            (&[("authorization", "Basic aa")], Credential::None),
            (&[("authorization", "Beareraa")], Credential::None),
            (&[("cookie", "tidebook_session=aa")], Credential::Cookie("aa")),
            (&[("cookie", "x=1; tidebook_session=aa; y=2")], Credential::Cookie("aa")),
            (&[("cookie", "x=1"), ("cookie", "tidebook_session=aa")], Credential::Cookie("aa")),
            (&[("cookie", "xtidebook_session=aa")], Credential::None),
            (&[("cookie", "__Host-tidebook_session=aa")], Credential::None),
            (&[("cookie", "tidebook_session")], Credential::None),
            (&[("cookie", "tidebook_session=aa"), ("authorization", "Bearer bb")], Credential::Bearer("bb")),
            (&[("cookie", "tidebook_session=aa"), ("authorization", "Basic bb")], Credential::None),
        ];
        for (lines, expected) in cases {
            assert_eq!(credential(&headers(lines), &origins(&[])), expected, "{lines:?}");
        }
        let behind_tls = origins(&["https://tide.example"]);
        let plain = headers(&[("cookie", "tidebook_session=aa")]);
        assert_eq!(credential(&plain, &behind_tls), Credential::None);
        let prefixed = headers(&[("cookie", "__Host-tidebook_session=aa")]);
        assert_eq!(credential(&prefixed, &behind_tls), Credential::Cookie("aa"));
    }

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(header::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_client_is_named_by_its_user_agent() {
        assert_eq!(client_name(&headers(&[("user-agent", "curl/8.5")])), "curl/8.5");
        assert_eq!(client_name(&headers(&[])), "");
        let long = "x".repeat(CLIENT_CHARACTERS_MAX + 1);
        assert_eq!(client_name(&headers(&[("user-agent", &long)])).len(), CLIENT_CHARACTERS_MAX);
    }
}
