#!/usr/bin/env bash
# The plugin that the conformance suite drives, in Bash. What each action takes and gives stands at its likeness in
# crates/testkit/guests/probe. Tests make changed code by writing over the version.

. "${MIDPLANE_SH:?the host says where the Bash SDK is}"

given='{}' counter=0 history='' events='' kept=()

# ---- Hooks ----

on_validate_config() {
    act validate_config "$config" || return
    asks "$config" invalid && fail config_invalid "the configuration asks to be invalid"
    return 0
}
on_init() { configure init; }
on_config_changed() { configure config_changed; }
on_get_config() { reply_json "$given"; }
on_start() { pass start; }
on_stop() { pass stop; }
on_cleanup() { pass cleanup; }
on_health() {
    local health
    act health "$given" || return
    json_get health "$given" health || health=healthy
    reply_json "{\"status\":\"$health\",\"details\":{\"counter\":$counter}}"
}
on_event() {
    local data
    act event "$given" || return
    json_raw data "$params" data || data=null
    events+=",$data"
    if json_raw data "$given" answer; then reply_json "$data"; fi
}
on_dependency_changed() {
    local id available
    json_get id "$params" id
    json_get available "$params" available
    history+=",\"dependency_changed $id $available\""
    act dependency_changed "$given"
}
on_export_state() { pass export_state && reply "$counter"; }
on_import_state() {
    pass import_state || return
    [[ $input =~ ^[0-9]+$ ]] || fail bad_state "$input is no state of this plugin" || return
    counter=$input
}

# Takes a configuration; a refused one leaves the present one in effect.
configure() {
    local message
    note "$1"
    act "$1" "$config" || return
    if asks "$config" reject; then
        json_get message "$config" message || message="the configuration asks to be rejected"
        fail rejected "$message"
        return
    fi
    given=$config
}

pass() {
    note "$1"
    act "$1" "$given"
}

note() {
    history+=",\"$1\""
    log debug "hook $1"
}

# Does in a hook what the configuration asks for: nothing, fail, panic or hang.
act() {
    local message list release
    json_get message "$2" message || message="failed on purpose"
    if json_raw list "$2" hang_in && [[ $list == *"\"$1\""* ]]; then
        json_get release "$2" release
        hang "$release"
    fi
    if json_raw list "$2" panic_in && [[ $list == *"\"$1\""* ]]; then
        fail panicked "$message"
        return
    fi
    if json_raw list "$2" fail_in && [[ $list == *"\"$1\""* ]]; then
        fail hook_failed "$message"
        return
    fi
}

asks() {
    local flag
    json_get flag "$1" "$2" && [[ $flag == true ]]
}

# ---- Plain actions ----

action_echo() {
    if [[ -n $input_base64 ]]; then reply_base64 "$input_base64"; else reply "$input"; fi
}
action_version() { reply probe-version-01; }
action_config() { reply_json "$given"; }
action_counter() {
    local add
    json_get add "${input:-null}" add || add=1
    reply_json $((counter += add))
}
action_history() { reply_json "[${history#,}]"; }
action_events() { reply_json "[${events#,}]"; }
action_identity() {
    reply_json "{\"id\":\"$plugin_id\",\"version\":\"$plugin_version\",\"generation\":$generation,\"number\":0}"
}

# ---- Failing ----

action_fail() {
    local code message data recoverable
    json_get code "$input" code
    json_get message "$input" message
    json_raw data "$input" data || data=null
    json_get recoverable "$input" recoverable || recoverable=false
    fail "$code" "$message" "$data" "$recoverable"
}
action_panic() { fail panicked "$input"; }
action_abort() { kill -ABRT $$; }
action_exit() {
    local code
    json_get code "$input" code
    exit "$code"
}
action_recurse() { action_recurse; }
action_hang() {
    local release
    json_get release "${input:-null}" release
    hang "$release"
}
hang() {
    log info hanging
    while [[ -z $1 ]]; do :; done
    until [[ -e $1 ]]; do sleep 0.01; done
}

