//! The globals of the web that plugins find.

use midplane_testkit::{eventually, log};

use crate::stage::Stage;

/// Evaluates checks in a plugin, each an expression that has to be true.
fn all_hold(id: &str, checks: &[&str]) {
    let stage = Stage::new();
    let list = checks.join(",\n");
    stage.load(id, &format!("export const all = async () => Promise.all([\n{list}\n]);"));
    let held = stage.json(&format!("{id}/all"), "");
    for (at, check) in checks.iter().enumerate() {
        assert_eq!(held[at], true, "{check}");
    }
}

#[test]
fn text_is_encoded_and_decoded() {
    all_hold(
        "text",
        &[
            "new TextEncoder().encode('a\u{e4}\u{1f600}').length === 7",
            "new TextDecoder().decode(new TextEncoder().encode('a\u{e4}\u{1f600}')) === 'a\u{e4}\u{1f600}'",
            "new TextDecoder().decode(new Uint8Array([239, 187, 191, 97])) === 'a'",
            "new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array([239, 187, 191, 97])).length === 2",
            "(() => { try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255])); } catch (e) { return e instanceof TypeError; } })()",
            "(() => { const d = new TextDecoder(); return d.decode(new Uint8Array([0xc3]), { stream: true }) + d.decode(new Uint8Array([0xa4])) === '\u{e4}'; })()",
            "new TextDecoder('utf-16le').decode(new Uint8Array([97, 0])) === 'a'",
            "(() => { const { read, written } = new TextEncoder().encodeInto('a\u{e4}b', new Uint8Array(2)); return read === 1 && written === 1; })()",
            "atob(btoa('hello')) === 'hello'",
        ],
    );
}

#[test]
fn addresses_are_parsed_and_changed() {
    all_hold(
        "addresses",
        &[
            "new URL('../b?q=1#h', 'https://u:p@example.org:8080/x/a').href === 'https://u:p@example.org:8080/b?q=1#h'",
            "new URL('https://b\u{fc}cher.example/').hostname === 'xn--bcher-kva.example'",
            "(() => { const u = new URL('http://a/?x=1'); u.searchParams.append('y', 'z w'); u.hash = 'h'; return String(u) === 'http://a/?x=1&y=z+w#h'; })()",
            "(() => { const u = new URL('http://a/?x=1'); u.search = '?k=2'; return u.searchParams.get('k') === '2' && u.searchParams.size === 1; })()",
            "URL.canParse('nothing') === false",
            "(() => { try { new URL('nothing'); } catch (e) { return e instanceof TypeError; } })()",
            "new URLSearchParams({ a: '1', b: '&' }).toString() === 'a=1&b=%26'",
            "[...new URLSearchParams('a=1&a=2').getAll('a')].join() === '1,2'",
            "JSON.stringify(new URL('http://a')) === '\"http://a/\"'",
        ],
    );
}

#[test]
fn values_are_cloned_whole() {
    all_hold(
        "cloning",
        &[
            "(() => { const a = { d: new Date(5), m: new Map([[1, new Set([2])]]), b: new Uint8Array([1, 2]).subarray(1), e: new RangeError('x') }; a.self = a;
              const c = structuredClone(a); return c !== a && c.self === c && c.d.getTime() === 5 && c.m.get(1).has(2) && c.b[0] === 2 && c.e instanceof RangeError; })()",
            "(() => { try { structuredClone(() => 1); } catch (e) { return e.name === 'DataCloneError'; } })()",
            "(() => { const b = new ArrayBuffer(4); const c = structuredClone(b, { transfer: [b] }); return c.byteLength === 4 && b.byteLength === 0; })()",
        ],
    );
}

#[test]
fn signals_abort() {
    all_hold(
        "signals",
        &[
            "(() => { const c = new AbortController(); let n = 0; c.signal.addEventListener('abort', () => n++); c.signal.onabort = () => n++; c.abort(); c.abort(); return n === 2 && c.signal.aborted && c.signal.reason.name === 'AbortError'; })()",
            "AbortSignal.abort('why').reason === 'why'",
            "new Promise((done) => AbortSignal.timeout(1).addEventListener('abort', () => done(true)))",
            "(() => { const c = new AbortController(); const any = AbortSignal.any([c.signal]); c.abort(1); return any.reason === 1; })()",
        ],
    );
}

#[test]
fn randomness_and_time_are_there() {
    all_hold(
        "random",
        &[
            "crypto.getRandomValues(new Uint8Array(64)).some((byte) => byte !== 0)",
            "/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())",
            "(() => { try { crypto.getRandomValues(new Uint8Array(70000)); } catch (e) { return e.name === 'QuotaExceededError'; } })()",
            "performance.now() >= 0",
            "typeof queueMicrotask === 'function'",
            "typeof process === 'undefined' && typeof require === 'undefined' && typeof std === 'undefined' && typeof os === 'undefined'",
        ],
    );
}

#[test]
fn fetch_goes_to_the_host_and_its_gate() {
    let stage = Stage::new();
    stage.load(
        "fetching",
        "export default {
           async get() { try { await fetch('http://example.org/'); } catch (e) { return e.code; } },
           async bad() { try { await fetch('not an address'); } catch (e) { return e.name; } },
           async made() { const r = Response.json({ a: 1 }, { status: 201 }); return [r.ok, r.headers.get('Content-Type'), (await r.json()).a]; },
         };",
    );
    let code = stage.json("fetching/get", "");
    assert!(code == "permission_denied" || code == "not_supported", "{code}");
    assert_eq!(stage.json("fetching/bad", ""), "TypeError");
    assert_eq!(stage.json("fetching/made", ""), serde_json::json!([true, "application/json", 1]));
}

#[test]
fn the_console_writes_to_the_log() {
    let stage = Stage::new();
    stage.load(
        "talking",
        "console.log('while it is read');
         export default { talk() {
           console.log('a', 1, { b: [true, null, 'c'], d: undefined });
           console.warn('%s is %d%%', 'x', 5);
           console.error(new TypeError('oh'));
           const o = {}; o.o = o; console.info(o, new Map([[1, 2]]), new Set(['x']), new Uint8Array(2), () => 1);
         } };",
    );
    stage.call("talking/talk", "").unwrap();
    for line in [
        "while it is read",
        "a 1 { b: [true, null, \"c\"], d: undefined }",
        "x is 5%",
        "{ o: [circular] } Map {1 => 2} Set [\"x\"] Uint8Array [0, 0] [function (anonymous)]",
    ] {
        assert!(eventually(|| log::heard("talking", line)), "{line}");
    }
    assert!(eventually(|| log::heard_part("talking", "TypeError: oh")));
}
