//! Secret members of a JSON text, sealed in place: the literal is replaced by a sealed one, and every other byte stays.
//!
//! A sealed literal is a string that begins with [`SEAL`]. What somebody writes and what begins like that is sealed as
//! well, wherever it stands: so a stored literal that looks sealed is sealed, even where the rule that sealed it is gone.

use super::{KeyRing, Place};
use crate::error::{Error, Result};
use crate::jsontext::{Kind, Node, Pointer, Replacement, replaced};
use mainstay_api::RawJson;
use secrecy::{ExposeSecret, SecretString};
use std::collections::{HashMap, HashSet};

/// What is shown in the place of a secret, and put back to keep it.
pub const MASK: &str = "********";
/// The literal of [`MASK`].
const MASK_LITERAL: &str = "\"********\"";
/// How the literal of a sealed secret begins.
const SEAL: &str = "\"mss1.";
/// A member is secret where its name, in small letters and without what separates words, ends like this.
const SECRET_ENDINGS: &[&str] = &[
    "apikey",
    "accesskey",
    "accesskeyid",
    "secretkey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "clientkey",
    "masterkey",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credsbase64",
];

/// A step of a path to members that are secret by another rule than their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The member with this name.
    Name(String),
    /// Any member, or any element.
    Any,
}

/// Paths to members that are secret whatever their name is, such as those that a schema calls `writeOnly`.
pub type Marks = [Vec<Step>];

/// Where the secrets of a document belong, and what they are sealed with.
#[derive(Debug, Clone, Copy)]
pub struct Sealing<'a> {
    /// The keys; needed as soon as there is a secret.
    pub ring: Option<&'a KeyRing>,
    /// See [`Place::purpose`].
    pub purpose: &'a str,
    /// The document, among all of this purpose; each secret is bound to it and to its pointer.
    pub owner: &'a str,
    /// What is secret beside what is called so.
    pub marks: &'a Marks,
}

/// A document whose secrets are sealed.
#[derive(Debug)]
pub struct SealedJson {
    /// The text to store.
    pub stored: RawJson,
    /// The text that opens from it, for whoever must check it whole.
    pub opened: SecretString,
    /// The key that its secrets are sealed with; absent where it has none.
    pub seal_key: Option<String>,
}

/// Whether a member with this name is secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SECRET_ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// The stored text with a mask in the place of each secret.
///
/// # Errors
/// Those of [`Node::of`].
pub fn masked(stored: &RawJson) -> Result<RawJson> {
    rewritten(stored, |_, _| Ok(MASK_LITERAL.to_owned()))
}

/// Whether anything in a stored text is sealed.
///
/// # Errors
/// Those of [`Node::of`].
pub fn has_secrets(stored: &RawJson) -> Result<bool> {
    Ok(!seals(stored)?.is_empty())
}

/// The places of a stored text at which something is sealed, as JSON Pointers.
///
/// # Errors
/// Those of [`Node::of`].
pub fn secret_pointers(stored: &RawJson) -> Result<HashSet<String>> {
    Ok(seals(stored)?.into_keys().collect())
}

