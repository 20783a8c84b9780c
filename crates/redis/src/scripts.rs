//! The Lua scripts: one file per operation, shared fragments flattened in.

use std::sync::LazyLock;

/// A script, known to the server by the SHA-1 of its text.
pub(crate) struct Script {
    /// What it is called in messages.
    pub name: &'static str,
    text: LazyLock<redis::Script>,
    source: fn() -> String,
}

impl Script {
    /// The digest under which the server knows it.
    pub fn sha1(&self) -> &str {
        self.text.get_hash()
    }

    /// The whole text, for a server that does not know it yet.
    pub fn source(&self) -> String {
        (self.source)()
    }
}

macro_rules! scripts {
    ($($constant:ident = $name:literal;)*) => {
        $(
            pub(crate) static $constant: Script = Script {
                name: $name,
                text: LazyLock::new(|| redis::Script::new(&flatten(include_str!(concat!("../scripts/", $name, ".lua"))))),
                source: || flatten(include_str!(concat!("../scripts/", $name, ".lua"))),
            };
        )*
    };
}

scripts! {
    AUDIT_APPEND = "audit/append";
    AUDIT_STATE = "audit/state";
    AUDIT_PAGE = "audit/page";
    AUDIT_TRIM = "audit/trim";
    CONNECTIONS_OPEN = "connections/open";
    CONNECTIONS_CLAIM = "connections/claim";
    CONNECTIONS_FIND = "connections/find";
    CONNECTIONS_LET_GO = "connections/let_go";
    CONNECTIONS_CLOSE = "connections/close";
    CONNECTIONS_SEND = "connections/send";
    CONNECTIONS_RECEIVE = "connections/receive";
    CONVERSATIONS_CREATE = "conversations/create";
    CONVERSATIONS_FIND = "conversations/find";
    CONVERSATIONS_TOUCH = "conversations/touch";
    CONVERSATIONS_LIST = "conversations/list";
    CONVERSATIONS_APPEND = "conversations/append";
    CONVERSATIONS_RECALL = "conversations/recall";
    CONVERSATIONS_MESSAGES = "conversations/messages";
    CONVERSATIONS_PATCH = "conversations/patch";
    CONVERSATIONS_DELETE = "conversations/delete";
    CONVERSATIONS_ERASE = "conversations/erase";
    CONVERSATIONS_TAKE_TURN = "conversations/take_turn";
    CONVERSATIONS_MOVE_TURN = "conversations/move_turn";
    CONVERSATIONS_FORK_COPY = "conversations/fork_copy";
    CONVERSATIONS_FORK_PUBLISH = "conversations/fork_publish";
    CREDENTIALS_BEGIN = "credentials/begin";
    CREDENTIALS_DUE = "credentials/due";
    CREDENTIALS_FAIL = "credentials/fail";
    CREDENTIALS_PUT = "credentials/put";
    CREDENTIALS_READ = "credentials/read";
    CREDENTIALS_REMOVE = "credentials/remove";
    CREDENTIALS_RESEAL = "credentials/reseal";
    CREDENTIALS_SEALS = "credentials/seals";
    DOCUMENTS_TRANSACT = "documents/transact";
    DOCUMENTS_DOCUMENT = "documents/document";
    DOCUMENTS_DOCUMENTS = "documents/documents";
    DOCUMENTS_COLLECTIONS = "documents/collections";
    DOCUMENTS_HISTORY = "documents/history";
    DOCUMENTS_CHANGES = "documents/changes";
    DOCUMENTS_HEAD = "documents/head";
    DOCUMENTS_SEAL_KEYS = "documents/seal_keys";
    DOCUMENTS_SEALED = "documents/sealed";
    DOCUMENTS_RESEAL = "documents/reseal";
    DOCUMENTS_PURGE = "documents/purge";
    EVENTS_PUBLISH = "events/publish";
    EVENTS_PURGE = "events/purge";
    EVENTS_READ = "events/read";
    EVENTS_STATE = "events/state";
    GROUPS_ACKNOWLEDGE = "groups/acknowledge";
    GROUPS_BURY = "groups/bury";
    GROUPS_CREATE = "groups/create";
    GROUPS_DEAD = "groups/dead";
    GROUPS_FORGET = "groups/forget";
    GROUPS_KEEP = "groups/keep";
    GROUPS_NAMES = "groups/names";
    GROUPS_RELEASE = "groups/release";
    GROUPS_REMOVE = "groups/remove";
    GROUPS_REVIVE = "groups/revive";
    GROUPS_STATE = "groups/state";
    GROUPS_TAKE = "groups/take";
    IDENTITY_INSERT_USER = "identity/insert_user";
    IDENTITY_USER = "identity/user";
    IDENTITY_USERS = "identity/users";
    IDENTITY_REPLACE_USER = "identity/replace_user";
    IDENTITY_REMOVE_USER = "identity/remove_user";
    IDENTITY_SEAL_KEYS = "identity/seal_keys";
    IDENTITY_OPEN_SESSION = "identity/open_session";
    IDENTITY_USE_SESSION = "identity/use_session";
    IDENTITY_SESSIONS = "identity/sessions";
    IDENTITY_END_SESSIONS = "identity/end_sessions";
    IDENTITY_INSERT_KEY = "identity/insert_key";
    IDENTITY_KEY = "identity/key";
    IDENTITY_KEYS = "identity/keys";
    IDENTITY_REMOVE_KEY = "identity/remove_key";
    IDENTITY_GUESS = "identity/guess";
    IDENTITY_PUT_CHALLENGE = "identity/put_challenge";
    IDENTITY_ANSWER = "identity/answer";
    KEYS_ADMIT = "keys/admit";
    KEYS_CHANGE = "keys/change";
    KEYS_CREATE = "keys/create";
    KEYS_FIND = "keys/find";
    KEYS_INDEX_ADD = "keys/index_add";
    KEYS_INDEX_DROP = "keys/index_drop";
    KEYS_INDEX_LIST = "keys/index_list";
    KEYS_INDEX_SEAL = "keys/index_seal";
    KEYS_POST = "keys/post";
    KEYS_REMOVE = "keys/remove";
    KEYS_SETTLE = "keys/settle";
    KEYS_TIDY = "keys/tidy";
    KEYS_USAGE = "keys/usage";
    KEYS_WITHDRAW = "keys/withdraw";
    MAIL_APPEND = "mail/append";
    MAIL_RECALL = "mail/recall";
    MAIL_MERGE = "mail/merge";
    MAIL_FIND = "mail/find";
    MAIL_LIST = "mail/list";
    MAIL_TAIL = "mail/tail";
    MAIL_ACKNOWLEDGE = "mail/acknowledge";
    MAIL_MARK_READ = "mail/mark_read";
    MAIL_JOIN = "mail/join";
    MAIL_COUNTS = "mail/counts";
    MAIL_STATS = "mail/stats";
    MAIL_PURGE = "mail/purge";
    PRESENCE_REGISTER = "presence/register";
    PRESENCE_BEAT = "presence/beat";
    PRESENCE_LIST = "presence/list";
    PRESENCE_UNREGISTER = "presence/unregister";
    PRESENCE_PURGE = "presence/purge";
    PROVIDERS_ADD_COUNTS = "providers/add_counts";
    PROVIDERS_CHANGE = "providers/change";
    PROVIDERS_CHECK = "providers/check";
    PROVIDERS_CHOOSE = "providers/choose";
    PROVIDERS_CLAIM_CHECK = "providers/claim_check";
    PROVIDERS_FINISH = "providers/finish";
    PROVIDERS_POOL_READ = "providers/pool_read";
    PROVIDERS_RENEW = "providers/renew";
    PROVIDERS_RESET = "providers/reset";
    PROVIDERS_SEALS = "providers/seals";
    PROVIDERS_RESEAL = "providers/reseal";
    PROVIDERS_STAND = "providers/stand";
    PROVIDERS_SUMMARY = "providers/summary";
    ROOMS_ENTER = "rooms/enter";
    ROOMS_RENEW = "rooms/renew";
    ROOMS_LEAVE = "rooms/leave";
    ROOMS_OCCUPANTS_LIST = "rooms/occupants_list";
    ROOMS_CONNECTIONS_OF = "rooms/connections_of";
    ROOMS_ADMIT = "rooms/admit";
    ROOMS_DISMISS = "rooms/dismiss";
    ROOMS_MEMBERSHIP = "rooms/membership";
    ROOMS_MEMBERS_LIST = "rooms/members_list";
    ROOMS_PURGE = "rooms/purge";
    TRANSPORT_READ = "transport/read";
    TRANSPORT_SET = "transport/set";
}

