#!/usr/bin/env bash
# The host brings the SDK along, and says where it is.
. "${MIDPLANE_SH:?a host starts this, try: midplane run .}"

# Every function action_NAME is an action.
action_greet() {
  json_get name "$input" name || fail invalid_input "the name is missing" || return
  json_string name "$name"
  reply_json "{\"hello\":$name}"
}

run
