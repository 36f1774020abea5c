//! The texts of the commands that speak to a host that runs.

pub(in crate::args) const STATUS_EXAMPLES: &str = "\
Examples:
  midplane status --data data
  midplane status text-stats --output json | jq '.plugins[0].calls'";

pub(in crate::args) const INSTALL: &str = "\
Registers a plugin, loads it with what it depends on, and notes it for good, in one step: when any part fails, or the command \
is ended, all of it is undone. It stays where it is; nothing is copied.

Where a host runs over the data folder (`midplane run --data DIR`), it does so, and the plugin runs there from then on. Where \
none does, the command tries the plugin in a host of its own, and the next `midplane run --data DIR` loads it. The folder is \
that of --data or MIDPLANE_DATA, else midplane in the user's data folder. --settings counts only where no host runs.

What is granted with --grant counts before any of its code runs, and goes with the rest when any part fails. What it asks \
for beside that and nobody granted is said.";

pub(in crate::args) const INSTALL_EXAMPLES: &str = "\
Examples:
  midplane run --data data &
  midplane install plugins/text-stats --data data
  midplane install plugins/tagger --grant state.write --grant 'network.http:https://example.com/**'
  midplane install build/libmarkdown.so --data data --output json | jq -r .id
  midplane catalog show text-stats --data data";

pub(in crate::args) const UNINSTALL_EXAMPLES: &str = "\
Examples:
  midplane uninstall text-stats --data data
  midplane uninstall video-decoder --cascade

What it was granted for good and the mark that keeps it stopped go with it: installed again, it begins with nothing. What is loaded or installed and needs it keeps it, unless \
--cascade is given.";

pub(in crate::args) const LOAD_EXAMPLES: &str = "\
Examples:
  midplane load text-stats --data data
  midplane load text-stats --output json | jq -r .state";

pub(in crate::args) const UNLOAD_EXAMPLES: &str = "\
Examples:
  midplane unload text-stats --data data
  midplane unload video-decoder --cascade     what needs it goes first

It stays registered: `midplane load` brings it back, and so does the next start of the host.";

pub(in crate::args) const START_EXAMPLES: &str = "\
Examples:
  midplane start text-stats --data data

One that is not loaded is loaded with `midplane load`; one that has failed is brought back by `midplane restart`.";

pub(in crate::args) const STOP_EXAMPLES: &str = "\
Examples:
  midplane stop text-stats --data data
  midplane start text-stats --data data       it goes on

Calls in flight end first, for 10 s at most unless the settings say otherwise. It stays loaded until `midplane unload`, and \
the next start of the host starts it; what is to stay stopped is disabled.";

pub(in crate::args) const RESTART_EXAMPLES: &str = "\
Examples:
  midplane restart text-stats --data data

The code stays what it was: `midplane reload` takes what its folder has now.";

pub(in crate::args) const RELOAD_EXAMPLES: &str = "\
Examples:
  midplane reload text-stats --data data

What runs goes on until the next one has started, and for good when that cannot be started. One that does not run is loaded.";

pub(in crate::args) const ENABLE_EXAMPLES: &str = "\
Examples:
  midplane enable text-stats --data data

One that is not loaded stays so until `midplane load`, or the next start of the host. What the settings disable \
(`enabled: false`) they enable.";

pub(in crate::args) const DISABLE_EXAMPLES: &str = "\
Examples:
  midplane disable text-stats --data data

It stays loaded, and stopped, also in hosts to come, until `midplane enable` or `midplane uninstall`.";

pub(in crate::args) const GRANT: &str = "\
Permits a plugin what its manifest asks for, at once and for good: it is kept in the data folder, and counts beside what \
settings and --grant of `run` say. What begins with `!` is denied, and that goes before every grant. All of them count, or \
none.

What a manifest does not ask for stays denied, whatever is granted. `midplane uninstall` takes it all away.";

pub(in crate::args) const GRANT_EXAMPLES: &str = "\
Examples:
  midplane grant tagger 'network.http:https://api.example.com/**' state.write --data data
  midplane grant tagger '!plugin.call:vault/*'
  midplane grants tagger                      what it asks for and has

Quote what has a `*` or `!` in it: shells have uses of their own for those.";

pub(in crate::args) const REVOKE_EXAMPLES: &str = "\
Examples:
  midplane revoke tagger state.write --data data
  midplane revoke tagger '!plugin.call:vault/*'
  midplane revoke tagger --all

Counts at once. All of them are taken back, or none, when one of them was not granted for good. What settings or the command \
line of the host grant is taken out there.";

pub(in crate::args) const GRANTS_EXAMPLES: &str = "\
Examples:
  midplane grants --data data
  midplane grants tagger
  midplane grants --output json | jq '.plugins[].asked[] | select(.standing == \"not_granted\")'

`partly` is what is granted or denied for some targets. Plugins that ask for nothing and have nothing are left out.";

pub(in crate::args) const BUS_EXAMPLES: &str = "\
Examples:
  midplane bus stats --data data
  midplane bus stats --reset --output json | jq .published_by_type";