impl Sealing<'_> {
    /// Seals the secrets of a text with the primary key: strings and numbers that stand under a secret name or mark, at
    /// any depth. An empty string tells nothing and stays. Where the mask stands and `before`, as it is stored, has a
    /// secret in the same place, that secret is kept.
    ///
    /// # Errors
    /// `request.invalid` where the mask stands in a secret place without a secret to keep, or within an element of an array that was
    /// otherwise changed or moved, for nobody knows whose secret it was; `secrets.key_missing` without a ring.
    pub fn seal(&self, text: &RawJson, before: Option<&RawJson>) -> Result<SealedJson> {
        let root = Node::of(text)?;
        let old = before.map(|stored| Old::of(stored, &root, text)).transpose()?;
        let mut scan = Scan { sealing: *self, text: text.as_str(), old, stored: Vec::new(), opened: Vec::new() };
        scan.visit(&root, &mut Spot::default())?;
        let stored = replaced(text.as_str(), &scan.stored);
        let opened = replaced(text.as_str(), &scan.opened);
        let seal_key = match (scan.stored.is_empty(), self.ring) {
            (false, Some(ring)) => Some(ring.primary().id.clone()),
            _ => None,
        };
        Ok(SealedJson { stored: json(&stored)?, opened: opened.into(), seal_key })
    }

    /// The text as it was before it was sealed, byte for byte.
    ///
    /// # Errors
    /// `secrets.key_missing`, `secrets.unreadable`.
    pub fn open(&self, stored: &RawJson) -> Result<SecretString> {
        rewritten(stored, |pointer, literal| self.open_literal(pointer, literal))
            .map(|opened| opened.as_str().to_owned().into())
    }

    /// The text to store of the same document, sealed with the primary key alone, and that key; no key where it has no
    /// secrets.
    ///
    /// # Errors
    /// Like [`Self::open`].
    pub fn reseal(&self, stored: &RawJson) -> Result<(RawJson, Option<String>)> {
        let text =
            rewritten(stored, |pointer, literal| self.seal_literal(pointer, &self.open_literal(pointer, literal)?))?;
        let seal_key = has_secrets(&text)?.then(|| self.ring.map(|ring| ring.primary().id.clone())).flatten();
        Ok((text, seal_key))
    }

    fn seal_literal(&self, pointer: &Pointer, literal: &str) -> Result<String> {
        let owner = self.owner_of(pointer);
        let place = Place { purpose: self.purpose, owner: &owner };
        Ok(format!("\"{}\"", self.ring()?.seal(place, literal.as_bytes())?))
    }

    fn open_literal(&self, pointer: &Pointer, literal: &str) -> Result<String> {
        let owner = self.owner_of(pointer);
        let place = Place { purpose: self.purpose, owner: &owner };
        let opened = self.ring()?.open(place, literal.trim_matches('"'))?;
        String::from_utf8(opened.expose_secret().clone()).map_err(|_| super::unreadable("it is not UTF-8"))
    }

    fn owner_of(&self, pointer: &Pointer) -> String {
        format!("{}#{pointer}", self.owner)
    }

    fn ring(&self) -> Result<&KeyRing> {
        super::needed(self.ring, "there is no key ring to seal secrets with")
    }

    fn is_marked(&self, pointer: &Pointer) -> bool {
        let fits = |mark: &[Step]| {
            let steps = pointer.segments();
            // What is beneath a mark is secret with it.
            mark.len() <= steps.len()
                && mark.iter().zip(steps).all(|(step, segment)| match step {
                    Step::Any => true,
                    Step::Name(name) => name == segment,
                })
        };
        self.marks.iter().any(|mark| fits(mark))
    }
}

/// What is stored of the document before this one.
struct Old {
    seals: HashMap<String, String>,
    /// The pointers of elements of arrays that are the same as before but for the secrets behind their masks.
    same: HashSet<String>,
}

impl Old {
    fn of(stored: &RawJson, new: &Node, text: &RawJson) -> Result<Self> {
        let hidden = masked(stored)?;
        let mut old = Self { seals: seals(stored)?, same: HashSet::new() };
        let before = Node::of(&hidden)?;
        old.compare(&Pointer::default(), (&before, hidden.as_str()), (new, text.as_str()));
        Ok(old)
    }

    /// Finds the outermost elements of arrays that stand where they stood, with the same masked text.
    fn compare(&mut self, at: &Pointer, before: (&Node, &str), after: (&Node, &str)) {
        match (&before.0.kind, &after.0.kind) {
            (Kind::Object(_), Kind::Object(members)) => {
                for member in members {
                    if let Some(known) = before.0.member(&member.name) {
                        self.compare(&at.with(&member.name), (&known.value, before.1), (&member.value, after.1));
                    }
                }
            }
            (Kind::Array(old), Kind::Array(new)) => {
                for (place, (old, new)) in old.iter().zip(new).enumerate() {
                    if squeezed(old, before.1) == squeezed(new, after.1) {
                        self.same.insert(at.with(place.to_string()).to_string());
                    }
                }
            }
            _ => {}
        }
    }
}

