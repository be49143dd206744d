//! Money: currencies, directions and amounts in minor units.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use tidebook_book::read_variant_by_name;

use crate::Checked;

/// The largest amount of one transaction, in minor units.
pub const AMOUNT_MAX: u64 = 1_000_000_000_000_000;

/// The most the amounts of one book and currency may add up to, deleted ones too: what a double holds exactly, so that
/// no reader of the JSON can get a sum wrong.
pub const GROSS_MAX: u64 = (1 << 53) - 1;

/// Which way money went, seen from the book's people: `Gave` makes the contact owe more, `Got` less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Gave,
    Got,
}

read_variant_by_name!(Direction { "gave" => Gave, "got" => Got });

impl Direction {
    /// The amount as it counts towards the contact's balance.
    #[must_use]
    pub fn signed(self, amount: u64) -> i128 {
        match self {
            Self::Gave => i128::from(amount),
            Self::Got => -i128::from(amount),
        }
    }
}

impl FromStr for Direction {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "gave" => Ok(Self::Gave),
            "got" => Ok(Self::Got),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gave => "gave",
            Self::Got => "got",
        })
    }
}

/// An ISO 4217 code in use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// A text that is not the code of a currency in use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a currency: expected an ISO 4217 code such as EUR")]
pub struct CurrencyError;

/// ISO 4217 list one, by the number of digits of the minor unit, each list in order and each code with a space after it, so
/// that all have four bytes. Funds codes and precious metals are left
/// out: nobody owes a friend an ounce of palladium.
const CODES: [(u32, &str); 4] = [
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP \
         CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR \
         IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN \
         NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP \
         STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ",
    ),
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF "),
    (3, "BHD IQD JOD KWD LYD OMR TND "),
    (4, "CLF UYW "),
];

/// How many decimal digits the currency's minor unit has, or `None` for a code not in use.
#[must_use]
pub fn minor_digits(code: &str) -> Option<u32> {
    let code = code.as_bytes();
    CODES.iter().find(|(_, codes)| code.len() == 3 && holds(codes, code)).map(|(digits, _)| *digits)
}

fn holds(codes: &str, code: &[u8]) -> bool {
    codes.as_bytes().as_chunks::<4>().0.binary_search_by(|known| known[..3].cmp(code)).is_ok()
}

impl Currency {
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII codes are ever made")
    }

    /// How many decimal digits the minor unit has.
    #[must_use]
    pub fn minor_digits(&self) -> u32 {
        minor_digits(self.code()).expect("only codes in use are ever made")
    }

    /// All currencies in use, by code.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for code in CODES.iter().flat_map(|(_, codes)| codes.split_ascii_whitespace()) {
            let currency = code.parse().expect("the table holds codes");
            // Sorting so few by insertion spares browsers the code of a sort.
            all.insert(all.partition_point(|before| *before < currency), currency);
        }
        all
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        let bytes: [u8; 3] = text.as_bytes().try_into().map_err(|_| CurrencyError)?;
        minor_digits(text).map(|_| Self(bytes)).ok_or(CurrencyError)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Checked::deserialize(deserializer)? {
            Checked::Valid(currency) => Ok(currency),
            Checked::Wrong(_) => Err(D::Error::custom(CurrencyError)),
        }
    }
}

/// Why a typed amount is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountInputError {
    #[error("type an amount, such as 12.50")]
    Empty,
    #[error("only digits, one decimal sign and + may stand in an amount")]
    NotANumber,
    #[error("this currency has {0} decimals")]
    TooPrecise(u32),
    #[error("an amount is at least one minor unit")]
    Zero,
    #[error("that is more than a transaction can hold")]
    TooLarge,
}

/// Reads what a person types for an amount, as minor units: `12`, `12.5`, `12,50`, `12+8.50`. Exact, never a float.
pub fn parse_amount(text: &str, digits: u32) -> Result<u64, AmountInputError> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if text.is_empty() {
        return Err(AmountInputError::Empty);
    }
    let mut sum = 0_u64;
    for term in text.split('+') {
        sum = sum.checked_add(parse_term(term, digits)?).ok_or(AmountInputError::TooLarge)?;
    }
    match sum {
        0 => Err(AmountInputError::Zero),
        1..=AMOUNT_MAX => Ok(sum),
        _ => Err(AmountInputError::TooLarge),
    }
}

fn parse_term(term: &str, digits: u32) -> Result<u64, AmountInputError> {
    let (whole, fraction) = term.split_once(['.', ',']).unwrap_or((term, ""));
    let all_digits = whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit());
    if !all_digits || whole.len() + fraction.len() == 0 {
        return Err(AmountInputError::NotANumber);
    }
    let significant = fraction.trim_end_matches('0');
    let places = u32::try_from(significant.len()).unwrap_or(u32::MAX);
    if places > digits {
        return Err(AmountInputError::TooPrecise(digits));
    }
    let scaled = format!("{whole}{significant}{}", "0".repeat((digits - places) as usize));
    let minor: u64 = scaled
        .trim_start_matches('0')
        .parse()
        .or_else(|_| if scaled.trim_start_matches('0').is_empty() { Ok(0) } else { Err(AmountInputError::TooLarge) })?;
    Ok(minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_amounts_are_exact() {
        let cases = [
            ("12", 2, Ok(1200)),
            ("12.5", 2, Ok(1250)),
            ("12,50", 2, Ok(1250)),
            ("12+8.50", 2, Ok(2050)),
            (" 1 000 ", 0, Ok(1000)),
            (".5", 2, Ok(50)),
            ("5.", 2, Ok(500)),
            ("0.10", 1, Ok(1)),
            ("1.005", 3, Ok(1005)),
            ("1.005", 2, Err(AmountInputError::TooPrecise(2))),
            ("100.5", 0, Err(AmountInputError::TooPrecise(0))),
            ("", 2, Err(AmountInputError::Empty)),
            ("0", 2, Err(AmountInputError::Zero)),
            ("1.2.3", 2, Err(AmountInputError::NotANumber)),
            ("1+", 2, Err(AmountInputError::NotANumber)),
            ("-5", 2, Err(AmountInputError::NotANumber)),
            ("1e3", 2, Err(AmountInputError::NotANumber)),
            ("10000000000000", 2, Ok(AMOUNT_MAX)),
            ("10000000000000.01", 2, Err(AmountInputError::TooLarge)),
            ("99999999999999999999999", 2, Err(AmountInputError::TooLarge)),
        ];
        for (text, digits, expected) in cases {
            assert_eq!(parse_amount(text, digits), expected, "{text}");
        }
    }

    #[test]
    fn currencies_are_codes_in_use() {
        for (code, digits) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("SSP", 2)] {
            assert_eq!(code.parse::<Currency>().map(|currency| currency.minor_digits()), Ok(digits), "{code}");
        }
        for wrong in ["", "eur", "EU", "EURO", "XXX", "AB ", "DEM", "€"] {
            assert!(wrong.parse::<Currency>().is_err(), "{wrong}");
        }
        let all: Vec<&str> = CODES.iter().flat_map(|(_, codes)| codes.split_ascii_whitespace()).collect();
        assert_eq!(Currency::all().len(), all.len(), "each is found");
        assert!(all.len() > 150);
    }
}
