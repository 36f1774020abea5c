//! SRV records (RFC 2782), asked of the name servers directly: the system's resolver does not tell them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use midplane_contract::{Code, Error, Result};
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::dns::not_found;
use crate::settings::Settings;

/// How long one server may take; then the next is asked.
const PATIENCE: Duration = Duration::from_secs(3);
/// Rounds over all servers.
const ROUNDS: usize = 2;
/// Largest answer over UDP without extensions.
const DATAGRAM: usize = 4096;

/// Hosts and ports of the records with the lowest priority. Weights are not regarded: all get calls in turn.
pub(super) async fn lookup(name: &str, settings: &Settings) -> Result<Vec<(String, u16)>> {
    let servers = if settings.name_servers.is_empty() { configured() } else { settings.name_servers.clone() };
    let mut last = not_found(name, "no name server is configured");
    for _ in 0..ROUNDS {
        for server in &servers {
            match ask(name, *server).await {
                Ok(targets) => return Ok(targets),
                Err(error) => last = error,
            }
        }
    }
    Err(last)
}

async fn ask(name: &str, server: SocketAddr) -> Result<Vec<(String, u16)>> {
    let failed = |why: String| not_found(name, &format!("the name server {server} {why}"));
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(|error| Error::new(Code::Io, format!("no random bytes: {error}")))?;
    let id = u16::from_be_bytes(id);
    let query = query(name, id).map_err(|error| not_found(name, &format!("it is no name: {error}")))?;
    let answer = timeout(PATIENCE, over_udp(server, &query)).await;
    let answer =
        answer.map_err(|_| failed("does not answer".to_owned()))?.map_err(|error| failed(error.to_string()))?;
    match targets(&answer, id).map_err(failed)? {
        Some(targets) => Ok(targets),
        // It did not fit a datagram.
        None => {
            let answer = timeout(PATIENCE, over_tcp(server, &query)).await;
            let answer = answer.map_err(|_| failed("does not answer over TCP".to_owned()))?;
            let answer = answer.map_err(|error| failed(error.to_string()))?;
            targets(&answer, id).map_err(failed).map(Option::unwrap_or_default)
        }
    }
}

fn query(name: &str, id: u16) -> Result<Vec<u8>, simple_dns::SimpleDnsError> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    packet.questions.push(Question::new(Name::new(name)?, QTYPE::TYPE(TYPE::SRV), QCLASS::CLASS(CLASS::IN), false));
    packet.build_bytes_vec()
}

async fn over_udp(server: SocketAddr, query: &[u8]) -> std::io::Result<Vec<u8>> {
    let own: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(own).await?;
    // A connected socket takes datagrams of this server alone.
    socket.connect(server).await?;
    socket.send(query).await?;
    let mut answer = vec![0; DATAGRAM];
    let length = socket.recv(&mut answer).await?;
    answer.truncate(length);
    Ok(answer)
}

async fn over_tcp(server: SocketAddr, query: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_u16(u16::try_from(query.len()).unwrap_or(u16::MAX)).await?;
    stream.write_all(query).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// `None` when the answer was cut off.
fn targets(answer: &[u8], id: u16) -> Result<Option<Vec<(String, u16)>>, String> {
    let packet = Packet::parse(answer).map_err(|error| format!("gives an answer that cannot be read: {error}"))?;
    if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) {
        return Err("answers another question".to_owned());
    }
    if packet.has_flags(PacketFlag::TRUNCATION) {
        return Ok(None);
    }
    match packet.rcode() {
        RCODE::NoError => {}
        other => return Err(format!("says {other:?}")),
    }
    let records = packet.answers.iter().filter_map(|record| match &record.rdata {
        RData::SRV(srv) => Some((srv.priority, srv.target.to_string(), srv.port)),
        _ => None,
    });
    let mut records: Vec<_> = records.filter(|(_, host, port)| !host.is_empty() && *port != 0).collect();
    records.sort();
    let first = records.first().map(|(priority, ..)| *priority);
    Ok(Some(records.into_iter().filter(|(priority, ..)| Some(*priority) == first).map(|(_, h, p)| (h, p)).collect()))
}

/// The name servers of this machine.
fn configured() -> Vec<SocketAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    servers
        .filter_map(|rest| rest.split_whitespace().next()?.parse::<IpAddr>().ok())
        .map(|ip| (ip, 53).into())
        .collect()
}
