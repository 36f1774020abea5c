//! How far a permission to fetch reaches: to machines of the public internet, unless an operator has named the host.

use midplane_contract::Permission;

use crate::fetch::Reach;

/// What these grants of an operator say about reaching a host. `asked` is `network.http:URL`.
///
/// A grant names a host when its pattern spells it out, from the scheme to the character behind it, before any wildcard:
/// `http://nas.local/**` and `http://127.0.0.1:*/**` do, `http://*.local/**` and `**` do not.
pub(super) fn reach(granted: &[Permission], asked: &str, host: &str) -> Reach {
    let named = |rule: &&Permission| !rule.denies() && rule.covers(asked) && names(rule.as_str(), host);
    if granted.iter().any(|rule| named(&rule)) { Reach::Anywhere } else { Reach::Public }
}

fn names(rule: &str, host: &str) -> bool {
    let Some((_, pattern)) = rule.split_once(':') else { return false };
    let spelled = ["http://", "https://"].iter().find_map(|scheme| pattern.strip_prefix(scheme));
    let Some(behind) = spelled.and_then(|spelled| spelled.strip_prefix(host)) else { return false };
    !host.is_empty() && behind.starts_with([':', '/'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(grants: &[&str], url: &str, host: &str) -> Reach {
        let grants: Vec<_> = grants.iter().map(|grant| Permission::parse(grant).unwrap()).collect();
        reach(&grants, &format!("network.http:{url}"), host)
    }

    #[test]
    fn a_grant_that_spells_the_host_out_reaches_it_wherever_it_stands() {
        for grant in
            ["network.http:http://nas.local/**", "http.fetch:http://nas.local/a", "network.*:http://nas.local/**"]
        {
            assert_eq!(of(&[grant], "http://nas.local/a", "nas.local"), Reach::Anywhere, "{grant}");
        }
        assert_eq!(of(&["network.http:http://[::1]:*/**"], "http://[::1]:80/a", "[::1]"), Reach::Anywhere);
        let two = ["network.http", "network.http:http://127.0.0.1:8080/**"];
        assert_eq!(of(&two, "http://127.0.0.1:8080/a", "127.0.0.1"), Reach::Anywhere);
        assert_eq!(of(&two, "http://127.0.0.1:8081/a", "127.0.0.1"), Reach::Public, "another port was named");
    }

    #[test]
    fn a_grant_with_a_wildcard_in_the_host_reaches_the_public_internet_alone() {
        for grant in [
            "network.http",
            "network.http:**",
            "network.http:http://**",
            "network.http:http://*.local/**",
            "network.http:http://nas.loca?/**",
            "network.http:http://nas.local*/**",
            "network.http:http://nas.local**",
            "network.http:*://nas.local/**",
            "!network.http:http://nas.local/**",
        ] {
            assert_eq!(of(&[grant], "http://nas.local/a", "nas.local"), Reach::Public, "{grant}");
        }
    }

    #[test]
    fn the_name_of_another_host_behind_the_scheme_does_not_count() {
        assert_eq!(of(&["network.http:http://a.test/**"], "http://a.test.evil/", "a.test.evil"), Reach::Public);
        assert_eq!(of(&["network.http:http://a.test.evil/**"], "http://a.test.evil/", "a.test"), Reach::Public);
    }
}