/// Where a scan is.
#[derive(Default, Clone)]
struct Spot {
    pointer: Pointer,
    secret: bool,
    /// The outermost element of an array that it is in.
    element: Option<String>,
}

struct Scan<'a> {
    sealing: Sealing<'a>,
    text: &'a str,
    old: Option<Old>,
    stored: Vec<Replacement>,
    opened: Vec<Replacement>,
}

impl Scan<'_> {
    fn visit(&mut self, node: &Node, spot: &mut Spot) -> Result<()> {
        match &node.kind {
            Kind::Object(members) => members.iter().try_for_each(|member| {
                let pointer = spot.pointer.with(&member.name);
                let secret = spot.secret || is_secret_name(&member.name) || self.sealing.is_marked(&pointer);
                self.visit(&member.value, &mut Spot { pointer, secret, element: spot.element.clone() })
            }),
            Kind::Array(elements) => elements.iter().enumerate().try_for_each(|(place, element)| {
                let pointer = spot.pointer.with(place.to_string());
                let secret = spot.secret || self.sealing.is_marked(&pointer);
                let outermost = spot.element.clone().unwrap_or_else(|| pointer.to_string());
                self.visit(element, &mut Spot { pointer, secret, element: Some(outermost) })
            }),
            Kind::Text | Kind::Number => self.scalar(node, spot),
            Kind::Word => Ok(()),
        }
    }

    fn scalar(&mut self, node: &Node, spot: &Spot) -> Result<()> {
        let literal = node.text(self.text);
        if literal == MASK_LITERAL {
            if let Some(kept) = self.kept(spot)? {
                let opened = self.sealing.open_literal(&spot.pointer, &kept)?;
                self.stored.push(Replacement {
                    span: node.span.clone(),
                    text: self.sealing.seal_literal(&spot.pointer, &opened)?,
                });
                self.opened.push(Replacement { span: node.span.clone(), text: opened });
                return Ok(());
            }
            if spot.secret {
                return Err(nothing_to_keep(&spot.pointer));
            }
        }
        let hidden = spot.secret && literal != "\"\"";
        if hidden || literal.starts_with(SEAL) {
            let text = self.sealing.seal_literal(&spot.pointer, literal)?;
            self.stored.push(Replacement { span: node.span.clone(), text });
        }
        Ok(())
    }

    /// The sealed literal that stood here before.
    fn kept(&self, spot: &Spot) -> Result<Option<String>> {
        let Some(old) = &self.old else { return Ok(None) };
        let Some(seal) = old.seals.get(&spot.pointer.to_string()) else { return Ok(None) };
        match &spot.element {
            Some(element) if !old.same.contains(element) => Err(element_changed(&spot.pointer, element)),
            _ => Ok(Some(seal.clone())),
        }
    }
}

/// The sealed literals of a stored text, by pointer.
fn seals(stored: &RawJson) -> Result<HashMap<String, String>> {
    let mut found = HashMap::new();
    rewritten(stored, |pointer, literal| {
        found.insert(pointer.to_string(), literal.to_owned());
        Ok(literal.to_owned())
    })?;
    Ok(found)
}

