//! The fields of a remote plugin.

use super::shapes::{DURATION, FILLED, SIZE};
use crate::reading::rule::Rule;
use crate::reading::shape::{Field, Shape, may};

pub(super) const TLS: &[Field] = &[
    may("ca", Shape::Text(Rule::Path), "PEM file of the authority that signed the service's certificate"),
    may("cert", Shape::Text(Rule::Path), "PEM file of the certificate that the host shows, with its chain"),
    may("key", Shape::Text(Rule::Path), "PEM file of its private key"),
    may("server_name", FILLED, "The name that the service's certificate bears; the address's host where absent"),
];

pub(super) const CONNECTION: &[Field] = &[
    may("dial", DURATION, "Longest time to connect, and then to ask who is there: 10s"),
    may("keep_alive", DURATION, "Time between two keep-alive pings: 10s"),
    may("keep_alive_timeout", DURATION, "Longest time of one of them: 3s"),
    may("probe_interval", DURATION, "Time between two health checks of an endpoint: 10s"),
    may("retries", Shape::Whole(0, 100), "How often a call of an idempotent action is tried again: 3"),
    may("retry_pause", DURATION, "Time between two tries: 1s"),
    may("message", SIZE, "Largest message both ways, in bytes or with a unit: 4MiB"),
];
