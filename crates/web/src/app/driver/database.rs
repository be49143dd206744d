//! IndexedDB as far as it is needed here: text under keys, in transactions.

use js_sys::{Array, Function, JsString, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DomException, IdbDatabase, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction};

use crate::app::browser::{text_of, window};

/// Why the browser did not keep something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The device, or what the browser grants this page of it, is full.
    Full,
    /// There is no database: the browser forbids it, or somebody deleted it.
    Gone,
    /// A later version of the app wrote it, and it is not to be harmed.
    Newer,
    /// What was in it went into an account, in another tab.
    Moved,
}

/// Each kind of row, in a store of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rows {
    /// One row each, by name.
    Facts,
    /// By book.
    Heads,
    /// By book.
    States,
    /// By book and seq.
    Entries,
    /// By book and mutation.
    Outbox,
    /// By book and mutation.
    Rejections,
    /// By book and seq.
    Confirmed,
}

impl Rows {
    const ALL: [Self; 7] =
        [Self::Facts, Self::Heads, Self::States, Self::Entries, Self::Outbox, Self::Rejections, Self::Confirmed];

    fn name(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::Heads => "heads",
            Self::States => "states",
            Self::Entries => "entries",
            Self::Outbox => "outbox",
            Self::Rejections => "rejections",
            Self::Confirmed => "confirmed",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    /// Done once the browser has it: what a power cut takes back, another device or the server still has.
    Write,
    /// Done once the disk has it.
    WriteForGood,
}

/// The version of the stores and their keys. What is in a row tells its own format. Version 1 had all but the last store.
const VERSION: u32 = 2;

/// An open database. It gives way to whoever wants to delete it or to change its form.
pub(crate) struct Database {
    database: IdbDatabase,
    _gives_way: Closure<dyn FnMut()>,
}

impl Database {
    pub(crate) async fn open(name: &str) -> Result<Self, Fault> {
        let factory = window().indexed_db().ok().flatten().ok_or(Fault::Gone)?;
        let request = factory.open_with_u32(name, VERSION).map_err(fault)?;
        let upgrading = request.clone();
        let upgrade = Closure::once(move || make_stores(&upgrading));
        request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
        let database: IdbDatabase = answer(&request).await?.dyn_into().map_err(|_| Fault::Gone)?;
        let closing = database.clone();
        let gives_way = Closure::<dyn FnMut()>::new(move || closing.close());
        database.set_onversionchange(Some(gives_way.as_ref().unchecked_ref()));
        Ok(Self { database, _gives_way: gives_way })
    }

    /// Whoever else has it open gives way.
    pub(crate) async fn delete(name: &str) -> Result<(), Fault> {
        let factory = window().indexed_db().ok().flatten().ok_or(Fault::Gone)?;
        let request = factory.delete_database(name).map_err(fault)?;
        answer(&request).await.map(drop)
    }

    /// Over all rows. A transaction that writes waits until no other does, in any tab.
    pub(crate) fn transaction(&self, mode: Mode) -> Result<Transaction, Fault> {
        let names: Array = Rows::ALL.iter().map(|rows| JsValue::from_str(rows.name())).collect();
        let (mode, durability) = match mode {
            Mode::Read => ("readonly", "relaxed"),
            Mode::Write => ("readwrite", "relaxed"),
            Mode::WriteForGood => ("readwrite", "strict"),
        };
        let options = Object::new();
        // Neither fails: one is a plain object, the other a method of every database.
        let _ = Reflect::set(&options, &"durability".into(), &durability.into());
        let begin = Reflect::get(&self.database, &"transaction".into()).map_err(fault)?;
        let begun = begin.unchecked_into::<Function>().call3(&self.database, &names, &mode.into(), &options);
        Ok(Transaction(begun.map_err(fault)?.unchecked_into()))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.database.set_onversionchange(None);
        self.database.close();
    }
}

/// All of it, or nothing. Between its calls nothing else may be waited for: the browser would end it.
pub(crate) struct Transaction(IdbTransaction);

impl Transaction {
    pub(crate) async fn get(&self, rows: Rows, key: &JsValue) -> Result<Option<String>, Fault> {
        Ok(text_of(&answer(&self.store(rows)?.get(key).map_err(fault)?).await?))
    }

