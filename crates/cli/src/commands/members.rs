//! `tidebook members`, `invite` and `join`: who is in a book. These need the server.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use serde_json::json;
use tidebook_book::Role;
use tidebook_client::Member;

use crate::arguments::Asked;
use crate::describe::role_word;
use crate::device::{Device, OpenBook};
use crate::exit::{answer, note};
use crate::pick;
use crate::say::{Cell, DIM, Table, moment, one_line, short};

/// A week.
const EXPIRES_IN_DAYS: u64 = 7;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tidebook members\n  tidebook members --set-role Jonas=viewer")]
pub(crate) struct Arguments {
    /// Give a member another role
    #[arg(long, value_name = "WHO=ROLE", conflicts_with_all = ["remove", "leave"])]
    set_role: Option<String>,
    /// Take a member out of the book
    #[arg(long, value_name = "WHO", conflicts_with = "leave")]
    remove: Option<String>,
    /// Leave the book yourself
    #[arg(long)]
    leave: bool,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tidebook invite\n  tidebook invite --role viewer --uses 5 --days 2")]
pub(crate) struct Invite {
    /// What those who come with it may do
    #[arg(long, value_enum, default_value_t = RoleWord::Editor)]
    role: RoleWord,
    /// How many may come with it
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    uses: u32,
    /// How many days it holds
    #[arg(long, default_value_t = EXPIRES_IN_DAYS, value_name = "DAYS")]
    days: u64,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook join \"$INVITE\"")]
pub(crate) struct Join {
    /// The invite: its link, or what stands after the # in it
    invite: String,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleWord {
    /// Reads
    Viewer,
    /// Reads and writes
    Editor,
    /// Also decides who is in the book
    Owner,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Viewer => Self::Viewer,
            RoleWord::Editor => Self::Editor,
            RoleWord::Owner => Self::Owner,
        }
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let open = OpenBook::of(&arguments.asked).await?;
    if let Some(change) = &arguments.set_role {
        return set_role(open, change).await;
    }
    if let Some(who) = &arguments.remove {
        let member = find(&open, who).await?;
        open.device.driver.api().remove_member(open.id, member.user.id).await?;
        let words = || vec![format!("{} is no member any more.", one_line(&member.user.name))];
        answer(open.form(), &json!({"removed": member.user}), words)?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.leave {
        return leave(open).await;
    }
    list(&open)
}

/// From what the device knows: it works without a network, too.
fn list(open: &OpenBook) -> Result<ExitCode> {
    let people = open.copy().people();
    let members: Vec<_> = people.iter().filter(|person| person.role.is_some()).collect();
    answer(open.form(), &members, || {
        let mut table = Table::default();
        for person in &members {
            let you = if person.id == open.device.user() { "you" } else { "" };
            let role = person.role.map_or("", role_word);
            table.row([
                Cell::text(&person.name),
                Cell::text(role),
                Cell::text(short(person.id.0)).styled(DIM),
                Cell::text(you),
            ]);
        }
        table.lines()
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn set_role(open: OpenBook, change: &str) -> Result<ExitCode> {
    let Some((who, role)) = change.rsplit_once('=') else { bail!("write it as NAME=ROLE, such as Jonas=viewer") };
    let role = RoleWord::from_str(role, true).map_err(|_| anyhow::anyhow!("a role is viewer, editor or owner"))?;
    let member = find(&open, who).await?;
    open.device.driver.api().set_role(open.id, member.user.id, role.into()).await?;
    let words = || vec![format!("{} is {} now.", one_line(&member.user.name), role_word(role.into()))];
    answer(open.form(), &json!({"member": member.user, "role": Role::from(role)}), words)?;
    Ok(ExitCode::SUCCESS)
}

async fn leave(mut open: OpenBook) -> Result<ExitCode> {
    open.device.require_network("leaving a book")?;
    let unsent = open.copy().unsent().len();
    if unsent > 0 {
        bail!("{unsent} changes wait on this device; `tidebook sync` sends them, `tidebook discard` drops them");
    }
    let (user, book) = (open.device.user(), open.id);
    open.device.driver.api().remove_member(book, user).await?;
    let words = match open.device.forget_book(book)? {
        0 => "You left the book; this device keeps nothing of it.",
        _ => "You left the book. What was written here meanwhile is kept: see `tidebook status`.",
    };
    answer(open.form(), &json!({"left": book}), || vec![words.into()])?;
    Ok(ExitCode::SUCCESS)
}

async fn find(open: &OpenBook, who: &str) -> Result<Member> {
    open.device.require_network("changing members")?;
    let members = open.device.driver.api().members(open.id).await?;
    let is_it = |member: &Member| {
        member.user.name.to_lowercase() == who.to_lowercase() || pick::names_id(member.user.id.0, who)
    };
    let found: Vec<Member> = members.into_iter().filter(is_it).collect();
    match found.len() {
        0 => bail!("no member of this book is called {who:?}; `tidebook members` lists them"),
        1 => Ok(found.into_iter().next().expect("there is one")),
        many => bail!("{many} members are called {who:?}; give the end of an id"),
    }
}

pub(crate) async fn invite(arguments: Invite) -> Result<ExitCode> {
    let open = OpenBook::of(&arguments.asked).await?;
    open.device.require_network("an invite")?;
    let expires_in_s = arguments.days.saturating_mul(24 * 60 * 60);
    let invite = open.device.driver.api().invite(open.id, arguments.role.into(), arguments.uses, expires_in_s).await?;
    answer(open.form(), &invite, || vec![invite.url.clone()])?;
    note(&format!("holds until {}; whoever has it can join", moment(invite.expires_at)));
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn join(arguments: Join) -> Result<ExitCode> {
    let mut device = Device::open(&arguments.asked).await?;
    device.require_network("joining")?;
    let token = arguments.invite.rsplit('#').next().unwrap_or_default();
    let joined = device.driver.api().accept_invite(token).await?;
    device.refresh_books().await?;
    let mut open = device.open_book(joined.book).await?;
    let name = open.name()?;
    let words = || vec![format!("You are {} of {name:?} now.", role_word(joined.role))];
    answer(open.form(), &joined, words)?;
    Ok(ExitCode::SUCCESS)
}
