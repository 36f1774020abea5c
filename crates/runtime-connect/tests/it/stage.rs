//! A host with a kernel, and a client that speaks text.

use std::net::TcpStream;
use std::time::Duration;

use midplane_contract::{PluginId, State};
use midplane_kernel::{Kernel, block_on};
use midplane_runtime_connect::{Host, Listener, Pass, Record, Settings};
use midplane_testkit::{PATIENCE, eventually};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, Message, WebSocket};

/// A kernel that plugins can connect to.
pub(crate) struct Stage {
    pub(crate) kernel: Kernel,
    pub(crate) host: Host,
    pub(crate) listener: Listener,
}

pub(crate) fn id(name: &str) -> PluginId {
    PluginId::new(name).unwrap()
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let kernel = Kernel::builder().build();
        let host = Host::new(kernel.clone(), Settings { port: 0, ..settings }).unwrap();
        let listener = Listener::bind(&host).unwrap();
        Self { kernel, host, listener }
    }

    pub(crate) fn token(&self) -> String {
        self.host.issue(Pass::any()).unwrap().reveal().to_owned()
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.listener.url(), None).unwrap()
    }

    /// A client that has registered, with these params beside id and token.
    pub(crate) fn registered(&self, plugin: &str, params: Value) -> Client {
        let mut client = self.client();
        let answer = client.register(plugin, &self.token(), params);
        assert_eq!(answer["result"]["success"], true, "{answer}");
        client
    }

    /// A running plugin without hooks, and its client.
    pub(crate) fn plain(&self, plugin: &str) -> Client {
        let client = self.registered(plugin, json!({ "actions": ["echo"], "hooks": [] }));
        self.wait_for(plugin, State::Running);
        client
    }

    pub(crate) fn state(&self, plugin: &str) -> Option<State> {
        self.kernel.status(&id(plugin)).ok().map(|status| status.state)
    }

    pub(crate) fn wait_for(&self, plugin: &str, state: State) {
        let status = || self.kernel.status(&id(plugin)).map(|status| (status.state, status.last_error));
        assert!(eventually(|| self.state(plugin) == Some(state)), "{plugin} is {:?}, not {state}", status());
    }

    pub(crate) fn record(&self, plugin: &str) -> Record {
        self.host.records().into_iter().find(|record| record.id.as_str() == plugin).unwrap()
    }

    pub(crate) fn call(&self, address: &str, input: &str) -> Result<String, midplane_contract::Error> {
        block_on(self.kernel.call(address, input)).map(|reply| String::from_utf8(reply).unwrap())
    }
}

/// One WebSocket of a plugin.
pub(crate) struct Client(WebSocket<TcpStream>);

impl Client {
    /// Connects; as a page of this origin, if there is one.
    pub(crate) fn connect(url: &str, origin: Option<&str>) -> Result<Self, Error> {
        let mut request = url.into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let address = request.uri().authority().unwrap().to_string();
        let tcp = TcpStream::connect(address)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        match tungstenite::client::client_with_config(request, tcp, None) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::HandshakeError::Failure(error)) => Err(error),
            Err(tungstenite::HandshakeError::Interrupted(_)) => unreachable!("the socket blocks"),
        }
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.text(&message.to_string());
    }

    pub(crate) fn binary(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).unwrap();
    }

    /// The next text message, as it is.
    pub(crate) fn line(&mut self) -> String {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return text.as_str().to_owned(),
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    pub(crate) fn next(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// Asks, and waits for the answer to that.
    pub(crate) fn ask(&mut self, id: &str, method: &str, params: Value) -> Value {
        self.send(&json!({ "id": id, "method": method, "params": params }));
        loop {
            let message = self.next();
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
        }
    }

    pub(crate) fn register(&mut self, plugin: &str, token: &str, mut params: Value) -> Value {
        params["plugin_id"] = plugin.into();
        params["token"] = token.into();
        self.ask("r", "register", params)
    }

    /// Answers the next request of the host, which is to be this one; gives its params.
    pub(crate) fn answer(&mut self, method: &str, result: Value) -> Value {
        let request = self.next();
        assert_eq!(request["method"], method, "{request}");
        self.send(&json!({ "id": request["id"], "result": result }));
        request["params"].clone()
    }

    /// How the host closes the connection: code and reason. `None` when it just ends.
    pub(crate) fn closing(&mut self) -> Option<(u16, String)> {
        loop {
            match self.0.read() {
                Ok(Message::Close(frame)) => {
                    let _ = self.0.flush();
                    return frame.map(|frame| (frame.code.into(), frame.reason.as_str().to_owned()));
                }
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    pub(crate) fn close(mut self) {
        self.0.close(None).unwrap();
        let _ = self.closing();
    }

    /// Goes without a word.
    pub(crate) fn vanish(self) {
        self.0.get_ref().shutdown(std::net::Shutdown::Both).unwrap();
    }

    /// Serves with a function on a thread of its own until the connection ends.
    pub(crate) fn serve(mut self, mut of: impl FnMut(&Value) -> Option<Value> + Send + 'static) {
        std::thread::spawn(move || {
            while let Ok(message) = self.0.read() {
                let Message::Text(text) = message else { continue };
                let request: Value = serde_json::from_str(text.as_str()).unwrap();
                if let Some(mut answer) = of(&request) {
                    answer["id"] = request["id"].clone();
                    let _ = self.0.send(Message::text(answer.to_string()));
                }
            }
        });
    }
}

/// Settings whose times are short.
pub(crate) fn brisk() -> Settings {
    Settings {
        admission: Duration::from_millis(200),
        heartbeat: Duration::from_millis(300),
        health: Duration::from_millis(50),
        ..Settings::default()
    }
}
