# Drives a plugin in Bash without a host, for its tests.
#
#     . sdk/bash/drive.sh
#     drive plugin.sh '{"config": "of it"}'
#     call greet '{"name": "Ada"}'
#     [[ $answer == 'Hello, Ada!' ]] || exit 1
#     finish
#
# Needs midplane.sh beside this file, or its path in MIDPLANE_SH. Log lines are collected in `logged`; a function
# `host_FUNCTION` (its dots as `_`), given the params, answers what the plugin asks of the host by setting `host_answer`
# to a field with its value: '"text":"…"', '"result":…' or '"error":{"code":…}'.

# What is set here is for tests to read; `_mp_out` is midplane.sh's, `_drive_PID` what `coproc` sets.
# shellcheck disable=SC2034,SC2154,SC2031

MIDPLANE_SH=${MIDPLANE_SH:-$(cd "${BASH_SOURCE[0]%/*}" && pwd)/midplane.sh}
export MIDPLANE_SH
# Its functions for JSON, in a shell of their own so that this one keeps its stdin and stdout.
_drive_json=$(
    # shellcheck source=midplane.sh
    . "$MIDPLANE_SH"
    declare -f json_string json_text json_raw json_get _mp_value _mp_space _mp_utf8 >&"$_mp_out"
)
eval "$_drive_json"

logged=() registered=''
_drive_id=1

# drive FILE [CONFIG]: starts the plugin, which registers and is initialized with CONFIG, a JSON object.
drive() {
    coproc _drive { exec bash "$1"; }
    _drive_read=${_drive[0]} _drive_write=${_drive[1]}
    IFS= read -r -u "$_drive_read" registered || return 1
    _drive_send '{"id":"r","result":{"success":true,"plugin_id":"driven","version":"0.0.0","generation":1}}'
    if [[ $registered == *'"init"'* ]]; then
        ask initialize "{\"plugin_id\":\"driven\",\"config\":${2:-{\}}}"
    fi
}

# call ACTION [TEXT]: calls an action. $answer is its reply (text or JSON), $chunks what it sent in pieces, $error_code
# and $error_message what went wrong; then the status is 1.
call() {
    local _drive_text
    json_string _drive_text "${2-}"
    ask call "{\"action\":\"$1\"${2:+,\"text\":$_drive_text}}"
}

# ask METHOD PARAMS: sends a request of the host and waits for its answer, as call does.
ask() {
    local line field
    _drive_id=$((_drive_id + 2)) answer='' error_code='' error_message='' chunks=()
    _drive_send "{\"id\":\"$_drive_id\",\"method\":\"$1\",\"params\":$2}"
    while IFS= read -r -u "$_drive_read" line; do
        case $line in
            '{"method":"log"'*) logged+=("$line") ;;
            '{"id":"b'*) _drive_host "$line" ;;
            *)
                for field in text result base64; do
                    json_get answer "$line" "$field" && break
                done
                [[ $line == *'"result":null}' ]] && answer=''
                if [[ $line == *'"more":true'* ]]; then
                    chunks+=("$answer")
                    continue
                fi
                json_get error_code "$line" error code || return 0
                json_get error_message "$line" error message
                return 1 ;;
        esac
    done
    error_code=crashed
    return 1
}

# finish: ends the plugin; the status is its own.
finish() {
    _drive_send '{"method":"shutdown","params":{}}'
    wait "$_drive_PID"
}

_drive_send() { printf '%s\n' "$1" >&"$_drive_write"; }

_drive_host() {
    local id method params host_answer='"error":{"code":"not_supported","message":"the test has no such function"}'
    json_get id "$1" id
    json_get method "$1" method
    json_raw params "$1" params
    if declare -F "host_${method//./_}" >/dev/null; then "host_${method//./_}" "$params"; fi
    _drive_send "{\"id\":\"$id\",$host_answer}"
}
