//! The form of a token: three parts of base64url, of which the first two are JSON objects. Nothing here is trusted yet.

use super::refusal::invalid;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_core::Result;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Types of tokens (`typ`) that give access. A token of another type, such as one that announces a logout, is signed
/// by the same keys and must not pass for one of these.
const ACCESS_TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// A token taken apart.
pub(super) struct Compact<'a> {
    /// The algorithm that it says it is signed with.
    pub alg: String,
    /// The key that it says it is signed with.
    pub kid: Option<String>,
    /// What it says.
    pub claims: Map<String, Value>,
    /// What is signed: the first two parts as they came.
    pub signed: &'a [u8],
    /// The signature, in base64url.
    pub signature: &'a str,
}

impl<'a> Compact<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// `auth.credential_invalid`: it has not the form, names a member twice, is of a type that gives no access, or
    /// demands the knowledge of an extension (`crit`).
    pub fn parse(token: &'a str) -> Result<Self> {
        let form = || invalid("it is not three parts of base64url");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(form)?;
        let (header, claims) = signed.split_once('.').ok_or_else(form)?;
        if claims.contains('.') || signature.is_empty() {
            return Err(form());
        }
        let mut header = object(header, "header")?;
        if header.contains_key("crit") {
            return Err(invalid("its header demands an extension (crit), and this server knows none"));
        }
        check_type(header.get("typ"))?;
        let alg = match header.remove("alg") {
            Some(Value::String(alg)) => alg,
            _ => return Err(invalid("its header names no algorithm")),
        };
        let kid = match header.remove("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid),
            Some(_) => return Err(invalid("its header names the key by something that is no text")),
        };
        let claims = object(claims, "claims")?;
        if claims.get("iss").is_some_and(|issuer| !issuer.is_string()) {
            return Err(invalid("its claim iss is no text"));
        }
        Ok(Self { alg, kid, claims, signed: signed.as_bytes(), signature })
    }

    /// The issuer that the token says it is of.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }
}

fn check_type(typ: Option<&Value>) -> Result<()> {
    let Some(typ) = typ else { return Ok(()) };
    let name = typ.as_str().unwrap_or_default().to_ascii_lowercase();
    if ACCESS_TYPES.contains(&name.strip_prefix("application/").unwrap_or(&name)) {
        return Ok(());
    }
    Err(invalid("its type (typ) is not one that gives access"))
}

fn object(part: &str, what: &str) -> Result<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| invalid(format!("its {what} part is not base64url")))?;
    match serde_json::from_slice(&bytes) {
        Ok(Distinct(Value::Object(object))) => Ok(object),
        _ => Err(invalid(format!("its {what} part is not a JSON object in which each name stands once"))),
    }
}

/// JSON in which no object names a member twice: two readers of such an object may each see another value.
struct Distinct(Value);

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(Distinct(item)) = items.next_element()? {
                    list.push(item);
                }
                Ok(list.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
                let mut object = Map::new();
                while let Some((name, Distinct(value))) = members.next_entry::<String, _>()? {
                    if object.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name stands twice"));
                    }
                }
                Ok(object.into())
            }
        }

        deserializer.deserialize_any(Any).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_is_three_parts_of_which_two_are_objects() {
        let whole = token(r#"{"alg":"ES256","kid":"k","typ":"at+JWT"}"#, r#"{"iss":"i","n":[1,{"x":null}]}"#);
        let parsed = Compact::parse(&whole).unwrap();
        assert_eq!((parsed.alg.as_str(), parsed.kid.as_deref(), parsed.issuer()), ("ES256", Some("k"), Some("i")));
        assert_eq!(parsed.signed, whole.rsplit_once('.').unwrap().0.as_bytes());
        let padded = format!("{}=.e30.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#));
        for broken in ["", ".", "..", "a.b", "a.b.c.d", "e30.e30.", "e30.e30.c2ln", &padded, &token("[]", "{}")] {
            assert!(Compact::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_at_any_depth() {
        let header = r#"{"alg":"ES256"}"#;
        for claims in [r#"{"sub":"a","sub":"b"}"#, r#"{"x":[{"y":1,"y":2}]}"#] {
            assert!(Compact::parse(&token(header, claims)).is_err(), "{claims}");
        }
        assert!(Compact::parse(&token(r#"{"alg":"none","alg":"ES256"}"#, "{}")).is_err());
    }

    #[test]
    fn extensions_and_types_that_give_no_access_are_refused() {
        for header in [
            r#"{"alg":"ES256","crit":["exp"]}"#,
            r#"{"alg":"ES256","typ":"logout+jwt"}"#,
            r#"{"alg":"ES256","typ":7}"#,
            r#"{"alg":"ES256","kid":7}"#,
            r#"{"alg":["ES256"]}"#,
            r#"{"typ":"JWT"}"#,
        ] {
            assert!(Compact::parse(&token(header, "{}")).is_err(), "{header}");
        }
        assert!(Compact::parse(&token(r#"{"alg":"ES256"}"#, r#"{"iss":["i"]}"#)).is_err());
    }
}
