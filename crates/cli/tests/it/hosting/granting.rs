//! What plugins are granted for good.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::Place;

/// A plugin that keeps something when it is started and says whether it may; with `must`, it does not start otherwise.
fn keeper(place: &Place, asks: &[&str], must: bool) -> String {
    let folder = place.path("plugins/keeper");
    fs::create_dir_all(&folder).unwrap();
    let otherwise = if must { "throw error;" } else { "console.log(`refused: ${error.message}`);" };
    let code = format!(
        "export default {{ async onStart(ctx) {{ try {{ await ctx.state.set('k', 'v'); console.log('kept'); }} \
         catch (error) {{ {otherwise} }} }}, actions: {{ who() {{ return 'keeper'; }} }} }};"
    );
    fs::write(folder.join("plugin.js"), code).unwrap();
    let manifest = json!({
        "id": "keeper", "name": "K", "version": "1.0.0", "entry": { "runtime": "js", "main": "plugin.js" },
        "actions": ["who"], "permissions": asks,
    });
    fs::write(folder.join("plugin.json"), manifest.to_string()).unwrap();
    folder.display().to_string()
}

/// How often something was denied in the host.
fn denials(place: &Place) -> u64 {
    place.json(&["bus", "stats"])["published_by_type"]["plugin.permission_denied"].as_u64().unwrap_or(0)
}

fn granted(place: &Place) -> Value {
    place.json(&["grants", "keeper"])["plugins"][0]["granted"].clone()
}

#[test]
fn what_is_granted_counts_at_once_and_in_the_next_host_until_it_is_taken_back() {
    let place = Place::new();
    let mut host = place.host(&[]);
    let done = place.run(&["install", &keeper(&place, &["state.write"], false)]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stderr.contains("midplane grant keeper 'state.write'"), "{done:?}");
    host.hears("refused: `keeper` may not do `state.write");
    let text = place.run(&["grants"]).text();
    assert_eq!(text, "keeper\n  asks for  state.write  not granted\n");
    let done = place.run(&["grant", "keeper", "state.write", "file.read"]);
    assert_eq!((done.code, done.text().as_str()), (0, "keeper has state.write, file.read for good\n"), "{done:?}");
    assert!(done.stderr.contains("does not ask for 'file.read'"), "{done:?}");
    assert_eq!(place.run(&["grant", "keeper", "state.write"]).text(), "keeper had that already\n");
    place.json(&["restart", "keeper"]);
    host.hears("kept");
    assert_eq!(host.ends(Signal::INT), 130);
    let mut host = place.host(&[]);
    host.hears("kept");
    let shown = place.run(&["grants", "keeper"]).text();
    let rows = [
        "keeper",
        "  asks for  state.write  granted",
        "  has       file.read    for good",
        "  has       state.write  for good",
        "",
    ];
    assert_eq!(shown, rows.join("\n"));
    let before = denials(&place);
    let done = place.json(&["grant", "keeper", "!state.*"]);
    assert_eq!((&done["added"], &done["asked"][0]["standing"]), (&json!(["!state.*"]), &json!("denied")));
    let done = place.run(&["grant", "keeper", "state.write"]);
    assert!(done.stderr.contains("state.write stays denied"), "{done:?}");
    place.json(&["restart", "keeper"]);
    assert_eq!(denials(&place), before + 1);
    assert_eq!(place.run(&["revoke", "keeper", "!state.*"]).text(), "keeper has !state.* no longer\n");
    place.json(&["restart", "keeper"]);
    assert_eq!(denials(&place), before + 1);
    assert_eq!(place.json(&["revoke", "keeper", "--all"])["removed"], json!(["file.read", "state.write"]));
    place.json(&["restart", "keeper"]);
    assert_eq!(denials(&place), before + 2);
    assert_eq!(place.run(&["revoke", "keeper", "--all"]).text(), "keeper had nothing for good\n");
}

#[test]
fn what_is_granted_with_an_installation_is_undone_with_it_and_goes_with_the_plugin() {
    let place = Place::new();
    let path = keeper(&place, &["state.write", "state.read"], true);
    let install = |grant: &str| place.error(&["install", &path, "--grant", grant, "--grant", "!network.http"]);
    // Without a host first.
    let (code, error) = install("state.read");
    assert_eq!((code, &error["code"]), (5, &json!("permission_denied")), "{error}");
    assert!(error["remedy"].as_str().unwrap().contains("midplane grant keeper 'state.write"), "{error}");
    place.json(&["install", &path, "--grant", "state.write"]);
    let mut host = place.host(&[]);
    host.hears("kept");
    assert_eq!(granted(&place), json!(["state.write"]));
    place.json(&["uninstall", "keeper"]);
    assert_eq!(place.error(&["grants", "keeper"]).0, 4);
    // And with one.
    assert_eq!(install("state.read").0, 5);
    assert_eq!(place.json(&["grants"])["plugins"], json!([]));
    let done = place.json(&["install", &path, "--grant", "state.write"]);
    assert_eq!((&done["not_granted"], &done["unasked"]), (&json!(["state.read"]), &json!([])));
    assert_eq!(granted(&place), json!(["state.write"]));
}

#[test]
fn what_cannot_be_granted_or_taken_back_is_said_and_changes_nothing() {
    let place = Place::new();
    let _host = place.host(&[]);
    place.json(&["install", &keeper(&place, &["state.write"], false)]);
    for (arguments, code) in [
        (&["grant", "nobody", "state.read"][..], 4),
        (&["grant", "keeper", "state.read", "state"], 2),
        (&["grant", "keeper"], 2),
        (&["revoke", "keeper"], 2),
        (&["revoke", "keeper", "state.read", "--all"], 2),
        (&["revoke", "keeper", "state.read"], 4),
        (&["revoke", "nobody", "--all"], 4),
        (&["grants", "nobody"], 4),
        (&["install", "x", "--grant", "state"], 2),
    ] {
        let (is, error) = place.error(arguments);
        assert_eq!((is, error["remedy"].is_string()), (code, true), "{arguments:?} {error}");
    }
    assert_eq!(granted(&place), json!([]));
}
