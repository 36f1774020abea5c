# What the SDK's tests drive.
. "$MIDPLANE_SH"

on_init() { json_get greeting "$config" greeting; }
on_import_state() { state=$(input_bytes | base64 -w0); }

action_greet() {
    json_get name "${input:-null}" name || name=world
    reply "$greeting, $name!"
}
action_nothing() { :; }
action_sell() { fail sold_out 'none "left"' '{"sku":7}' true; }
action_forget() { return 3; }
action_count() { for number in 1 2 3; do chunk "$number"; done; }
action_remember() { log info "asked for $input"; state_get "$input" && reply "$answer"; }
action_reach() { host http.fetch '{"url":"https://example.com"}' || fail "$error_code" "$error_message"; }
action_stray() { echo '{"id":"5","text":"stray"}'; cat; reply 'printed nothing here'; }
action_bytes() { reply_base64 "$state"; }

run
