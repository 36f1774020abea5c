//! Fetching from inside a plugin, through the kernel and its gate.

use std::sync::Arc;

use futures_lite::future::poll_once;
use midplane_contract::{Code, Permission, PluginId, RuntimeKind};
use midplane_fetch::Client;
use midplane_kernel::{CallOptions, Kernel, Policy, block_on};
use midplane_runtime_js::{JsConfig, JsRuntime};
use midplane_runtime_wire::WireRuntime;
use midplane_runtime_wire::engine::python::Python;
use midplane_testkit::Scratch;
use serde_json::{Value, json};

use crate::server::Server;
use crate::stage::settings;

const PLUGIN: &str = "
export default {
  actions: {
    async post({ url }) {
      const answer = await fetch(url, { method: 'POST', headers: { 'X-One': 'ä'.length + '' }, body: 'sent' });
      const { status, ok, headers } = answer;
      return { status, ok, type: headers.get('Content-Type'), both: headers.get('x-two'), body: await answer.json() };
    },
    async bytes({ url }) {
      return new Uint8Array(await (await fetch(url)).arrayBuffer()).length;
    },
    async fails({ url }) {
      try {
        return await (await fetch(url)).text();
      } catch (error) {
        return { code: error.code, message: error.message };
      }
    },
  },
};
";

struct Stage {
    kernel: Kernel,
    _scratch: Scratch,
}

impl Stage {
    /// A kernel with the JavaScript plugin in it, which asks for everything and was granted this.
    fn granting(grants: &[String]) -> Self {
        Self::with("js", PLUGIN, grants)
    }

    fn with(language: &str, code: &str, grants: &[String]) -> Self {
        let scratch = Scratch::new("fetch").unwrap();
        let runtime = Arc::new(JsRuntime::new(JsConfig::default()));
        let python = Arc::new(WireRuntime::new(RuntimeKind::Python, Python::new()));
        let builder = Kernel::builder().runtime(runtime).runtime(python).cache(scratch.path().join("cache"));
        let kernel = builder.fetch(Arc::new(Client::new(settings()))).build();
        let folder = scratch.path().join("web");
        std::fs::create_dir_all(&folder).unwrap();
        let main = if language == "js" { "plugin.js" } else { "plugin.py" };
        std::fs::write(folder.join(main), code).unwrap();
        let manifest = json!({
            "id": "web", "name": "web", "version": "1.0.0",
            "entry": { "runtime": language, "main": main }, "permissions": ["network.http"],
        });
        std::fs::write(folder.join("plugin.json"), manifest.to_string()).unwrap();
        let grants = grants.iter().map(|grant| Permission::parse(grant).unwrap()).collect();
        kernel.set_policy(&PluginId::new("web").unwrap(), Policy { grants, ..Policy::default() });
        block_on(kernel.load_path(folder)).unwrap_or_else(|error| panic!("{error:?}"));
        Self { kernel, _scratch: scratch }
    }

    fn call(&self, action: &str, url: &str) -> Value {
        let input = json!({ "url": url }).to_string();
        let reply = block_on(self.kernel.call(&format!("web/{action}"), input.as_str()));
        serde_json::from_slice(&reply.unwrap_or_else(|error| panic!("{error:?}"))).unwrap()
    }
}

fn named(server: &Server) -> Vec<String> {
    vec![format!("network.http:{}", server.url("a.test", "/**"))]
}

#[test]
fn a_plugin_s_fetch_reaches_what_an_operator_named() {
    let server = Server::saying(
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nx-two: a\r\nx-two: b\r\ncontent-length: 9\r\n\r\n{\"a\":[1]}",
    );
    let stage = Stage::granting(&named(&server));
    let answer = stage.call("post", &server.url("a.test", "/x"));
    let wanted = json!({ "status": 201, "ok": true, "type": "application/json", "both": "a, b", "body": { "a": [1] } });
    assert_eq!(answer, wanted);
    let seen = &server.seen()[0];
    assert!(seen.starts_with("POST /x ") && seen.contains("x-one: 1") && seen.ends_with("sent"), "{seen}");
    assert!(seen.contains("content-type: text/plain"), "{seen}");
}

#[test]
fn a_body_is_whole_to_its_last_byte() {
    let server = Server::new(|_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        (0..100).try_for_each(|_| out.write_all(&[b'\n'; 10_007]))
    });
    assert_eq!(Stage::granting(&named(&server)).call("bytes", &server.url("a.test", "/")), 1_000_700);
}

#[test]
fn the_gate_is_asked_and_a_wildcard_does_not_reach_this_machine() {
    let server = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let url = server.url("a.test", "/x?key=hidden");
    for grants in [Vec::new(), vec!["network.http".to_owned()], vec!["network.http:http://*.test:*/**".to_owned()]] {
        let failed = Stage::granting(&grants).call("fails", &url);
        assert_eq!(failed["code"], "permission_denied", "{grants:?}: {failed}");
        assert!(!failed.to_string().contains("hidden"), "{failed}");
    }
    assert!(server.seen().is_empty());
    assert_eq!(Stage::granting(&named(&server)).call("fails", &url), "ok");
}

