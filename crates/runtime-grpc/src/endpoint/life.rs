//! Bringing an endpoint to where its session stands.

use midplane_contract::{Code, Hook, Result};

use super::{Ask, Endpoint};
use crate::dialect;
use crate::greet::Peer;
use crate::session::Wish;

/// How far the service at an endpoint was brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Life {
    /// The connection that it was brought there on; another one begins anew.
    pub(super) link: u64,
    pub(super) initialized: bool,
    pub(super) started: bool,
}

/// The next step of a life towards what is wished; `None` when it is there.
fn next(life: Life, wish: &Wish) -> Option<Hook> {
    let wanted = wish.config.is_some();
    match (life.initialized, life.started) {
        (false, _) => wanted.then_some(Hook::Init),
        (true, false) if !wanted => Some(Hook::Cleanup),
        (true, false) => (wish.started > 0).then_some(Hook::Start),
        (true, true) => (wish.started == 0 || !wanted).then_some(Hook::Stop),
    }
}

impl Endpoint {
    /// Takes every step that is missing. An endpoint that is lost on the way is no error when things end.
    pub(crate) async fn catch_up(&self, peer: &Peer, ask: &Ask<'_>) -> Result<()> {
        let mut life = self.life.lock().await;
        if life.link != peer.link.number {
            *life = Life { link: peer.link.number, ..Life::default() };
        }
        loop {
            let wish = self.session.wish().clone();
            let Some(step) = next(*life, &wish) else { return Ok(()) };
            let method = match step {
                Hook::Init => "Initialize",
                Hook::Start => "Start",
                Hook::Stop => "Stop",
                _ => "Shutdown",
            };
            let ask = Ask { method, is_action: false, ..*ask };
            let done = match (step, &wish.config) {
                (Hook::Init, Some(config)) => dialect::initialize(self, peer, &ask, config).await,
                _ => dialect::step(self, peer, &ask, step).await,
            };
            let ends = matches!(step, Hook::Stop | Hook::Cleanup);
            if done.is_ok() || ends {
                match step {
                    Hook::Init => life.initialized = true,
                    Hook::Start => life.started = true,
                    Hook::Stop => life.started = false,
                    _ => life.initialized = false,
                }
            }
            match done {
                Err(error) if !(ends && error.code() == Code::PeerGone) => return Err(error),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_led_in_order_and_back() {
        let mut life = Life::default();
        let mut steps = Vec::new();
        let wishes = [
            Wish { config: Some("{}".into()), started: 0, initialized: 1 },
            Wish { config: Some("{}".into()), started: 2, initialized: 2 },
            Wish { config: None, started: 0, initialized: 0 },
        ];
        for wish in &wishes {
            while let Some(step) = next(life, wish) {
                steps.push(step);
                match step {
                    Hook::Init => life.initialized = true,
                    Hook::Start => life.started = true,
                    Hook::Stop => life.started = false,
                    _ => life.initialized = false,
                }
            }
        }
        assert_eq!(steps, [Hook::Init, Hook::Start, Hook::Stop, Hook::Cleanup]);
    }

    #[test]
    fn a_service_that_was_restarted_is_brought_back_to_where_it_was() {
        let wish = Wish { config: Some("{}".into()), started: 1, initialized: 1 };
        assert_eq!(next(Life::default(), &wish), Some(Hook::Init));
        assert_eq!(next(Life { initialized: true, ..Life::default() }, &wish), Some(Hook::Start));
    }
}
