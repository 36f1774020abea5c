//! Plain scalars to values, by the core schema of YAML 1.2.2 §10.3.2: `yes`, `no` and dates are text.

use serde_json::Number;

use super::tree::Value;

/// The value of a scalar written without quotes; `None` for `.inf` and `.nan`, which JSON cannot express.
pub(crate) fn resolve(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Flag(true),
        "false" | "False" | "FALSE" => Value::Flag(false),
        _ => match number(text) {
            Some(number) => Value::Number(number),
            None if is_not_finite(text) => return None,
            None => Value::Text(text.to_owned()),
        },
    })
}

fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return from_radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return from_radix(digits, 8);
    }
    if unsigned.bytes().all(|b| b.is_ascii_digit()) {
        let plain = text.strip_prefix('+').unwrap_or(text);
        let whole = plain.parse::<u64>().map(Number::from).or_else(|_| plain.parse::<i64>().map(Number::from));
        return whole.ok().or_else(|| Number::from_f64(plain.parse().ok()?));
    }
    is_fraction(unsigned).then(|| text.parse::<f64>().ok().and_then(Number::from_f64)).flatten()
}

fn from_radix(digits: &str, radix: u32) -> Option<Number> {
    let only_digits = digits.chars().all(|c| c.is_digit(radix));
    only_digits.then(|| u64::from_str_radix(digits, radix).ok().map(Number::from)).flatten()
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_fraction(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part) && !(whole.is_empty() && part.is_empty()),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_fits && exponent_fits
}

fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_follow_the_core_schema() {
        let number = |value: serde_json::Value| match value {
            serde_json::Value::Number(number) => Some(Value::Number(number)),
            _ => None,
        };
        #[rustfmt::skip]
        let numbers = [
            ("0", json!(0)), ("-7", json!(-7)), ("+7", json!(7)), ("0x1F", json!(31)), ("0o17", json!(15)),
            ("1.5", json!(1.5)), (".5", json!(0.5)), ("2.", json!(2.0)), ("1e3", json!(1000.0)),
            ("-1.5E-1", json!(-0.15)), ("18446744073709551615", json!(u64::MAX)), ("007", json!(7)),
        ];
        for (text, value) in numbers {
            assert_eq!(resolve(text), number(value), "{text}");
        }
        for text in ["yes", "no", "on", "1.2.3", "2024-01-01", "0x", "0xfg", "1e", "e5", ".", "-", "+.", "1_000", "v1"]
        {
            assert_eq!(resolve(text), Some(Value::Text(text.to_owned())), "{text}");
        }
        assert_eq!(resolve("~"), Some(Value::Null));
        assert_eq!(resolve("True"), Some(Value::Flag(true)));
        assert_eq!(resolve("-.inf"), None);
        assert_eq!(resolve(".nan"), None);
    }
}