    pub(crate) async fn all(&self, rows: Rows, range: &JsValue) -> Result<Vec<String>, Fault> {
        let found = answer(&self.store(rows)?.get_all_with_key(range).map_err(fault)?).await?;
        Ok(Array::from(&found).iter().filter_map(|row| row.as_string()).collect())
    }

    /// The first of a range, and those in which a word is. The others stay on the browser's side, which is quicker.
    pub(crate) async fn mentioning(
        &self,
        rows: Rows,
        range: &JsValue,
        word: &str,
    ) -> Result<(Option<String>, Vec<String>), Fault> {
        let found = Array::from(&answer(&self.store(rows)?.get_all_with_key(range).map_err(fault)?).await?);
        let mentions = |row: &JsValue| row.dyn_ref::<JsString>().is_some_and(|row| row.includes(word, 0));
        let mentioning = found.iter().filter(mentions).filter_map(|row| row.as_string()).collect();
        Ok((found.get(0).as_string(), mentioning))
    }

    pub(crate) fn put(&self, rows: Rows, key: &JsValue, text: &str) -> Result<(), Fault> {
        self.store(rows)?.put_with_key(&text.into(), key).map(drop).map_err(fault)
    }

    pub(crate) fn delete(&self, rows: Rows, key: &JsValue) -> Result<(), Fault> {
        self.store(rows)?.delete(key).map(drop).map_err(fault)
    }

    /// Waits until all of it is kept, as far as its mode promises.
    pub(crate) async fn done(self) -> Result<(), Fault> {
        let done = Promise::new(&mut |resolve, reject| {
            self.0.set_oncomplete(Some(&resolve));
            self.0.set_onabort(Some(&reject));
        });
        match JsFuture::from(done).await {
            Ok(_) => Ok(()),
            Err(_) => Err(self.0.error().map_or(Fault::Gone, |error| named(&error))),
        }
    }

    /// Nothing of it happens.
    pub(crate) fn abort(self) {
        // An ended transaction cannot be aborted, and need not be.
        let _ = self.0.abort();
    }

    fn store(&self, rows: Rows) -> Result<IdbObjectStore, Fault> {
        self.0.object_store(rows.name()).map_err(fault)
    }
}

/// A key of two parts.
pub(crate) fn pair(first: &str, second: JsValue) -> JsValue {
    Array::of2(&first.into(), &second).into()
}

/// All pairs with this first part, whose second is above `after` where there is one.
pub(crate) fn pairs_of(first: &str, after: Option<f64>, up_to: Option<f64>) -> Result<JsValue, Fault> {
    let low = after.map_or_else(|| Array::of1(&first.into()).into(), |after| pair(first, after.into()));
    // An array is above all numbers and texts.
    let high = pair(first, up_to.map_or_else(|| Array::new().into(), JsValue::from));
    IdbKeyRange::bound_with_lower_open(&low, &high, after.is_some()).map(JsValue::from).map_err(fault)
}

fn make_stores(request: &IdbOpenDbRequest) {
    let Some(database) = request.result().ok().and_then(|result| result.dyn_into::<IdbDatabase>().ok()) else { return };
    for rows in Rows::ALL {
        // Fails only where an earlier version has made it, and then it stays with all that is in it.
        let _ = database.create_object_store(rows.name());
    }
}

async fn answer(request: &IdbRequest) -> Result<JsValue, Fault> {
    let answered = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    match JsFuture::from(answered).await {
        Ok(_) => request.result().map_err(fault),
        Err(_) => Err(request.error().ok().flatten().map_or(Fault::Gone, |error| named(&error))),
    }
}

fn fault(error: JsValue) -> Fault {
    error.dyn_ref::<DomException>().map_or(Fault::Gone, named)
}

fn named(error: &DomException) -> Fault {
    if error.name() == "QuotaExceededError" { Fault::Full } else { Fault::Gone }
}
