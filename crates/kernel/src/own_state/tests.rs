use super::*;
use crate::store::Memory;

struct Desk {
    store: Memory,
    plugin: PluginId,
    other: PluginId,
    quota: Quota,
}

impl Desk {
    fn new() -> Self {
        let id = |name| PluginId::new(name).unwrap();
        Self { store: Memory::default(), plugin: id("a"), other: id("a.b"), quota: Quota { keys: 3, bytes: 100 } }
    }

    fn at(&self, now: i64) -> OwnState<'_> {
        OwnState { store: &self.store, plugin: &self.plugin, quota: self.quota, now }
    }

    fn of_other(&self) -> OwnState<'_> {
        OwnState { plugin: &self.other, ..self.at(0) }
    }
}

#[test]
fn what_is_written_is_read_listed_and_removed() {
    let desk = Desk::new();
    let state = desk.at(0);
    assert_eq!(state.get("k").unwrap(), None);
    for (key, value) in [("k/2", b"\0\xff".as_slice()), ("k/1", b""), ("ü", b"x")] {
        state.set(key, value, None).unwrap();
    }
    assert_eq!(state.get("k/2").unwrap().unwrap(), b"\0\xff");
    assert_eq!(state.get("k/1").unwrap().unwrap(), b"");
    assert_eq!(state.list("k/").unwrap(), ["k/1", "k/2"]);
    assert_eq!(state.list("").unwrap(), ["k/1", "k/2", "ü"]);
    state.delete("k/1").unwrap();
    state.delete("nothing").unwrap();
    assert_eq!(state.list("").unwrap(), ["k/2", "ü"]);
}

#[test]
fn no_plugin_sees_anothers_state() {
    let desk = Desk::new();
    desk.at(0).set("k", b"mine", None).unwrap();
    let other = desk.of_other();
    assert_eq!((other.get("k").unwrap(), other.list("").unwrap()), (None, Vec::new()));
    other.delete("k").unwrap();
    assert!(!other.compare_and_set("k", Some(b"mine"), b"theirs", None).unwrap());
    assert_eq!(desk.at(0).get("k").unwrap().unwrap(), b"mine");
}

#[test]
fn a_value_is_gone_when_its_time_is_over() {
    let desk = Desk::new();
    desk.at(1000).set("k", b"v", Some(500)).unwrap();
    assert_eq!(desk.at(1499).get("k").unwrap().unwrap(), b"v");
    assert_eq!(desk.at(1500).get("k").unwrap(), None);
    assert!(desk.at(1500).list("").unwrap().is_empty());
    assert!(desk.at(1500).compare_and_set("k", None, b"w", None).unwrap(), "there is none");
    assert_eq!(desk.at(i64::MAX - 1).get("k").unwrap().unwrap(), b"w", "the time to live went with the old value");
}

#[test]
fn compare_and_set_writes_only_over_what_is_expected() {
    let desk = Desk::new();
    let state = desk.at(0);
    assert!(!state.compare_and_set("k", Some(b"1"), b"2", None).unwrap());
    assert!(state.compare_and_set("k", None, b"1", None).unwrap());
    assert!(!state.compare_and_set("k", None, b"2", None).unwrap());
    assert!(state.compare_and_set("k", Some(b"1"), b"2", None).unwrap());
    assert_eq!(state.get("k").unwrap().unwrap(), b"2");
}

#[test]
fn beyond_the_quota_nothing_is_written_and_what_is_over_makes_room() {
    let desk = Desk::new();
    let state = desk.at(0);
    state.set("a", &[0; 49], None).unwrap();
    state.set("b", &[0; 49], Some(10)).unwrap();
    let error = state.set("c", b"", None).unwrap_err();
    assert_eq!((error.code(), &error.record().data["which"]), (Code::LimitExceeded, &"state_bytes".into()));
    assert_eq!(state.list("").unwrap(), ["a", "b"]);
    // The same again is no more than before.
    state.set("a", &[1; 49], None).unwrap();
    assert_eq!(state.set("a", &[1; 50], None).unwrap_err().code(), Code::LimitExceeded);
    assert_eq!(state.get("a").unwrap().unwrap(), [1; 49]);
    let later = desk.at(10);
    later.set("c", b"", None).unwrap();
    later.set("d", b"", None).unwrap();
    let error = later.set("e", b"", None).unwrap_err();
    assert_eq!(error.record().data["which"], "state_keys");
    desk.of_other().set("e", &[0; 90], None).unwrap();
}

#[test]
fn keys_have_a_length() {
    let desk = Desk::new();
    for key in [String::new(), "k".repeat(defaults::STATE_KEY + 1)] {
        assert_eq!(desk.at(0).set(&key, b"", None).unwrap_err().code(), Code::InvalidInput);
    }
}