# ---- Memory, time, chunks ----

action_allocate() {
    local mib keep memory bytes
    json_get mib "$input" mib
    json_get keep "$input" keep
    bytes=$((mib << 20))
    printf -v memory '%*s' "$bytes" ''
    [[ $keep == true ]] && kept+=("$memory")
    reply_json "{\"bytes\":$bytes,\"pages\":$((bytes >> 12))}"
}
action_chunks() {
    local count size number byte
    json_get count "$input" count
    json_get size "$input" size
    for ((number = 0; number < count; number++)); do
        printf -v byte '\\%03o' $((number % 256))
        chunk_base64 "$(head -c "$size" /dev/zero | tr '\0' "$byte" | base64 -w0)"
    done
}
action_sleep() {
    local ms
    json_get ms "$input" ms
    printf -v ms '%d.%03d' $((ms / 1000)) $((ms % 1000))
    sleep "$ms"
}

# ---- Reaching out ----

action_call() {
    local address text deadline
    json_raw address "$input" address
    json_get text "$input" input || text=null
    json_string text "$text"
    json_get deadline "$input" deadline_ms
    asked call "{\"address\":$address${deadline:+,\"deadline_ms\":$deadline},\"text\":$text}"
}
action_host() {
    local function args text
    json_get function "$input" function
    json_raw args "$input" args || args='{}'
    if json_raw text "$input" payload; then
        args=${args%\}}
        [[ $args == \{ ]] || args+=,
        args+="\"text\":$text}"
    fi
    asked "$function" "$args"
}
asked() {
    host "$@" || fail "$error_code" "$error_message" || return
    if [[ -n $answer_base64 ]]; then reply_base64 "$answer_base64"; else reply "$answer"; fi
}
action_transcript() {
    local step function args payload lines=''
    # Each step stands on a line of its own.
    while IFS= read -r step; do
        [[ $step == \{* ]] || continue
        json_get function "$step" function
        json_raw args "$step" args
        json_get payload "$step" payload
        if [[ -n $payload ]]; then
            args=${args%\}}
            [[ $args == \{ ]] || args+=,
            args+="\"base64\":\"$(bytes_of "$payload" | base64 -w0)\"}"
        fi
        if ! host "$function" "$args"; then
            lines+="error $error_code $(printf %s "$error_message" | hexadecimal)"$'\n'
        elif [[ -n $answer_base64 ]]; then
            lines+="ok $(base64 -d <<<"$answer_base64" | hexadecimal)"$'\n'
        else
            lines+="ok $(printf %s "$answer" | hexadecimal)"$'\n'
        fi
    done <<<"$input"
    reply "${lines%$'\n'}"
}
# Hexadecimal digits as bytes, and bytes as those digits.
bytes_of() {
    local at escapes=''
    for ((at = 0; at < ${#1}; at += 2)); do escapes+="\\x${1:at:2}"; done
    # shellcheck disable=SC2059 # the escapes are what is wanted
    printf "$escapes"
}
hexadecimal() { od -An -v -tx1 | tr -d ' \n'; }
action_log() {
    local level message fields
    json_get level "$input" level
    json_get message "$input" message
    json_raw fields "$input" fields
    case $level in
        trace | debug | info | warn | error) log "$level" "$message" "$fields" ;;
        *) fail invalid_input "$level is no level" ;;
    esac
}

# ---- Surroundings ----

action_process() { reply_json "{\"pid\":$$}"; }
action_environment() {
    local name value all=''
    while IFS= read -r name; do
        json_string value "${!name}"
        all+=",\"$name\":$value"
    done < <(compgen -e)
    reply_json "{${all#,}}"
}
action_print() {
    local stream text
    json_get stream "$input" stream
    json_get text "$input" text
    case $stream in
        stdout) printf '%s\n' "$text" ;;
        stderr) printf '%s\n' "$text" >&2 ;;
        *) fail invalid_input "$stream is no stream" ;;
    esac
}

run
