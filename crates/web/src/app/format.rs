//! Money and days as the person's browser writes them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Intl, Object, Reflect};
use tidebook_book::UnixMillis;
use tidebook_ledger::{CivilDate, Currency};
use wasm_bindgen::prelude::*;

use crate::app::browser::window;
use crate::app::driver;
use crate::day::{DayShape, shape};
use crate::ledger_page::Month;
use crate::money::{MoneyPattern, Part, Written};
use crate::name;
use crate::summary::Surroundings;

thread_local! {
    /// Asking the browser takes longer than writing an amount.
    static PATTERNS: RefCell<Vec<(Currency, Rc<MoneyPattern>)>> = RefCell::default();
    static DAYS: RefCell<Vec<(&'static str, Function)>> = RefCell::default();
}

/// Writes an amount of minor units.
pub(crate) fn money(amount: i128, currency: Currency) -> Written {
    let known = |patterns: &Vec<(Currency, Rc<MoneyPattern>)>| {
        patterns.iter().find(|(known, _)| *known == currency).map(|(_, pattern)| pattern.clone())
    };
    let pattern = PATTERNS.with_borrow(known).unwrap_or_else(|| {
        let pattern = Rc::new(learn(currency));
        PATTERNS.with_borrow_mut(|patterns| patterns.push((currency, pattern.clone())));
        pattern
    });
    pattern.write(amount)
}

fn learn(currency: Currency) -> MoneyPattern {
    let digits = currency.minor_digits() as usize;
    let options = options(&[("style", "currency"), ("currency", currency.code()), ("numberingSystem", "latn")]);
    set(&options, "minimumFractionDigits", &JsValue::from(digits as u32));
    set(&options, "maximumFractionDigits", &JsValue::from(digits as u32));
    let format = Intl::NumberFormat::new(&Array::new(), &options);
    match (parts(&format, "1234567"), parts(&format, "1234")) {
        (Some(seven), Some(four)) => MoneyPattern::learn(digits, &seven, &four),
        _ => MoneyPattern::plain(digits, &format!("{currency} ")),
    }
}

/// How the browser writes a sample, in parts.
fn parts(format: &Intl::NumberFormat, sample: &str) -> Option<Vec<Part>> {
    let write: Function = Reflect::get(format, &"formatToParts".into()).ok()?.dyn_into().ok()?;
    let parts: Array = write.call1(format, &sample.into()).ok()?.dyn_into().ok()?;
    let text = |part: &JsValue, key: &str| Reflect::get(part, &key.into()).ok()?.as_string();
    parts.iter().map(|part| Some((text(&part, "type")?, text(&part, "value")?))).collect()
}

/// A day in the middle of a line: "today", "Fri", "17 Nov".
pub(crate) fn day(date: CivilDate, today: CivilDate) -> String {
    match shape(date, today) {
        DayShape::Today => "today".into(),
        DayShape::Yesterday => "yesterday".into(),
        DayShape::Tomorrow => "tomorrow".into(),
        DayShape::Weekday => weekday(date),
        DayShape::DayAndMonth => written("day", &[("day", "numeric"), ("month", "short")], date),
        DayShape::WithYear => full_day(date),
    }
}

/// "17 Nov 2026"
pub(crate) fn full_day(date: CivilDate) -> String {
    written("full", &[("day", "numeric"), ("month", "short"), ("year", "numeric")], date)
}

pub(crate) fn weekday(date: CivilDate) -> String {
    written("weekday", &[("weekday", "short")], date)
}

pub(crate) fn month((year, month): Month) -> String {
    let first = format!("{year:04}-{month:02}-01");
    first.parse().map_or(first, |date| written("month", &[("month", "long"), ("year", "numeric")], date))
}

/// "today 14:06", or with the day where it was another.
pub(crate) fn moment(at: UnixMillis, today: CivilDate) -> String {
    let date = js_sys::Date::new(&(at.0 as f64).into());
    let time = formatter("time", || options(&[("hour", "numeric"), ("minute", "2-digit")]));
    let time = time.call1(&JsValue::NULL, &date).ok().and_then(|text| text.as_string()).unwrap_or_default();
    format!("{} {time}", day(driver::day_of(at), today))
}

fn written(shape: &'static str, fields: &[(&str, &str)], date: CivilDate) -> String {
    let format = formatter(shape, || {
        let options = options(fields);
        set(&options, "timeZone", &"UTC".into());
        options
    });
    let noon = js_sys::Date::new(&format!("{date}T12:00:00Z").into());
    format.call1(&JsValue::NULL, &noon).ok().and_then(|text| text.as_string()).unwrap_or_else(|| date.to_string())
}

fn formatter(shape: &'static str, options: impl FnOnce() -> Object) -> Function {
    let known = |days: &Vec<(&str, Function)>| days.iter().find(|(known, _)| *known == shape).map(|(_, it)| it.clone());
    if let Some(known) = DAYS.with_borrow(known) {
        return known;
    }
    let format = Intl::DateTimeFormat::new(&words_locale(), &options()).format();
    DAYS.with_borrow_mut(|days| days.push((shape, format.clone())));
    format
}

/// Days and months are words, and the page is in English: the person's own English where they have one.
fn words_locale() -> Array {
    let own = window().navigator().language().filter(|language| language.starts_with("en"));
    Array::of1(&own.unwrap_or_else(|| "en-GB".into()).into())
}

/// Regions that use no euro, and what they use.
const HOME_CURRENCIES: &str = "US:USD GB:GBP CH:CHF LI:CHF JP:JPY CA:CAD AU:AUD NZ:NZD IN:INR BR:BRL MX:MXN SE:SEK \
    NO:NOK DK:DKK PL:PLN CZ:CZK HU:HUF RO:RON TR:TRY ZA:ZAR CN:CNY KR:KRW SG:SGD HK:HKD TW:TWD UA:UAH";

/// The currency of the person's region, as far as their browser tells it: "de-CH" is Switzerland.
pub(crate) fn home_currency() -> Currency {
    let language = window().navigator().language().unwrap_or_default();
    let region = language.split('-').skip(1).find(|part| part.len() == 2).unwrap_or_default().to_ascii_uppercase();
    let code = HOME_CURRENCIES.split(' ').find_map(|pair| pair.strip_prefix(region.as_str())?.strip_prefix(':'));
    code.unwrap_or("EUR").parse().expect("the table holds codes in use")
}

/// Names of currencies, for choosing one: "EUR, Euro".
pub(crate) fn currency_names() -> Vec<(Currency, String)> {
    let names = display_names();
    let name = |currency: Currency| {
        let (names, of) = names.as_ref()?;
        of.call1(names, &currency.code().into()).ok()?.as_string()
    };
    let all = Currency::all().into_iter();
    all.map(|currency| {
        (currency, name(currency).map_or_else(|| currency.to_string(), |name| format!("{currency}, {name}")))
    })
    .collect()
}

fn display_names() -> Option<(JsValue, Function)> {
    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    let make: Function = Reflect::get(&intl, &"DisplayNames".into()).ok()?.dyn_into().ok()?;
    let names = Reflect::construct(&make, &Array::of2(&words_locale(), &options(&[("type", "currency")]))).ok()?;
    let of = Reflect::get(&names, &"of".into()).ok()?.dyn_into().ok()?;
    Some((names, of))
}

fn options(fields: &[(&str, &str)]) -> Object {
    let options = Object::new();
    fields.iter().for_each(|(key, value)| set(&options, key, &(*value).into()));
    options
}

fn set(options: &Object, key: &str, value: &JsValue) {
    // Fails only on frozen objects.
    let _ = Reflect::set(options, &key.into(), value);
}

/// See [`name::fold`].
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    name::fold(&String::from(js_sys::JsString::from(text).to_lower_case().normalize("NFD")))
}

/// The browser, as summaries need it.
#[derive(Default)]
pub(crate) struct Surrounding {
    /// The last quarter of an hour that was asked for, and its day: much of a book is made within a few minutes, and asking
    /// the browser takes long. Days begin at a quarter of an hour everywhere.
    last: Cell<Option<(i64, CivilDate)>>,
}

const QUARTER_MS: i64 = 15 * 60 * 1_000;

impl Surroundings for Surrounding {
    fn fold(&self, text: &str) -> String {
        fold(text)
    }

    fn day_of(&self, at: UnixMillis) -> CivilDate {
        let quarter = at.0.div_euclid(QUARTER_MS);
        let known = self.last.get().filter(|(known, _)| *known == quarter).map(|(_, day)| day);
        known.unwrap_or_else(|| {
            let day = driver::day_of(at);
            self.last.set(Some((quarter, day)));
            day
        })
    }
}
