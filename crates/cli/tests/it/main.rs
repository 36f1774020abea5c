//! The real `midplane` command against real plugins: a C library and a WebAssembly module, made here.

#[cfg(test)]
mod call;
#[cfg(test)]
mod catalog;
#[cfg(test)]
mod check;
#[cfg(test)]
mod config;
#[cfg(test)]
mod connecting;
#[cfg(test)]
mod dialing;
#[cfg(test)]
mod exit_codes;
#[cfg(test)]
mod hosting;
#[cfg(test)]
mod inspect;
#[cfg(test)]
mod lifetime;
#[cfg(test)]
mod midplane;
#[cfg(test)]
mod new;
#[cfg(test)]
mod open;
#[cfg(test)]
mod output;
#[cfg(test)]
mod plugins;
#[cfg(test)]
mod resolve;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod testing;
