#!/usr/bin/env bash
# The SDK's own tests. Needs Bash and coreutils, no host.
cd "${BASH_SOURCE[0]%/*}" || exit 1
. ../drive.sh
failed=0

same() { # what is, what should be, about what
    [[ $1 == "$2" ]] && return
    printf 'not as it should be: %s\n  is:        %q\n  should be: %q\n' "$3" "$1" "$2"
    failed=1
}

json_string value $'a"b\\c\n\t\r\x01é'
same "$value" '"a\"b\\c\n\t\r\u0001é"' "a text becomes a JSON string"
json_text value '"\u00e9\ud83d\ude00\\n\\\\u0041\n\/\u0041"'
same "$value" $'é😀\\n\\\\u0041\n/A' "every escape of JSON is understood"
document='{ "a" : [1, {"b": "}]\""}, null], "c\n": true, "d": -1.5e3 }'
json_get value "$document" a 1 b
same "$value" '}]"' "a path leads through objects and arrays"
json_get value "$document" $'c\n'
same "$value" true "names may hold escapes"
json_raw value "$document" a
same "$value" '[1, {"b": "}]\""}, null]' "raw JSON stays as it is written"
json_get value "$document" d
same "$value" -1.5e3 "numbers stay as they are written"
json_get value "$document" a 7 && failed=1
same "$value" '' "what is not there is empty, with a status"
json_get value 'null' x && failed=1

drive plugin.sh '{"greeting":"Moin"}'
call greet '{"name":"Ada"}' || failed=1
same "$answer" 'Moin, Ada!' "an action answers from its input and configuration"
call greet
same "$answer" 'Moin, world!' "no input is good as well"
call nothing
same "$answer" '' "an action may answer nothing"
call sell
same "$error_code: $error_message" 'sold_out: none "left"' "an error has a code and a message"
call forget
same "$error_code: $error_message" 'panicked: action_forget ended with status 3 and did not say why' "a status is an error"
call count
same "${chunks[*]}" '1 2 3' "chunks come in their order"
host_state_get() { host_answer='"text":"kept"'; }
call remember key
same "$answer" 'kept' "the host answers"
host_state_get() { host_answer='"result":null'; }
call remember key
same "$answer" '' "no bytes are no text"
call reach
same "$error_code" 'not_supported' "the host's errors come as they are"
same "${#logged[@]}" 2 "log lines are collected"
call stray
same "$answer" 'printed nothing here' "what a command prints does not reach the host"
call missing
same "$error_code" 'not_supported' "an unknown action is refused"
ask import_state '{"plugin_id":"driven","base64":"AAE="}'
call bytes
same "$answer" 'AAE=' "bytes that are no text come as base64 and go out again"
finish || failed=1

if ((failed)); then exit 1; else echo "all as it should be"; fi
