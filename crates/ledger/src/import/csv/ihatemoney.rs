//! IHateMoney's export of a project's bills.
//!
//! A bill is shared by its owers in proportion to their weights. In a bill that I paid each other ower owes me their share;
//! in one that somebody else paid and I share, I got my share from the payer; the rest is between others. So the sum
//! over all contacts is my balance as the program itself has it, rounded to the minor unit once and not bill by bill. A
//! reimbursement is a bill like any other.
//!
//! Of weights the file has the payers' alone, one per person and as they are now. Who never paid is taken to weigh 1, as
//! by the program's own import, and where that touches a share of mine the plan says so ([`Doubt`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tidebook_book::{BookId, HashedId};

use super::sheet::{Row, Sheet, are_among};
use super::{CsvError, Destination};
use crate::import::balances::{Balances, Part};
use crate::import::decimal::Decimal;
use crate::import::plan::note_of;
use crate::import::proportion::split;
use crate::import::table::PEOPLE_MAX;
use crate::import::{Doubt, Plan, PlannedContact, PlannedTransaction, SkipReason};
use crate::{AMOUNT_MAX, CivilDate, ContactId, Currency, Direction, TransactionId, name_fault};

mod owers;

const NEEDED: [&str; 6] = ["what", "amount", "date", "payer_name", "payer_weight", "owers"];
const OPTIONAL: [&str; 2] = ["bill_type", "currency"];

/// The two kinds of bills; the first is what a bill without a kind is.
const BILL_TYPES: [&str; 2] = ["Expense", "Reimbursement"];

/// How the program writes that a bill has no currency.
const NO_CURRENCY: &str = "XXX";

/// Shares are exact to 10^−12: a billion bills would not come to a hundredth off. More would leave less room for weights.
const SHARE_DECIMALS: u32 = 12;

// What goes into the hashes is a promise: a change here makes every second import a duplicate of the first.
const CONTACT_DOMAIN: &str = "tidebook ihatemoney contact v1";
const TRANSACTION_DOMAIN: &str = "tidebook ihatemoney transaction v1";

pub(super) fn are_columns(names: &[String]) -> bool {
    are_among(names, &NEEDED, &OPTIONAL)
}

pub(super) fn plan(sheet: &Sheet<'_>, destination: Destination<'_>) -> Result<Plan, CsvError> {
    let project = Project::read(sheet, destination.currency)?;
    let me = project.column_of_me(destination.me)?;
    let mut planner = Planner {
        project: &project,
        me,
        book: destination.book,
        occurrences: HashMap::new(),
        balances: BTreeMap::new(),
        plan: Plan { rows_read: project.bills.len(), ..Plan::default() },
    };
    for bill in &project.bills {
        planner.take(bill)?;
    }
    Ok(planner.finish())
}

/// A whole file, oldest bill first. The file has the newest on top: so a later export of the same project goes on where an
/// earlier one ended, and what was rounded then is rounded alike.
struct Project {
    /// In the order they appear in the bills.
    people: Vec<Person>,
    bills: Vec<Bill>,
}

struct Person {
    name: String,
    /// Where they paid anything.
    weight: Option<Decimal>,
}

struct Bill {
    line: u64,
    what: String,
    bill_type: &'static str,
    amount: Decimal,
    currency: Currency,
    date: CivilDate,
    /// Columns of people; owers in the order of their names.
    payer: usize,
    owers: Vec<usize>,
}

impl Project {
    fn read(sheet: &Sheet<'_>, currency: Currency) -> Result<Self, CsvError> {
        let payers = sheet.rows().map(|row| text(sheet, row, "payer_name"));
        let with_commas: BTreeSet<&str> = payers.filter(|name| name.contains(',')).collect();
        let currency = the_only_currency(sheet)?.unwrap_or(currency);
        let mut project = Self { people: Vec::new(), bills: Vec::new() };
        for row in sheet.rows().rev() {
            let bill = project.bill(sheet, row, &with_commas, currency)?;
            project.bills.push(bill);
        }
        Ok(project)
    }

    fn bill(
        &mut self,
        sheet: &Sheet<'_>,
        row: Row<'_>,
        with_commas: &BTreeSet<&str>,
        currency: Currency,
    ) -> Result<Bill, CsvError> {
        let payer = self.column(row, "payer_name", text(sheet, row, "payer_name"))?;
        self.weigh(row, payer, text(sheet, row, "payer_weight"))?;
        // In the order of their names: the program's own order is none, and each export's rounding is to be the same.
        let mut names = owers::names(text(sheet, row, "owers"), with_commas);
        names.sort_unstable();
        names.dedup();
        let owers =
            names.iter().map(|name| self.column(row, "owers", name)).collect::<Result<Vec<usize>, CsvError>>()?;
        Ok(Bill {
            line: row.line,
            what: text(sheet, row, "what").to_owned(),
            bill_type: bill_type(sheet, row)?,
            amount: number(row, "amount", text(sheet, row, "amount"), "is not an amount like -1234.50")?,
            currency: currency_of(sheet, row)?.unwrap_or(currency),
            date: text(sheet, row, "date")
                .parse()
                .map_err(|_| row.fault("date", text(sheet, row, "date"), "is not a day like 2026-11-22"))?,
            payer,
            owers,
        })
    }

