//! The longer texts of `--help`.

mod hosting;

use std::sync::OnceLock;

use midplane::CONTRACT_VERSION;

pub(super) use hosting::*;

/// Of the product and of the contract it speaks.
pub(crate) fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| format!("{} (contract {CONTRACT_VERSION})", env!("CARGO_PKG_VERSION")))
}

pub(super) const ABOUT: &str = "\
Midplane runs plugins: native libraries, WebAssembly, JavaScript, Python, scripts, any program and services elsewhere, \
called the same way and limited the same way.

A plugin is a folder with a manifest (plugin.yaml) and its code, or a bare .so, .wasm, .js or .ts file that describes \
itself.";

pub(super) const AFTER: &str = "\
Examples:
  midplane new --lang js hello                 a plugin to begin with
  midplane open notes.md --plugins plugins     give a file to the plugin that handles it
  midplane run plugins/text-stats --call text-stats/count --input notes.md
  midplane check my-plugin                     everything that is wrong with it
  midplane test my-plugin                      does it do what it should
  midplane list --plugins plugins              what there is

Results go to stdout, everything else to stderr. With --output json stdout is one JSON document, whether it went well or \
not; after an error it is {\"error\": {code, message, remedy, …}}.

Exit codes:
  0 done                        4 plugin, action or file not found
  1 the plugin answered with    5 denied
    an error, or failed         6 deadline passed
  2 wrong usage                 7 the host, or a connection
  3 invalid manifest, plugin    130 interrupted
    file or configuration

Environment:
  MIDPLANE_SETTINGS  settings files, with `:` between them, where no --settings is given
  MIDPLANE__…        one setting: MIDPLANE__LOAD__AUTO=true is load.auto
  MIDPLANE_PLUGINS   folders with plugins, separated like PATH, where no --plugins is given
  MIDPLANE_DATA      the data folder, where no --data is given
  MIDPLANE_LOG       what is logged: a level, or TARGET=LEVEL separated by commas; plugins log
                     under the target `plugin`
  NO_COLOR           no colour; there is none anyway where output is not a terminal
  XDG_CACHE_HOME     compiled code and copies are kept in its folder `midplane`";

pub(super) const NEW: &str = "\
Makes a folder with a small plugin that works: its manifest, one file of source with the action `greet`, a test case, and a \
README with the commands. What an SDK has to bring for the build comes along in the folder `.midplane`.

An existing folder is taken when it is empty, and left alone otherwise. What this machine lacks to build or run the plugin is \
named, with how to get it, and does not make the command fail.

For wasm the source is in Rust where the compiler has the target wasm32-wasip2 or wasm32-unknown-unknown, else in Go where \
Go is installed, else in Rust.";

pub(super) const NEW_EXAMPLES: &str = "\
Examples:
  midplane new --lang python hello
  midplane test hello
  midplane run hello --call hello/greet --input '{\"name\":\"x\"}'
  midplane new --lang rust word-count --dir plugins
  midplane new --lang go hello --output json | jq -r '.commands[]'";

pub(super) const RUN: &str = "\
Registers and loads the plugins, in the order given, with what they depend on.

With --data the installed plugins are loaded as well, and without --call a door is opened in that folder, through which \
`midplane install`, `load`, `grant`, `bus` and the like speak to this host: one host of a folder has it. With --settings and no plugin \
named, those in the folders of the settings are registered, and loaded where the settings say so (load.auto, or auto_start for \
one plugin), the highest priority first; later ones as they come.

Without --call it shows what is loaded and waits until Ctrl-C (or SIGTERM); then calls in flight end, plugins are stopped \
and unloaded, and the exit code is 130.

With --call it calls one action and ends. The reply goes to stdout as it is, chunk by chunk; on a terminal a reply that is \
not text is described instead.

With --listen other plugins connect by themselves, browser tabs among them, over WebSocket at /plugin/connect. Who wants in \
needs a token: --token issues one for one plugin and one connection, good for ten minutes (or as long as --wait), and prints \
it once, on stdout, or on stderr where --call has stdout for the reply. With --token ID=FILE it is not printed: the file, \
which only this user may read, holds an unused token all the time, a new one whenever the last was used or has grown \
old, and goes with the command. A plugin whose connection is lost may come again with what it was given when it registered.

Pages connect only from origins that are named with --origin; programs send none and need none. With --call every plugin \
that has a token is waited for first. Who comes and goes is said on stderr.";

pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  midplane run plugins/text-stats
  midplane run --settings midplane.yaml --data data
  midplane run plugins/text-stats --call text-stats/count --input notes.txt
  echo '# Title' | midplane run plugins/markdown --call markdown/render --input -
  midplane run plugins/markdown --call markdown/render_with --input '{\"markdown\": \"*hi*\"}'
  midplane run plugins/markdown --trust markdown=trusted --placement markdown=in-process
  midplane run plugins/thumbnailer --call thumbnailer/thumbnail --input cat.jpg --save cat.png
  midplane run a b --call a/ask --grant 'a=plugin.call:b/*' --config a=a.json --deadline 5s
  midplane run --listen 7420 --token tab --origin http://127.0.0.1:8080
  midplane run --listen 7420 --token tab=tab.token --call tab/measure --input '{\"text\": \"Hello\"}'
  midplane run --listen 0 --token meter --listen-config '{\"heartbeat\": 5000}' --output json

The input is stdin for `-`; the content of the file, if there is one of that name; otherwise the text itself, which must \
be JSON. @FILE is always a file.";

pub(super) const OPEN: &str = "\
Finds the plugin that handles the file's type, calls it with the file's content and prints what comes back.

Types are told by the file's name alone, never by its content: by the extension, and by the media type that goes with it. \
Among several plugins the highest priority wins, then the id. Which one it was, and who else could, is said on stderr.";

pub(super) const OPEN_EXAMPLES: &str = "\
Examples:
  midplane open notes.md --plugins plugins > notes.html
  midplane open cat.jpg --plugins plugins --save small.png
  midplane open cat.jpg --plugins plugins --with thumbnailer --action inspect
  MIDPLANE_PLUGINS=~/plugins:/usr/lib/midplane midplane open song.flac";

pub(super) const CHECK: &str = "\
Says everything that is wrong with a plugin at once, each fault with its place, its code and a remedy: the manifest's \
fields and the rules between them, paths that leave the folder, code that is missing, machines that are excluded, limits \
that the placement cannot hold.

Warnings do not make it fail; with errors the exit code is 3. No code is run.";

pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  midplane check my-plugin
  midplane check my-plugin/plugin.yaml --output json
  midplane check my-plugin --placement my-plugin=in-process --trust my-plugin=trusted";

pub(super) const TEST: &str = "\
Runs a conformance suite that every plugin should pass, whatever it is written in: it loads, has what it declares, answers \
health, survives odd input, answers many calls at once, refuses a bad configuration, stops, reloads, and leaves nothing. \
Then the author's own cases, from tests/*.yaml, *.yml, *.json or plugin.test.yaml in the plugin's folder.

The checks call every action with input that it does not expect: test where nothing can be broken, or with \
--no-conformance.

Every case begins with a freshly loaded plugin. One that hangs ends at its timeout (30 s unless it says otherwise); one that \
crashes fails alone. The exit code is 0 when everything passed, 1 when something failed, and 3 for a manifest or case file \
that is wrong; then nothing is run.";

pub(super) const TEST_EXAMPLES: &str = "\
Examples:
  midplane test my-plugin
  midplane test my-plugin --only 'tests/count.yaml' --no-conformance
  midplane test my-plugin --quick --junit report.xml
  midplane test my-plugin --bench=200
  midplane test a --with ../b --grant 'a=plugin.call:b/*' --output json

A case file:
  cases:
    - name: counts words
      action: count
      text: one two
      expect: { subset: { words: 2 } }
    - name: refuses what is no text
      action: count
      base64: /w==
      expect: { error: invalid_input }";

pub(super) const INSPECT: &str = "\
Shows a plugin: its manifest in the one model that all spellings are read into, and what its code is (format, processor, \
exports, imports, checksum) as the file says it. Code with a manifest is not run.

A bare file has no manifest. It is asked to describe itself, native code in a worker process and WebAssembly in this one, \
and what the runtime found out is shown as well.";

pub(super) const INSPECT_EXAMPLES: &str = "\
Examples:
  midplane inspect plugins/text-stats
  midplane inspect build/libmarkdown.so
  midplane inspect plugins/text-stats --output json | jq .manifest.actions";

pub(super) const LIST: &str = "\
Lists the plugins in folders: every folder in them that has a manifest, and every bare plugin file. A plugin that cannot \
be used is listed with the reason, and does not make the command fail.";

pub(super) const LIST_EXAMPLES: &str = "\
Examples:
  midplane list --plugins plugins
  midplane list --plugins plugins --output json | jq -r '.plugins[].id'";

pub(super) const ROUTES: &str = "\
Shows who gets an action that is called by its name alone, and who gets a file: what the plugins in folders bring, and the \
routes given with --route; with --data, those of the host that runs over that folder. Of several for the same, the highest priority is taken, then the most exact one; the others are \
shown with who comes before them.

A route is {match, to, priority}. `match` is one of {action}, {file} and {media}, with * for any characters but /, ** for any \
and ? for one; `to` is {plugin} or {service, version}, both with an `action` where it is another one.";

pub(super) const ROUTES_EXAMPLES: &str = "\
Examples:
  midplane routes --plugins plugins
  midplane routes --data data
  midplane routes --plugins plugins --output json | jq -r '.routes[].to.plugin'
  midplane routes --route '{\"match\": {\"file\": \"*.log\"}, \"to\": {\"plugin\": \"text-stats\"}}'";

pub(super) const RESOLVE: &str = "\
Finds versions of the plugins in folders that go together for what is asked for and everything that this needs, and the order \
in which they would be loaded: those of one wave at once. Nothing is loaded. Where nothing fits, it says who asks for what, and \
what would help.";

pub(super) const RESOLVE_EXAMPLES: &str = "\
Examples:
  midplane resolve player --plugins plugins
  midplane resolve 'player@^2' editor --output json
  midplane resolve player --dot | dot -Tsvg > player.svg";

pub(super) const CATALOG: &str = "\
Shows what the plugin folders hold: every plugin in them, in depth, with its checksum, size and time, the broken with the \
reason, and those that one in an earlier folder takes the place of. The folders are those given with --plugins or in \
MIDPLANE_PLUGINS (`~` and $VARIABLES are put in), else those of --settings; without any, those of the last time, which \
list and show do not scan again.

The catalog is kept in the data folder (--data, MIDPLANE_DATA, or midplane in the user's data folder): what has not \
changed is not opened again. A catalog.db that is broken is set aside and made anew from the folders.";

pub(super) const CATALOG_EXAMPLES: &str = "\
Examples:
  midplane catalog rescan --plugins plugins
  midplane catalog list
  midplane catalog show text-stats --output json | jq .versions
  midplane catalog installed --data data";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  midplane completions bash > ~/.local/share/bash-completion/completions/midplane
  midplane completions zsh > ~/.zfunc/_midplane
  midplane completions fish > ~/.config/fish/completions/midplane.fish";

pub(super) const CONFIG: &str = "\
Check, show and import settings.

Settings come from files (--settings, or MIDPLANE_SETTINGS with `:` between files), over them variables of the \
environment (MIDPLANE__LOAD__AUTO=true is load.auto), over them --set. What none of them says has its default.";

pub(super) const CONFIG_EXAMPLES: &str = "\
Examples:
  midplane config check midplane.yaml          everything that is wrong, with line and column
  midplane config show --origins               every value, and where it comes from
  midplane config show --set load.auto=true
  midplane config import plugins.yaml monitoring.yaml --save midplane.yaml";

pub(super) const IMPORT: &str = "\
Makes settings of configuration files whose section is plugins, hotload, dependency, monitoring, compatibility, \
wasm_plugins, migration_strategy or module_manager, and of plugins' own sections beside them. Several files make one.

Every value that has no place in settings is named on stderr with the reason, and every one that nothing in this version goes \
by. Variables (${NAME}) stay as they are written. A file that is no YAML is refused with line, column and what to do.";

pub(super) const IMPORT_EXAMPLES: &str = "\
Examples:
  midplane config import plugins.yaml monitoring.yaml
  midplane config import *.yaml --save midplane.yaml
  midplane config import hotload.yaml --output json | jq .unused";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_command_has_examples_and_none_is_broken_over_two_lines() {
        fn see(command: &clap::Command) {
            let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
            shown.for_each(see);
            let after = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.starts_with("Examples:\n  midplane "), "{}: {after}", command.get_name());
            for line in after.lines().filter(|line| line.starts_with("  ")) {
                assert!(line.chars().count() <= 100, "{}: {line}", command.get_name());
            }
        }
        see(&crate::args::Cli::command());
    }
}