/// Fragments that scripts include.
const FRAGMENTS: [(&str, &str); 24] = [
    ("shared/keys", include_str!("../scripts/shared/keys.lua")),
    ("audit/chain", include_str!("../scripts/audit/chain.lua")),
    ("connections/connection", include_str!("../scripts/connections/connection.lua")),
    ("conversations/beginning", include_str!("../scripts/conversations/beginning.lua")),
    ("conversations/records", include_str!("../scripts/conversations/records.lua")),
    ("conversations/requests", include_str!("../scripts/conversations/requests.lua")),
    ("documents/committing", include_str!("../scripts/documents/committing.lua")),
    ("documents/records", include_str!("../scripts/documents/records.lua")),
    ("events/log", include_str!("../scripts/events/log.lua")),
    ("events/unread", include_str!("../scripts/events/unread.lua")),
    ("groups/work", include_str!("../scripts/groups/work.lua")),
    ("credentials/state", include_str!("../scripts/credentials/state.lua")),
    ("identity/state", include_str!("../scripts/identity/state.lua")),
    ("keys/key", include_str!("../scripts/keys/key.lua")),
    ("mail/memo", include_str!("../scripts/mail/memo.lua")),
    ("mail/messages", include_str!("../scripts/mail/messages.lua")),
    ("mail/deliveries", include_str!("../scripts/mail/deliveries.lua")),
    ("mail/rows", include_str!("../scripts/mail/rows.lua")),
    ("presence/instances", include_str!("../scripts/presence/instances.lua")),
    ("providers/circuit", include_str!("../scripts/providers/circuit.lua")),
    ("providers/pool", include_str!("../scripts/providers/pool.lua")),
    ("providers/showing", include_str!("../scripts/providers/showing.lua")),
    ("rooms/members", include_str!("../scripts/rooms/members.lua")),
    ("rooms/occupants", include_str!("../scripts/rooms/occupants.lua")),
];