    /// The column of a person, who may be new.
    fn column(&mut self, row: Row<'_>, column: &'static str, name: &str) -> Result<usize, CsvError> {
        if let Some(known) = self.people.iter().position(|person| person.name == name) {
            return Ok(known);
        }
        if let Some(why) = name_fault(name) {
            return Err(row.fault(column, name, why));
        }
        if self.people.len() == PEOPLE_MAX {
            return Err(CsvError::TooManyPeople { found: PEOPLE_MAX + 1, max: PEOPLE_MAX });
        }
        self.people.push(Person { name: name.to_owned(), weight: None });
        Ok(self.people.len() - 1)
    }

    fn weigh(&mut self, row: Row<'_>, payer: usize, text: &str) -> Result<(), CsvError> {
        const RULE: &str = "is not a weight like 1 or 0.5";
        let weight = number(row, "payer_weight", text, RULE)?;
        if weight.signum() <= 0 {
            return Err(row.fault("payer_weight", text, RULE));
        }
        let Person { name, weight: known } = &mut self.people[payer];
        match known.replace(weight).filter(|known| *known != weight) {
            None => Ok(()),
            Some(earlier) => {
                let (weight, earlier) = (weight.to_string(), earlier.to_string());
                Err(CsvError::TwoWeights { line: row.line, name: name.clone(), weight, earlier })
            }
        }
    }

    fn column_of_me(&self, me: Option<&str>) -> Result<usize, CsvError> {
        let people = || self.people.iter().map(|person| person.name.clone()).collect();
        let me = me.ok_or_else(|| CsvError::WhoAmI { people: people() })?.trim();
        let found = self.people.iter().position(|person| person.name == me);
        found.ok_or_else(|| CsvError::UnknownPerson { name: me.to_owned(), people: people() })
    }

    /// What each ower of a bill bears of it, in 10^−`decimals`; they sum to its amount.
    fn shares(&self, bill: &Bill, decimals: u32) -> Option<Vec<Part>> {
        let weights: Vec<Decimal> =
            bill.owers.iter().map(|ower| self.people[*ower].weight.unwrap_or(Decimal::ONE)).collect();
        let precision = weights.iter().map(|weight| weight.decimals()).max()?;
        let weights: Vec<i128> = weights.iter().map(|weight| weight.scaled(precision)).collect();
        let amounts = split(bill.amount.scaled(decimals).abs(), &weights)?;
        let shares = bill.owers.iter().zip(amounts);
        Some(shares.map(|(ower, amount)| Part { column: *ower, amount: amount * bill.amount.signum() }).collect())
    }
}

struct Planner<'project> {
    project: &'project Project,
    me: usize,
    book: BookId,
    /// How often the same bill has been met.
    occurrences: HashMap<Vec<u8>, u64>,
    balances: BTreeMap<Currency, Balances>,
    plan: Plan,
}

