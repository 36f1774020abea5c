//! Endpoints that are records of names.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use midplane_contract::Code;
use midplane_runtime_grpc::Settings;
use midplane_testkit::eventually;
use serde_json::json;
use simple_dns::rdata::{RData, SRV};
use simple_dns::{CLASS, Name, Packet, PacketFlag, RCODE, ResourceRecord};

use crate::service::Service;
use crate::stage::Stage;

type Records = Arc<Mutex<Vec<(u16, u16)>>>;

/// A name server on this machine that has SRV records: their priorities and ports, all on localhost.
fn name_server() -> (SocketAddr, Records) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    let records = Records::default();
    let served = Arc::clone(&records);
    thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok((count, from)) = socket.recv_from(&mut bytes) {
            let query = Packet::parse(&bytes[..count]).unwrap();
            let mut answer = Packet::new_reply(query.id());
            answer.set_flags(PacketFlag::RESPONSE);
            answer.questions.clone_from(&query.questions);
            let name = query.questions[0].qname.clone();
            if name.to_string() != "_grpc._tcp.far.test" {
                *answer.rcode_mut() = RCODE::NameError;
            }
            for (priority, port) in served.lock().unwrap().iter() {
                let target = Name::new_unchecked("localhost");
                let srv = SRV { priority: *priority, weight: 1, port: *port, target };
                answer.answers.push(ResourceRecord::new(name.clone(), CLASS::IN, 1, RData::SRV(srv)));
            }
            socket.send_to(&answer.build_bytes_vec_compressed().unwrap(), from).unwrap();
        }
    });
    (at, records)
}

#[test]
fn srv_records_are_endpoints_and_are_looked_up_again() {
    let services = ["a", "b", "spare"].map(Service::start);
    let [a, b, spare] = services.each_ref().map(|service| service.at.port());
    let (server, records) = name_server();
    *records.lock().unwrap() = vec![(10, a), (20, spare)];
    let settings = Settings { name_servers: vec![server], lookup: Duration::from_millis(20), ..Settings::default() };
    let stage = Stage::new(settings);
    stage.load(&json!({ "endpoints": ["grpc://_grpc._tcp.far.test"], "discovery": "dns" })).unwrap();
    for _ in 0..4 {
        assert_eq!(stage.call("name", "").unwrap(), b"a", "those of lower priority are not asked");
    }
    *records.lock().unwrap() = vec![(10, a), (10, b)];
    assert!(eventually(|| stage.call("name", "").unwrap() == b"b"));
    *records.lock().unwrap() = vec![(10, b)];
    assert!(eventually(|| stage.endpoint(1).is_null()));
    for _ in 0..4 {
        assert_eq!(stage.call("name", "").unwrap(), b"b");
    }
    // A server that knows nothing is no reason to let go of what is known.
    records.lock().unwrap().clear();
    assert_eq!(stage.call("name", "").unwrap(), b"b");
}

#[test]
fn a_name_without_records_is_refused_by_name() {
    let (server, _) = name_server();
    let stage = Stage::new(Settings { name_servers: vec![server], ..Settings::default() });
    let entry = json!({ "endpoints": ["grpc://_grpc._tcp.nowhere.test"], "discovery": "dns" });
    let error = stage.load(&entry).unwrap_err();
    assert_eq!(error.code(), Code::PeerGone);
    assert!(error.record().message.contains("_grpc._tcp.nowhere.test"), "{error}");
}

#[test]
fn the_addresses_of_a_name_are_endpoints() {
    let service = Service::start("a");
    let stage = Stage::new(Settings { rest: Duration::from_millis(1), ..Settings::default() });
    stage.load(&json!({ "endpoints": [service.address()], "discovery": "dns" })).unwrap();
    assert_eq!(stage.call("name", "").unwrap(), b"a");
    let seen: Vec<String> =
        (0..2).filter_map(|number| stage.endpoint(number)["at"].as_str().map(str::to_owned)).collect();
    assert!(seen.contains(&service.at.to_string()), "{seen:?}");
}

#[test]
fn endpoints_that_are_none_are_refused() {
    for (entry, code) in [
        (json!({ "endpoints": ["http://localhost:1"] }), Code::ManifestInvalid),
        (json!({ "endpoints": ["grpc://localhost"] }), Code::ManifestInvalid),
        (json!({ "main": "missing.txt" }), Code::NotAPlugin),
    ] {
        let error = Stage::new(Settings::default()).load(&entry).unwrap_err();
        assert_eq!(error.code(), code, "{entry}: {error}");
        assert!(error.record().remedy.is_some());
    }
}