/// The stored text with something else in the place of each sealed literal.
fn rewritten(stored: &RawJson, mut write: impl FnMut(&Pointer, &str) -> Result<String>) -> Result<RawJson> {
    fn visit(
        node: &Node,
        at: &Pointer,
        text: &str,
        found: &mut impl FnMut(&Node, &Pointer, &str) -> Result<()>,
    ) -> Result<()> {
        match &node.kind {
            Kind::Object(members) => {
                members.iter().try_for_each(|member| visit(&member.value, &at.with(&member.name), text, found))
            }
            Kind::Array(elements) => (0..)
                .zip(elements)
                .try_for_each(|(place, element): (u32, _)| visit(element, &at.with(place.to_string()), text, found)),
            Kind::Text if node.text(text).starts_with(SEAL) => found(node, at, node.text(text)),
            _ => Ok(()),
        }
    }
    let mut replacements = Vec::new();
    visit(&Node::of(stored)?, &Pointer::default(), stored.as_str(), &mut |node, pointer, literal| {
        replacements.push(Replacement { span: node.span.clone(), text: write(pointer, literal)? });
        Ok(())
    })?;
    json(&replaced(stored.as_str(), &replacements))
}

/// The text of a value without the spaces around its parts.
fn squeezed(node: &Node, text: &str) -> String {
    match &node.kind {
        Kind::Object(members) => {
            let members = members.iter().map(|member| format!("{:?}:{}", member.name, squeezed(&member.value, text)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Kind::Array(elements) => {
            format!("[{}]", elements.iter().map(|element| squeezed(element, text)).collect::<Vec<_>>().join(","))
        }
        _ => node.text(text).to_owned(),
    }
}

fn json(text: &str) -> Result<RawJson> {
    RawJson::parse(text).map_err(|e| Error::bug(format!("a sealed document is no JSON: {e}")))
}

fn nothing_to_keep(pointer: &Pointer) -> Error {
    Error::invalid(format!(
        "{pointer} holds the mask {MASK}, but no secret stands there to be kept; give the secret itself"
    ))
}

fn element_changed(pointer: &Pointer, element: &str) -> Error {
    Error::invalid(format!(
        "{pointer} holds the mask {MASK}, but the element {element} was changed or moved, so that it is not certain whose secret it \
         was; give the secret itself"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_api::Code;

    fn raw(text: &str) -> RawJson {
        RawJson::parse(text).unwrap()
    }

    fn sealing(ring: &KeyRing) -> Sealing<'_> {
        Sealing { ring: Some(ring), purpose: "document", owner: "default/settings/main", marks: &[] }
    }

    const TEXT: &str = r#"{ "OPENAI_API_KEY" : "sk-\u0041\/1", "n": 12345678901234567, "list": [ ],
        "nested": {"clientSecret":"s","note":"n"}, "password": 4711, "refresh_token":"", "max_tokens": 5, "apiKey":null }"#;

    #[test]
    fn secrets_are_sealed_in_place_and_open_byte_for_byte() {
        let ring = KeyRing::generate().unwrap();
        let sealed = sealing(&ring).seal(&raw(TEXT), None).unwrap();
        let stored = sealed.stored.as_str();
        for secret in ["sk-", "\"s\"", "4711"] {
            assert!(!stored.contains(secret), "{secret} in {stored}");
        }
        assert!(stored.contains(r#""n": 12345678901234567, "list": [ ],"#), "{stored}");
        assert_eq!(sealing(&ring).open(&sealed.stored).unwrap().expose_secret(), TEXT);
        assert_eq!((sealed.opened.expose_secret(), sealed.seal_key), (TEXT, Some(ring.primary().id.clone())));
        let shown = masked(&sealed.stored).unwrap();
        assert_eq!(shown.as_str().matches(MASK_LITERAL).count(), 3, "{shown:?}");
        let elsewhere = Sealing { owner: "default/settings/other", ..sealing(&ring) };
        assert_eq!(elsewhere.open(&sealed.stored).unwrap_err().code(), Code::SecretsUnreadable);
    }

    #[test]
    fn a_mask_that_is_put_back_keeps_the_secret() {
        let ring = KeyRing::generate().unwrap();
        let stored = sealing(&ring).seal(&raw(TEXT), None).unwrap().stored;
        let changed = masked(&stored).unwrap().as_str().replace("\"note\":\"n\"", "\"note\":\"m\"");
        let rotated = ring.rotated().unwrap();
        let again = sealing(&rotated).seal(&raw(&changed), Some(&stored)).unwrap();
        assert_eq!(again.opened.expose_secret(), TEXT.replace("\"note\":\"n\"", "\"note\":\"m\""));
        assert_eq!(again.seal_key, Some(rotated.primary().id.clone()));
        let alone = rotated.without(&ring.primary().id).unwrap();
        assert_eq!(sealing(&alone).open(&again.stored).unwrap().expose_secret(), again.opened.expose_secret());
    }

    #[test]
    fn a_mask_without_a_secret_behind_it_is_refused_where_one_belongs() {
        let ring = KeyRing::generate().unwrap();
        let mask = raw(r#"{"api_key":"********"}"#);
        assert_eq!(sealing(&ring).seal(&mask, None).unwrap_err().code(), Code::InvalidRequest);
        assert!(sealing(&ring).seal(&mask, Some(&raw(r#"{"api_key":""}"#))).is_err());
        let plain = raw(r#"{"note":"********"}"#);
        assert_eq!(sealing(&ring).seal(&plain, None).unwrap().stored, plain);
    }

    #[test]
    fn a_secret_in_an_array_is_kept_only_with_its_element() {
        let ring = KeyRing::generate().unwrap();
        let list = raw(r#"[{"id":1,"token":"a"},{"id":2,"token":"b"}]"#);
        let stored = sealing(&ring).seal(&list, None).unwrap().stored;
        let shown = r#"[ {"id":1, "token":"********"},{"id":2,"token":"********"},{"id":3,"token":"c"}]"#;
        let kept = sealing(&ring).seal(&raw(shown), Some(&stored)).unwrap();
        assert_eq!(kept.opened.expose_secret().matches("\"b\"").count(), 1);
        let moved = raw(r#"[{"id":2,"token":"********"}]"#);
        assert_eq!(sealing(&ring).seal(&moved, Some(&stored)).unwrap_err().code(), Code::InvalidRequest);
    }

    #[test]
    fn what_is_marked_or_looks_sealed_is_sealed_wherever_it_stands() {
        let ring = KeyRing::generate().unwrap();
        let marks = [vec![Step::Name("a".into()), Step::Any, Step::Name("x".into())]];
        let text = raw(r#"{"a":[{"x":["1"],"y":"2"}],"b":"mss1.k.v"}"#);
        let sealing = Sealing { marks: &marks, ..sealing(&ring) };
        let stored = sealing.seal(&text, None).unwrap().stored;
        assert_eq!(masked(&stored).unwrap().as_str(), r#"{"a":[{"x":["********"],"y":"2"}],"b":"********"}"#);
        assert_eq!(sealing.open(&stored).unwrap().expose_secret(), text.as_str());
    }

    #[test]
    fn a_document_is_sealed_anew_with_the_primary_key() {
        let ring = KeyRing::generate().unwrap();
        let stored = sealing(&ring).seal(&raw(TEXT), None).unwrap().stored;
        let rotated = ring.rotated().unwrap();
        let (again, seal_key) = sealing(&rotated).reseal(&stored).unwrap();
        let alone = rotated.without(&ring.primary().id).unwrap();
        assert_eq!(sealing(&alone).open(&again).unwrap().expose_secret(), TEXT);
        assert_eq!(seal_key, Some(rotated.primary().id.clone()));
    }

    #[test]
    fn without_a_ring_only_what_has_no_secrets_is_taken() {
        let bare = Sealing { ring: None, purpose: "document", owner: "o", marks: &[] };
        assert!(bare.seal(&raw(r#"{"a":[]}"#), None).unwrap().seal_key.is_none());
        assert_eq!(bare.seal(&raw(r#"{"token":"t"}"#), None).unwrap_err().code(), Code::SecretsKeyMissing);
    }
}
