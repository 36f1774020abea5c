#!/usr/bin/env bash
# A plugin without any hook, in Bash. Its one action answers with what the host says to `config.get` of `color`.

. "${MIDPLANE_SH:?the host says where the Bash SDK is}"

action_color() {
    host config.get '{"key":"color"}' || fail "$error_code" "$error_message" || return
    reply_json "$answer"
}

run
