//! Small parts that stand everywhere: icons, avatars, amounts, what is wrong with a field.

use leptos::prelude::*;
use tidebook_ledger::{Balances, Currency};

use crate::app::erased::{self, flag, memo, part, text};
use crate::app::format;
use crate::name;

/// A symbol of the sprite in the page.
pub(crate) fn icon(name: &'static str) -> impl IntoView {
    view! { <svg class="icon" aria-hidden="true"><use href=format!("#i-{name}")></use></svg> }
}

/// Initials on a tint, to be told from others at a glance; readers hear the name beside it.
pub(crate) fn avatar(name: &str) -> impl IntoView + use<> {
    let tint = name::tint(name).to_string();
    view! { <span class="avatar" data-tint=tint aria-hidden="true">{name::initials(name)}</span> }
}

/// What is wrong with a field, below it. Always there, so that what comes into it is read out.
pub(crate) fn field_error(
    id: &'static str,
    fault: impl Fn() -> Option<String> + Send + Sync + 'static,
) -> impl IntoView {
    let fault = memo(fault);
    view! { <div id=id aria-live="polite">{error_line(fault)}</div> }
}

/// A fault as a line of its own, where there is one.
pub(crate) fn error_line(fault: Memo<Option<String>>) -> impl IntoView {
    part(move || match fault.get() {
        Some(fault) => view! { <p class="error">{icon("alert")}<span>{fault}</span></p> }.into_any(),
        None => ().into_any(),
    })
}

/// The class that colours an amount by its sign.
pub(crate) fn colour(amount: i128) -> &'static str {
    match amount {
        0 => "amt is-even",
        1.. => "amt is-owed",
        _ => "amt is-owing",
    }
}

/// Whose turn it is, in words, seen from a contact.
pub(crate) fn contact_word(amount: i128) -> &'static str {
    match amount {
        0 => "settled",
        1.. => "owes you",
        _ => "you owe",
    }
}

/// Balances in the order they are shown: the book's own currency, then the others by code.
pub(crate) fn in_order(balances: &Balances, own: Option<Currency>) -> Vec<(Currency, i128)> {
    let mut all: Vec<_> = balances.iter().map(|(currency, amount)| (*currency, *amount)).collect();
    all.sort_by_key(|(currency, _)| (Some(*currency) != own, *currency));
    all
}

/// Balances at the head of a page: one large, the others below it.
#[component]
pub(crate) fn Hero(
    #[prop(into)] balances: Signal<Vec<(Currency, i128)>>,
    #[prop(into)] own: Signal<Option<Currency>>,
    /// The words before the large figure, by its sign.
    words: fn(i128) -> &'static str,
    /// The same for the others.
    words_rest: fn(i128) -> &'static str,
) -> impl IntoView {
    // Even in everything: the large figure is nothing, in the book's own currency.
    let large = memo(move || balances.with(|all| all.first().copied()).or_else(|| Some((own.get()?, 0))));
    let count = memo(move || balances.with(|all| all.len()));
    let rest = part(move || {
        (1..count.get())
            .map(|place| {
                let item = memo(move || balances.with(|all| all.get(place).copied()));
                part(move || item.get().map(|(currency, amount)| rest_item(currency, amount, words_rest)))
            })
            .collect_view()
    });
    view! {
        <p class="balance-word">{text(move || large.get().map_or("", |(_, amount)| words(amount)).to_owned())}</p>
        {part(move || large.get().map(|(currency, amount)| large_figure(currency, amount)))}
        <ul class="balance-rest" hidden=flag(move || count.get() < 2)>{rest}</ul>
    }
}

fn large_figure(currency: Currency, amount: i128) -> impl IntoView {
    let written = format::money(amount, currency);
    view! {
        <p class=format!("hero {}", colour(amount)) data-currency=currency.to_string() data-amount=amount.to_string()>
            <span class="sign">{written.sign}</span>
            {written.whole}
            <span class="minor">{format!("{}{}", written.minor, written.after)}</span>
        </p>
    }
}

fn rest_item(currency: Currency, amount: i128, words: fn(i128) -> &'static str) -> impl IntoView {
    view! {
        <li data-currency=currency.to_string()>
            <span class="word">{words(amount)}</span>
            <data class=colour(amount) value=amount.to_string()>{format::money(amount, currency).signed()}</data>
        </li>
    }
}

/// A native select of all currencies, behind the look's arrow.
#[component]
pub(crate) fn CurrencySelect(
    id: &'static str,
    value: RwSignal<Currency>,
    /// Write their names, not their codes alone.
    #[prop(optional)]
    named: bool,
) -> impl IntoView {
    let all = if named {
        format::currency_names()
    } else {
        Currency::all().into_iter().map(|currency| (currency, currency.to_string())).collect()
    };
    let chosen = value.get_untracked();
    let options = all
        .into_iter()
        .map(|(currency, name)| {
            view! { <option value=currency.to_string() selected=currency == chosen>{name}</option> }
        })
        .collect_view();
    view! {
        <span class="pick">
            <select
                id=id
                aria-label="Currency"
                on:change=erased::value(move |code| code.parse().into_iter().for_each(|currency| value.set(currency)))
            >
                {options}
            </select>
            {icon("down")}
        </span>
    }
}
