//! Made-up files of any length, for tests and benchmarks.

use jiff::ToSpan;
use jiff::civil::{Date, date};

const PEOPLE: [&str; 12] =
    ["Mira", "Jonas", "Aiko", "Tomás", "Łukasz", "Noor", "Zoë", "Ibrahim", "Priya", "Chloé", "Søren", "Ana"];
const CURRENCIES: [&str; 3] = ["EUR", "USD", "JPY"];

/// Descriptions and categories, quoted where CSV needs it.
const EXPENSES: [(&str, &str); 8] = [
    ("Groceries", "Groceries"),
    ("\"Dinner, with wine\"", "Dining out"),
    ("\"Rent \"\"March\"\"\"", "Rent"),
    ("Hotel 東京", "Hotel"),
    ("Café", "General"),
    ("Train tickets", "Train"),
    ("Gift for Łukasz", "Gifts"),
    ("Fuel", "Gas/fuel"),
];

const FIRST_DAY: Date = date(2020, 1, 1);
const DAYS: usize = 2000;

/// A valid file of `rows` rows between twelve people in three currencies, in order of date, with closing rows that
/// agree. Mira takes part in most rows, as its exporter would. The same arguments give the same text.
pub fn generate(rows: usize, seed: u64) -> String {
    let mut dice = Dice(seed);
    let mut totals = [[0; PEOPLE.len()]; CURRENCIES.len()];
    let mut text = format!("Date,Description,Category,Cost,Currency,{}\n\n", PEOPLE.join(","));
    for index in 0..rows {
        let day = day_of(index, rows);
        let currency = dice.below(CURRENCIES.len());
        let row = SampleRow::roll(&mut dice, if CURRENCIES[currency] == "JPY" { 100 } else { 1 });
        for (total, cell) in totals[currency].iter_mut().zip(row.cells) {
            *total += cell;
        }
        let (what, cost) = (row.what, decimal(row.cost));
        text += &format!("{day},{what},{cost},{},{}\n", CURRENCIES[currency], decimals(&row.cells));
    }
    let last_day = day_of(rows.saturating_sub(1), rows);
    text += "\n";
    for (currency, total) in CURRENCIES.iter().zip(&totals) {
        text += &format!("{last_day},Total balance, , ,{currency},{}\n", decimals(total));
    }
    text
}

/// Amounts in hundredths, as Splitwise writes every currency.
struct SampleRow {
    what: String,
    cost: i64,
    cells: [i64; PEOPLE.len()],
}

impl SampleRow {
    /// A payment now and then, else an expense; all amounts are multiples of `step`.
    fn roll(dice: &mut Dice, step: i64) -> SampleRow {
        let mut people: Vec<usize> = (0..PEOPLE.len()).collect();
        for index in 0..people.len() {
            people.swap(index, index + dice.below(PEOPLE.len() - index));
        }
        let is_payment = dice.below(5) == 0;
        let mut party = people[..if is_payment { 2 } else { 2 + dice.below(4) }].to_vec();
        if !party.contains(&0) && dice.below(10) != 0 {
            let seat = dice.below(party.len());
            party[seat] = 0;
        }
        if is_payment { SampleRow::payment(dice, step, &party) } else { SampleRow::expense(dice, step, &party) }
    }

    fn payment(dice: &mut Dice, step: i64, party: &[usize]) -> SampleRow {
        let cost = step * dice.between(100, 30_000);
        let mut cells = [0; PEOPLE.len()];
        cells[party[0]] = cost;
        cells[party[1]] = -cost;
        SampleRow { what: format!("{} paid {},Payment", PEOPLE[party[0]], PEOPLE[party[1]]), cost, cells }
    }

    /// Split evenly between the party; the first of it pays, and bears what does not divide.
    fn expense(dice: &mut Dice, step: i64, party: &[usize]) -> SampleRow {
        let (description, category) = EXPENSES[dice.below(EXPENSES.len())];
        let units = dice.between(100, 30_000);
        let share = step * (units / party.len() as i64);
        let mut cells = [0; PEOPLE.len()];
        for person in &party[1..] {
            cells[*person] = -share;
            cells[party[0]] += share;
        }
        SampleRow { what: format!("{description},{category}"), cost: step * units, cells }
    }
}

fn day_of(index: usize, rows: usize) -> Date {
    let days = index * DAYS / rows.max(1);
    FIRST_DAY.saturating_add((days as i64).days())
}

fn decimals(hundredths: &[i64]) -> String {
    hundredths.iter().map(|amount| decimal(*amount)).collect::<Vec<_>>().join(",")
}

fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100)
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound as u64) as usize
    }

    fn between(&mut self, least: i64, most: i64) -> i64 {
        least + self.below((most - least + 1) as usize) as i64
    }
}
