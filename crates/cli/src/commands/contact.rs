//! `tidebook contact`: people of a book.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use tidebook_ledger::{ContactId, Field, FieldSet, FieldValue, LedgerOp};
use uuid::Uuid;

use crate::arguments::Asked;
use crate::device::OpenBook;
use crate::exit::answer;
use crate::pick;
use crate::say::{one_line, short};

#[derive(Debug, Subcommand)]
pub(crate) enum Arguments {
    /// Add a person
    #[command(after_help = "Example:\n  tidebook contact add \"Noor Haddad\" --phone +31-20-555-0142")]
    Add(Add),
    /// Change what is known of a person; an empty text takes a field away
    #[command(after_help = "Example:\n  tidebook contact edit Noor --name \"Noor el Haddad\" --note \"Third floor\"")]
    Edit(Edit),
    /// Delete a person; their transactions stop counting, and `restore` brings all back
    #[command(after_help = "Example:\n  tidebook contact delete Noor")]
    Delete(Named),
    /// Bring a deleted person back
    #[command(after_help = "Example:\n  tidebook contact restore Noor")]
    Restore(Named),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    name: String,
    #[command(flatten)]
    details: Details,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Whom: a name, or the end of an id
    who: String,
    /// What they are called
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    details: Details,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
struct Details {
    #[arg(long)]
    username: Option<String>,
    #[arg(long)]
    phone: Option<String>,
    #[arg(long)]
    email: Option<String>,
    #[arg(long)]
    note: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Whom: a name, or the end of an id
    who: String,
    #[command(flatten)]
    asked: Asked,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments {
        Arguments::Add(Add { name, details, asked }) => {
            let id = ContactId(Uuid::now_v7());
            let Details { username, phone, email, note } = details;
            let words = format!("Added {} [{}].", one_line(&name), short(id.0));
            let op = LedgerOp::CreateContact { id, name, username, phone, email, note };
            done(OpenBook::of(&asked).await?, id, op, words).await
        }
        Arguments::Edit(Edit { who, name, details, asked }) => {
            let open = OpenBook::of(&asked).await?;
            let (id, was) = standing(&open, &who)?;
            let set = details.set(name);
            if set.is_empty() {
                bail!("say what to change: --name, --username, --phone, --email or --note");
            }
            done(open, id, LedgerOp::UpdateContact { id, set }, format!("Changed {was}.")).await
        }
        Arguments::Delete(Named { who, asked }) => {
            let open = OpenBook::of(&asked).await?;
            let (id, name) = standing(&open, &who)?;
            let words = format!("Deleted {name}. `tidebook contact restore {}` brings them back.", short(id.0));
            done(open, id, LedgerOp::DeleteContact { id }, words).await
        }
        Arguments::Restore(Named { who, asked }) => {
            let open = OpenBook::of(&asked).await?;
            let contact = pick::deleted_contact(open.state(), &who)?;
            let (id, words) = (contact.id, format!("{} is back.", one_line(&contact.name)));
            done(open, id, LedgerOp::RestoreContact { id }, words).await
        }
    }
}

fn standing(open: &OpenBook, who: &str) -> Result<(ContactId, String)> {
    let contact = pick::contact(open.state(), who)?;
    Ok((contact.id, one_line(&contact.name)))
}

async fn done(mut open: OpenBook, id: ContactId, op: LedgerOp, words: String) -> Result<ExitCode> {
    let mutation = open.write(vec![op])?;
    answer(open.form(), &json!({"saved": true, "mutation": mutation, "contact": id}), || vec![words])?;
    open.finish().await
}

impl Details {
    fn set(self, name: Option<String>) -> FieldSet {
        let Self { username, phone, email, note } = self;
        let fields = [
            (Field::Name, name),
            (Field::Username, username),
            (Field::Phone, phone),
            (Field::Email, email),
            (Field::Note, note),
        ];
        let value = |text: String| if text.is_empty() { FieldValue::Nothing } else { FieldValue::Text(text) };
        fields.into_iter().filter_map(|(field, text)| Some((field, value(text?)))).collect()
    }
}