#[test]
fn a_redirect_out_of_the_grant_is_refused() {
    let inner = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let outer = Server::leading_to(302, &inner.url("a.test", "/"));
    let failed = Stage::granting(&named(&outer)).call("fails", &outer.url("a.test", "/"));
    assert_eq!(failed["code"], "permission_denied", "{failed}");
    assert!(inner.seen().is_empty());
}

#[test]
fn a_plugin_learns_which_stage_failed() {
    let server = Server::saying("");
    let stage = Stage::granting(&[named(&server), vec!["network.http:http://nowhere.test/".to_owned()]].concat());
    assert_eq!(stage.call("fails", "http://nowhere.test/")["code"], "peer_gone");
    assert_eq!(stage.call("fails", &server.url("a.test", "/"))["code"], "peer_gone");
}

/// A server that holds on to its answer.
fn holding() -> Server {
    Server::new(|_, _| {
        loop {
            std::thread::park();
        }
    })
}

/// Calls, and gives the call up while the server holds on to its answer.
fn give_up(stage: &Stage, server: &Server) {
    let action = stage.kernel.action("web/fails").unwrap();
    let input = json!({ "url": server.url("a.test", "/") }).to_string();
    let mut call = Box::pin(action.call_with(input.as_str(), CallOptions::default()));
    assert!(block_on(poll_once(&mut call)).is_none());
    server.wait_for_request();
    drop(call);
}

#[test]
fn a_call_that_is_given_up_gives_its_fetch_up() {
    let server = holding();
    let stage = Stage::granting(&named(&server));
    give_up(&stage, &server);
    // The one instance answers again, which it could not while it waited for the server.
    assert_eq!(stage.call("fails", "http://b.test/")["code"], "permission_denied");
}

const IN_PYTHON: &str = "
import midplane

plugin = midplane.Plugin()

@plugin.action
def post(input, ctx):
    answer = ctx.http.fetch(input['url'], method='POST', headers={'x-one': '1'}, body='sent')
    return {'status': answer.status, 'type': answer.headers['content-type'], 'body': answer.json()}

@plugin.action
def fails(input, ctx):
    try:
        return ctx.http.fetch(input['url']).text()
    except midplane.HostError as error:
        return {'code': error.code}
";

#[test]
fn a_plugin_in_a_process_of_its_own_fetches_through_the_same_gate() {
    let server = Server::saying("HTTP/1.1 200 OK\r\nContent-Type: a/json\r\ncontent-length: 5\r\n\r\n\n[1]\n");
    let stage = Stage::with("python", IN_PYTHON, &named(&server));
    let answer = stage.call("post", &server.url("a.test", "/x"));
    assert_eq!(answer, json!({ "status": 200, "type": "a/json", "body": [1] }));
    assert!(server.seen()[0].ends_with("sent"));
    assert_eq!(stage.call("fails", "http://b.test/")["code"], "permission_denied");
}

#[test]
fn a_call_into_a_process_that_is_given_up_gives_its_fetch_up_and_the_process_lives() {
    let server = holding();
    let stage = Stage::with("python", IN_PYTHON, &named(&server));
    give_up(&stage, &server);
    assert_eq!(stage.call("fails", "http://b.test/")["code"], "permission_denied");
}

#[test]
fn a_call_s_deadline_is_its_fetch_s() {
    let server = holding();
    let stage = Stage::granting(&named(&server));
    let action = stage.kernel.action("web/bytes").unwrap();
    let input = json!({ "url": server.url("a.test", "/") }).to_string();
    let options = CallOptions::within(std::time::Duration::from_millis(300));
    let future = block_on(action.call_with(input.as_str(), options.clone())).unwrap_err();
    let inline = action.call_inline_with(input.as_bytes(), &mut Vec::new(), options).unwrap_err();
    for error in [future, inline] {
        // Either the call ends with its time, or the plugin is told that its fetch did, and says so.
        let told = error.record().data.get("code").and_then(Value::as_str);
        let how = told.and_then(Code::from_name).unwrap_or(error.code());
        assert!(matches!(how, Code::DeadlineExceeded | Code::Cancelled), "{error:?}");
    }
}

#[test]
fn without_a_client_the_host_says_that_it_does_not_offer_it() {
    let scratch = Scratch::new("fetch-none").unwrap();
    let runtime = Arc::new(JsRuntime::new(JsConfig::default()));
    let kernel = Kernel::builder().runtime(runtime).cache(scratch.path().join("cache")).build();
    let file = scratch.path().join("none.js");
    std::fs::write(
        &file,
        "export default { async get() { try { await fetch('http://a.test/') } catch (e) { return e.code } } }",
    )
    .unwrap();
    block_on(kernel.load_path(file)).unwrap();
    assert_eq!(block_on(kernel.call("none/get", "")).unwrap(), b"\"not_supported\"");
}