impl Planner<'_> {
    fn take(&mut self, bill: &Bill) -> Result<(), CsvError> {
        let row = self.encode(bill);
        let count = self.occurrences.entry(row.clone()).or_insert(0);
        let earlier = *count;
        *count += 1;
        if bill.payer != self.me && !bill.owers.contains(&self.me) {
            self.plan.skip(SkipReason::BetweenOthers);
            return Ok(());
        }
        let too_large = || CsvError::TooLarge { line: bill.line };
        let decimals = bill.amount.decimals().max(SHARE_DECIMALS);
        let parts = self.parts(bill, decimals).ok_or_else(too_large)?;
        if parts.is_empty() || bill.amount.signum() == 0 {
            self.plan.skip(SkipReason::NothingOwed);
            return Ok(());
        }
        self.doubt_weights(bill);
        let (people, digits) = (self.project.people.len(), bill.currency.minor_digits());
        let balances = self.balances.entry(bill.currency).or_insert_with(|| Balances::new(people, digits));
        for moved in balances.take(&parts, decimals).ok_or_else(too_large)? {
            let transaction = self.transaction(bill, self.transaction_id(&row, earlier, moved.column), moved)?;
            self.plan.transactions.push(transaction);
        }
        Ok(())
    }

    fn transaction(&self, bill: &Bill, id: TransactionId, moved: Part) -> Result<PlannedTransaction, CsvError> {
        let amount = u64::try_from(moved.amount.unsigned_abs()).ok().filter(|amount| *amount <= AMOUNT_MAX);
        Ok(PlannedTransaction {
            id,
            contact: self.contact_id(moved.column),
            direction: if moved.amount > 0 { Direction::Gave } else { Direction::Got },
            amount: amount.ok_or(CsvError::TooLarge { line: bill.line })?,
            currency: bill.currency,
            date: bill.date,
            note: note_of(&bill.what),
            due: None,
            deleted: false,
        })
    }

    /// By how much a bill moves what others owe me.
    fn parts(&self, bill: &Bill, decimals: u32) -> Option<Vec<Part>> {
        let shares = self.project.shares(bill, decimals)?;
        if bill.payer == self.me {
            return Some(shares.into_iter().filter(|share| share.column != self.me).collect());
        }
        let mine = shares.into_iter().filter(|share| share.column == self.me);
        Some(mine.map(|share| Part { column: bill.payer, amount: -share.amount }).collect())
    }

    /// Notes whose weight had to be assumed, where a bill is shared by more than one.
    fn doubt_weights(&mut self, bill: &Bill) {
        let owers = bill.owers.iter().filter(|_| bill.owers.len() > 1);
        for person in owers.map(|ower| &self.project.people[*ower]).filter(|person| person.weight.is_none()) {
            let doubt = Doubt::WeightUnknown { name: person.name.clone() };
            if !self.plan.doubts.contains(&doubt) {
                self.plan.doubts.push(doubt);
            }
        }
    }

    /// What a bill says. Weights are left out: they are the people's and change for all their bills at once, which are
    /// the same bills nonetheless.
    fn encode(&self, bill: &Bill) -> Vec<u8> {
        let name = |column: usize| self.project.people[column].name.as_bytes();
        let encoding = HashedId::default()
            .field(bill.date.to_string().as_bytes())
            .field(bill.what.as_bytes())
            .field(bill.bill_type.as_bytes())
            .field(&bill.amount.to_bytes())
            .field(bill.currency.code().as_bytes())
            .field(name(bill.payer));
        bill.owers.iter().fold(encoding, |encoding, ower| encoding.field(name(*ower))).into_bytes()
    }

    fn contact_id(&self, column: usize) -> ContactId {
        let name = self.project.people[column].name.as_bytes();
        ContactId(HashedId::new(CONTACT_DOMAIN).field(self.book.0.as_bytes()).field(name).id())
    }

    fn transaction_id(&self, row: &[u8], earlier: u64, column: usize) -> TransactionId {
        let hashed = HashedId::new(TRANSACTION_DOMAIN).field(self.book.0.as_bytes()).field(row);
        let name = self.project.people[column].name.as_bytes();
        TransactionId(hashed.field(&earlier.to_le_bytes()).field(name).id())
    }

    fn finish(mut self) -> Plan {
        let others = (0..self.project.people.len()).filter(|column| *column != self.me);
        let contact = |column| PlannedContact::named(self.contact_id(column), &self.project.people[column].name);
        self.plan.contacts = others.map(contact).collect();
        self.plan.add_up(None);
        self.plan
    }
}

/// A cell's text without spaces around it, and without the apostrophe that keeps spreadsheets from running it.
fn text<'lines>(sheet: &Sheet<'lines>, row: Row<'lines>, column: &str) -> &'lines str {
    let text = sheet.cell(row, column).trim();
    text.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(text)
}

fn number(row: Row<'_>, column: &'static str, text: &str, rule: &str) -> Result<Decimal, CsvError> {
    Decimal::parse(text).ok_or_else(|| row.fault(column, text, rule))
}

fn bill_type(sheet: &Sheet<'_>, row: Row<'_>) -> Result<&'static str, CsvError> {
    let text = text(sheet, row, "bill_type");
    match BILL_TYPES.into_iter().find(|known| *known == text) {
        Some(known) => Ok(known),
        None if text.is_empty() => Ok(BILL_TYPES[0]),
        None => Err(row.fault("bill_type", text, format!("is none of {}", BILL_TYPES.join(", ")))),
    }
}

/// The currency of a bill, where it names one.
fn currency_of(sheet: &Sheet<'_>, row: Row<'_>) -> Result<Option<Currency>, CsvError> {
    match text(sheet, row, "currency") {
        "" | NO_CURRENCY => Ok(None),
        text => {
            let rule = "is not the code of a currency in use, such as EUR";
            text.parse().map(Some).map_err(|_| row.fault("currency", text, rule))
        }
    }
}

/// The currency of those bills that name one, where it is one: the program counts the others in it too.
fn the_only_currency(sheet: &Sheet<'_>) -> Result<Option<Currency>, CsvError> {
    let mut named = Vec::new();
    for row in sheet.rows() {
        named.extend(currency_of(sheet, row)?.filter(|currency| !named.contains(currency)));
    }
    Ok(if let [only] = named[..] { Some(only) } else { None })
}