/// Puts the fragments in the place of their `--@include` lines and drops whole-line comments, which the server
/// would only have to keep.
fn flatten(source: &str) -> String {
    let mut flat = String::with_capacity(source.len() * 4);
    for line in source.lines() {
        match line.strip_prefix("--@include ") {
            Some(name) => {
                let fragment = FRAGMENTS.iter().find(|(known, _)| *known == name.trim()).map(|(_, text)| *text);
                flat.push_str(&flatten(fragment.unwrap_or_default()));
            }
            None if line.trim_start().starts_with("--") || line.trim().is_empty() => {}
            None => {
                flat.push_str(line);
                flat.push('\n');
            }
        }
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_include_names_a_fragment() {
        let all = [
            &AUDIT_APPEND,
            &AUDIT_STATE,
            &AUDIT_PAGE,
            &AUDIT_TRIM,
            &CONNECTIONS_OPEN,
            &CONNECTIONS_CLAIM,
            &CONNECTIONS_FIND,
            &CONNECTIONS_LET_GO,
            &CONNECTIONS_CLOSE,
            &CONNECTIONS_SEND,
            &CONNECTIONS_RECEIVE,
            &CONVERSATIONS_CREATE,
            &CONVERSATIONS_FIND,
            &CONVERSATIONS_TOUCH,
            &CONVERSATIONS_LIST,
            &CONVERSATIONS_APPEND,
            &CONVERSATIONS_RECALL,
            &CONVERSATIONS_MESSAGES,
            &CONVERSATIONS_PATCH,
            &CONVERSATIONS_DELETE,
            &CONVERSATIONS_ERASE,
            &CONVERSATIONS_TAKE_TURN,
            &CONVERSATIONS_MOVE_TURN,
            &CONVERSATIONS_FORK_COPY,
            &CONVERSATIONS_FORK_PUBLISH,
            &CREDENTIALS_BEGIN,
            &CREDENTIALS_DUE,
            &CREDENTIALS_FAIL,
            &CREDENTIALS_PUT,
            &CREDENTIALS_READ,
            &CREDENTIALS_REMOVE,
            &CREDENTIALS_RESEAL,
            &CREDENTIALS_SEALS,
            &DOCUMENTS_TRANSACT,
            &DOCUMENTS_DOCUMENT,
            &DOCUMENTS_DOCUMENTS,
            &DOCUMENTS_COLLECTIONS,
            &DOCUMENTS_HISTORY,
            &DOCUMENTS_CHANGES,
            &DOCUMENTS_HEAD,
            &DOCUMENTS_SEAL_KEYS,
            &DOCUMENTS_SEALED,
            &DOCUMENTS_RESEAL,
            &DOCUMENTS_PURGE,
            &EVENTS_PUBLISH,
            &EVENTS_PURGE,
            &EVENTS_READ,
            &EVENTS_STATE,
            &GROUPS_ACKNOWLEDGE,
            &GROUPS_BURY,
            &GROUPS_CREATE,
            &GROUPS_DEAD,
            &GROUPS_FORGET,
            &GROUPS_KEEP,
            &GROUPS_NAMES,
            &GROUPS_RELEASE,
            &GROUPS_REMOVE,
            &GROUPS_REVIVE,
            &GROUPS_STATE,
            &GROUPS_TAKE,
            &KEYS_ADMIT,
            &KEYS_CHANGE,
            &KEYS_CREATE,
            &KEYS_FIND,
            &KEYS_INDEX_ADD,
            &KEYS_INDEX_DROP,
            &KEYS_INDEX_LIST,
            &KEYS_INDEX_SEAL,
            &KEYS_POST,
            &KEYS_REMOVE,
            &KEYS_SETTLE,
            &KEYS_TIDY,
            &KEYS_USAGE,
            &KEYS_WITHDRAW,
            &MAIL_APPEND,
            &MAIL_RECALL,
            &MAIL_MERGE,
            &MAIL_FIND,
            &MAIL_LIST,
            &MAIL_TAIL,
            &MAIL_ACKNOWLEDGE,
            &MAIL_MARK_READ,
            &MAIL_JOIN,
            &MAIL_COUNTS,
            &MAIL_STATS,
            &MAIL_PURGE,
            &PRESENCE_REGISTER,
            &PRESENCE_BEAT,
            &PRESENCE_LIST,
            &PRESENCE_UNREGISTER,
            &PRESENCE_PURGE,
            &PROVIDERS_ADD_COUNTS,
            &PROVIDERS_CHANGE,
            &PROVIDERS_CHECK,
            &PROVIDERS_CHOOSE,
            &PROVIDERS_CLAIM_CHECK,
            &PROVIDERS_FINISH,
            &PROVIDERS_POOL_READ,
            &PROVIDERS_RENEW,
            &PROVIDERS_RESET,
            &PROVIDERS_RESEAL,
            &PROVIDERS_SEALS,
            &PROVIDERS_STAND,
            &PROVIDERS_SUMMARY,
            &ROOMS_ENTER,
            &ROOMS_RENEW,
            &ROOMS_LEAVE,
            &ROOMS_OCCUPANTS_LIST,
            &ROOMS_CONNECTIONS_OF,
            &ROOMS_ADMIT,
            &ROOMS_DISMISS,
            &ROOMS_MEMBERSHIP,
            &ROOMS_MEMBERS_LIST,
            &ROOMS_PURGE,
            &TRANSPORT_READ,
            &TRANSPORT_SET,
        ];
        for script in all {
            let file = format!("{}/scripts/{}.lua", env!("CARGO_MANIFEST_DIR"), script.name);
            let text = std::fs::read_to_string(file).unwrap();
            for name in text.lines().filter_map(|line| line.strip_prefix("--@include ")) {
                assert!(FRAGMENTS.iter().any(|(known, _)| *known == name), "{}: {name}", script.name);
            }
            assert!(text.contains("-- KEYS[1]") && text.contains("-- Returns"), "{} lacks its header", script.name);
            assert!(script.source().contains("string.sub(KEYS[1], 1, -5)"), "{}", script.name);
            assert_eq!(script.sha1().len(), 40);
        }
    }
}
