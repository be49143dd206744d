//! Small parts that stand everywhere: icons, avatars, amounts, what is wrong with a field.

use tidebook_ledger::{Balances, Currency};

use crate::app::browser::set_class;
use crate::app::drawn::{self, AllDrawn, Draw, Drawn, Reactive, attr, flag, part, part_of, text, view};
use crate::app::format;
use crate::app::watched::{Derived, Watched, memo};
use crate::name;

/// A symbol of the sprite in the page.
pub(crate) fn icon(name: &'static str) -> Drawn {
    let reference = view! { <use href=format!("#i-{name}")></use> };
    view! { <svg class="icon" aria-hidden="true">{reference}</svg> }
}

/// Initials on a tint, to be told from others at a glance; readers hear the name beside it.
pub(crate) fn avatar(name: &str) -> Drawn {
    let tint = name::tint(name).to_string();
    view! { <span class="avatar" data-tint=tint aria-hidden="true">{name::initials(name)}</span> }
}

/// One among several.
pub(crate) fn small_avatar(name: &str) -> Drawn {
    let avatar = avatar(name);
    set_class(avatar.as_element(), "avatar-s", true);
    avatar
}

/// What is wrong with a field, below it. Always there, so that what comes into it is read out.
pub(crate) fn field_error(id: &'static str, fault: impl Fn() -> Option<String> + Send + Sync + 'static) -> Drawn {
    let fault = memo(fault);
    view! { <div id=id aria-live="polite">{error_line(fault)}</div> }
}

/// A fault as a line of its own, where there is one.
pub(crate) fn error_line(fault: Derived<Option<String>>) -> Reactive<Drawn> {
    part(move || match fault.get() {
        Some(fault) => view! { <p class="error">{icon("alert")}<span>{fault}</span></p> },
        None => ().drawn(),
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
    let is_own = |(currency, _): &(&Currency, &i128)| Some(**currency) == own;
    let (first, rest): (Vec<_>, Vec<_>) = balances.iter().partition(is_own);
    first.into_iter().chain(rest).map(|(currency, amount)| (*currency, *amount)).collect()
}

/// Balances at the head of a page: one large, the others below it. `words` stand before the large figure, by its sign,
/// and `words_rest` before the others.
pub(crate) fn hero(
    balances: Derived<Vec<(Currency, i128)>>,
    own: Derived<Option<Currency>>,
    words: fn(i128) -> &'static str,
    words_rest: fn(i128) -> &'static str,
) -> Drawn {
    // Even in everything: the large figure is nothing, in the book's own currency.
    // Drawn again when other currencies come in; an amount that changes is only written anew.
    let currencies = memo(move || balances.with(|all| all.iter().map(|(currency, _)| *currency).collect::<Vec<_>>()));
    let amount_of = move |currency| balances.with(|all| amount_in(all, currency));
    // Even in everything: the large figure is nothing, in the book's own currency.
    let large = part_of(
        move || currencies.with(|all| all.first().copied()).or_else(|| own.get()),
        move |currency| currency.map(|currency| large_figure(currency, memo(move || amount_of(currency)), words)),
    );
    let rest = part(move || {
        let rest = currencies.get().into_iter().skip(1);
        rest.map(|currency| rest_item(currency, memo(move || amount_of(currency)), words_rest)).all_drawn()
    });
    view! {
        {large}
        <ul class="balance-rest" hidden=flag(move || currencies.with(|all| all.len() < 2))>{rest}</ul>
    }
}

/// What a list of balances holds of a currency.
pub(crate) fn amount_in(balances: &[(Currency, i128)], currency: Currency) -> i128 {
    balances.iter().find(|(known, _)| *known == currency).map_or(0, |(_, amount)| *amount)
}

/// Bytes of a figure that a phone has no room for at its full size: millions.
const LONG_FIGURE: usize = 11;

/// An amount as the largest thing of a page. `words` stand before it, by its sign.
pub(crate) fn large_figure(currency: Currency, amount: Derived<i128>, words: fn(i128) -> &'static str) -> Drawn {
    let written = memo(move || format::money(amount.get(), currency));
    let minor = text(move || written.with(|written| format!("{}{}", written.minor, written.after)));
    let size =
        move || if written.with(|written| written.whole.len() > LONG_FIGURE) { "hero is-long " } else { "hero " };
    view! {
        <p class="balance-word">{text(move || words(amount.get()).into())}</p>
        <p
            class=text(move || [size(), colour(amount.get())].concat())
            data-currency=currency.to_string()
            data-amount=text(move || amount.get().to_string())
        >
            <span class="sign">{text(move || written.with(|written| written.sign.into()))}</span>
            {text(move || written.with(|written| written.whole.clone()))}
            <span class="minor">{minor}</span>
        </p>
    }
}

fn rest_item(currency: Currency, amount: Derived<i128>, words: fn(i128) -> &'static str) -> Drawn {
    view! {
        <li data-currency=currency.to_string()>
            <span class="word">{text(move || words(amount.get()).into())}</span>
            {money(currency, amount)}
        </li>
    }
}

/// An amount with its sign and colour, which follows its value.
pub(crate) fn money(currency: Currency, amount: Derived<i128>) -> Drawn {
    view! {
        <data class=attr(move || Some(colour(amount.get()))) value=text(move || amount.get().to_string())>
            {text(move || format::money(amount.get(), currency).signed())}
        </data>
    }
}

/// A native select of all currencies, behind the look's arrow; `named` with their names, not their codes alone.
pub(crate) fn currency_select(id: &'static str, value: Watched<Currency>, named: bool) -> Drawn {
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
        .all_drawn();
    view! {
        <span class="pick">
            <select
                id=id
                aria-label="Currency"
                on:change=drawn::value(move |code| code.parse().into_iter().for_each(|currency| value.set(currency)))
            >
                {options}
            </select>
            {icon("down")}
        </span>
    }
}
