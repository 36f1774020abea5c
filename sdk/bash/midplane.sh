# Midplane plugins in Bash 4.2 or newer: the text protocol of contract/text.md, without any other program.
#
#     . "${MIDPLANE_SH:-./midplane.sh}"
#     action_greet() { json_get name "$input" name; reply "Hello, $name!"; }
#     run
#
# Functions `action_NAME` are actions, functions `on_HOOK` are hooks (on_init, on_start, on_stop, on_health, on_event, …).
# README.md describes what they may use. Names that begin with `_mp` are this file's own.

# What is set here is for plugins to read; braces in brackets are those of JSON.
# shellcheck disable=SC2034,SC1083

# A plugin's commands see neither the host's messages nor its answers: stdin is empty, stdout goes to the log.
exec {_mp_in}<&0 {_mp_out}>&1 0</dev/null 1>&2
LC_ALL=C

_mp_id='' _mp_answered=1 _mp_asked=0
_mp_queue=()

# ---- JSON ------------------------------------------------------------------------------------------------------------

# json_string VAR TEXT: TEXT (UTF-8) as a JSON string, quotes included.
json_string() {
    local _mps=$2 _mps_c _mps_at _mps_out
    _mps=${_mps//\\/\\\\} _mps=${_mps//\"/\\\"} _mps=${_mps//$'\n'/\\n} _mps=${_mps//$'\t'/\\t} _mps=${_mps//$'\r'/\\r}
    if [[ $_mps == *[$'\x01'-$'\x1f']* ]]; then
        for ((_mps_at = 1; _mps_at < 32; _mps_at++)); do
            printf -v _mps_out '\\x%02x' "$_mps_at"
            # shellcheck disable=SC2059 # the escape is what is wanted
            printf -v _mps_c "$_mps_out"
            printf -v _mps_out '\\u%04x' "$_mps_at"
            _mps=${_mps//"$_mps_c"/$_mps_out}
        done
    fi
    printf -v "$1" '"%s"' "$_mps"
}

# json_text VAR STRING: what a JSON string says; its quotes may be there or not.
json_text() {
    local _mpt=$2 _mpt_part _mpt_out='' _mpt_hex _mpt_code _mpt_low _mpt_done
    [[ $_mpt == \"*\" ]] && _mpt=${_mpt:1:${#_mpt}-2}
    if [[ $_mpt != *\\* ]]; then
        printf -v "$1" %s "$_mpt"
        return
    fi
    # Pieces between escaped backslashes: in them a backslash always begins another escape.
    while :; do
        _mpt_part=${_mpt%%\\\\*}
        [[ $_mpt_part == "$_mpt" ]] && _mpt_done=1 || _mpt_done=
        _mpt=${_mpt:${#_mpt_part}}
        _mpt_part=${_mpt_part//\\\"/\"} _mpt_part=${_mpt_part//\\\//\/} _mpt_part=${_mpt_part//\\n/$'\n'} _mpt_part=${_mpt_part//\\t/$'\t'}
        _mpt_part=${_mpt_part//\\r/$'\r'} _mpt_part=${_mpt_part//\\b/$'\b'} _mpt_part=${_mpt_part//\\f/$'\f'}
        while [[ $_mpt_part =~ \\u([0-9a-fA-F]{4})(\\u([dD][c-fC-F][0-9a-fA-F]{2}))? ]]; do
            _mpt_hex=${BASH_REMATCH[0]:0:6} _mpt_code=$((16#${BASH_REMATCH[1]})) _mpt_low=${BASH_REMATCH[3]}
            if ((_mpt_code >= 0xD800 && _mpt_code < 0xDC00)) && [[ -n $_mpt_low ]]; then
                _mpt_hex=${BASH_REMATCH[0]} _mpt_code=$((0x10000 + ((_mpt_code - 0xD800) << 10) + 16#$_mpt_low - 0xDC00))
            fi
            _mp_utf8 _mpt_low "$_mpt_code"
            _mpt_out+=${_mpt_part%%"$_mpt_hex"*}$_mpt_low
            _mpt_part=${_mpt_part#*"$_mpt_hex"}
        done
        _mpt_out+=$_mpt_part
        [[ -n $_mpt_done ]] && break
        _mpt_out+=\\
        _mpt=${_mpt:2}
    done
    printf -v "$1" %s "$_mpt_out"
}

_mp_utf8() {
    local _mpu=$2 _mpu_f
    if ((_mpu < 0x80)); then
        printf -v _mpu_f '\\x%02x' "$_mpu"
    elif ((_mpu < 0x800)); then
        printf -v _mpu_f '\\x%02x\\x%02x' $((0xC0 | _mpu >> 6)) $((0x80 | _mpu & 63))
    elif ((_mpu < 0x10000)); then
        printf -v _mpu_f '\\x%02x\\x%02x\\x%02x' $((0xE0 | _mpu >> 12)) $((0x80 | _mpu >> 6 & 63)) $((0x80 | _mpu & 63))
    else
        printf -v _mpu_f '\\x%02x\\x%02x\\x%02x\\x%02x' \
            $((0xF0 | _mpu >> 18)) $((0x80 | _mpu >> 12 & 63)) $((0x80 | _mpu >> 6 & 63)) $((0x80 | _mpu & 63))
    fi
    # shellcheck disable=SC2059 # the escapes are what is wanted
    printf -v "$1" "$_mpu_f"
}

# The JSON value that the text in _mpr_j begins with moves to _mpr_v.
_mp_value() {
    local _depth=0 _rest
    _mpr_v=''
    case $_mpr_j in
        \"*)
            [[ $_mpr_j =~ ^\"([^\"\\]|\\.)*\" ]] || return 1
            _mpr_v=${BASH_REMATCH[0]} ;;
        [[{]*)
            _rest=$_mpr_j
            while :; do
                [[ $_rest =~ ^([^]\[{}\"]+|\"([^\"\\]|\\.)*\"|[]\[{}]) ]] || return 1
                case ${BASH_REMATCH[0]} in
                    # As deep as JSON goes anywhere in the contract; what is deeper would take minutes to walk.
                    [[{]) ((++_depth <= 128)) || return 1 ;;
                    []}]) ((--_depth)) ;;
                esac
                _mpr_v+=${BASH_REMATCH[0]}
                _rest=${_rest:${#BASH_REMATCH[0]}}
                ((_depth > 0)) || break
            done ;;
        *)
            [[ $_mpr_j =~ ^[^],}[:space:]]+ ]] || return 1
            _mpr_v=${BASH_REMATCH[0]} ;;
    esac
    _mpr_j=${_mpr_j:${#_mpr_v}}
}

_mp_space() { _mpr_j=${_mpr_j#"${_mpr_j%%[![:space:]]*}"}; }

# json_raw VAR JSON KEY…: the value at a path of object keys and array positions, as JSON. Status 1 where there is none.
json_raw() {
    local _mpr_name=$1 _mpr_j=$2 _mpr_v _mpr_key _mpr_at
    shift 2
    _mp_space
    for _mpr_key in "$@"; do
        case $_mpr_j in
            \{*)
                _mpr_j=${_mpr_j:1}
                while _mp_space; [[ $_mpr_j == \"* ]]; do
                    _mp_value || return 1
                    json_text _mpr_at "$_mpr_v"
                    _mp_space; _mpr_j=${_mpr_j#:}; _mp_space
                    [[ $_mpr_at == "$_mpr_key" ]] && continue 2
                    _mp_value || return 1
                    _mp_space; _mpr_j=${_mpr_j#,}
                done
                return 1 ;;
            \[*)
                _mpr_j=${_mpr_j:1}
                for ((_mpr_at = 0; _mpr_at <= _mpr_key; _mpr_at++)); do
                    _mp_space
                    [[ -z $_mpr_j || $_mpr_j == \]* ]] && return 1
                    ((_mpr_at == _mpr_key)) && continue 2
                    _mp_value || return 1
                    _mp_space; _mpr_j=${_mpr_j#,}
                done
                return 1 ;;
            *) return 1 ;;
        esac
    done
    _mp_value || return 1
    printf -v "$_mpr_name" %s "$_mpr_v"
}

# json_get VAR JSON KEY…: the same, strings as their text. VAR is empty where there is none.
json_get() {
    local _mpg
    if ! json_raw _mpg "${@:2}"; then
        printf -v "$1" %s ''
        return 1
    fi
    if [[ $_mpg == \"* ]]; then json_text "$1" "$_mpg"; else printf -v "$1" %s "$_mpg"; fi
}

# ---- Answers ---------------------------------------------------------------------------------------------------------

_mp_say() { printf '%s\n' "$1" >&"$_mp_out" || exit 0; }

# reply TEXT: answers with TEXT.
reply() {
    local _t
    ((_mp_answered)) && return
    if ((${#1} > 16384)) && type -P base64 >/dev/null; then
        _mp_answered=1
        printf %s "$1" | _mp_stream
    else
        json_string _t "$1"
        _mp_answer "\"text\":$_t"
    fi
}
# Answers with stdin, through no variable: each costs a large text another second.
_mp_stream() {
    {
        printf '{"id":"%s","base64":"' "$_mp_id" && base64 -w0 && printf '"}\n'
    } >&"$_mp_out"
}
# A text as a field. Large ones go through base64, which is quicker than looking for what a JSON string escapes.
_mp_field() {
    if ((${#2} > 16384)) && type -P base64 >/dev/null; then
        printf -v "$1" '"base64":"%s"' "$(printf %s "$2" | base64 -w0)"
    else
        json_string "$1" "$2"
        printf -v "$1" '"text":%s' "${!1}"
    fi
}
# reply_json JSON, reply_base64 BASE64: answers with JSON, or with the bytes that BASE64 stands for.
reply_json() { _mp_answer "\"result\":$1"; }
reply_base64() {
    ((_mp_answered)) && return
    _mp_answered=1
    printf '{"id":"%s","base64":"%s"}\n' "$_mp_id" "$1" >&"$_mp_out" || exit 0
}
# COMMAND | reply_bytes does not work (it would answer in a subshell): reply_bytes < FILE, or < <(COMMAND).
reply_bytes() {
    ((_mp_answered)) && return
    _mp_answered=1
    _mp_stream
}
# chunk TEXT, chunk_json JSON, chunk_base64 BASE64: a piece of the answer, any number of them.
chunk() {
    local _t
    _mp_field _t "$1"
    _mp_say "{\"id\":\"$_mp_id\",\"more\":true,$_t}"
}
chunk_json() { _mp_say "{\"id\":\"$_mp_id\",\"more\":true,\"result\":$1}"; }
chunk_base64() { printf '{"id":"%s","more":true,"base64":"%s"}\n' "$_mp_id" "$1" >&"$_mp_out" || exit 0; }
# fail CODE MESSAGE [DATA [RECOVERABLE]]: answers with an error; DATA is a JSON object, RECOVERABLE true or false.
fail() {
    local _c _m
    json_string _c "$1"
    json_string _m "${2-}"
    _mp_answer "\"error\":{\"code\":$_c,\"message\":$_m,\"data\":${3:-null},\"recoverable\":${4:-false}}"
    return 1
}

_mp_answer() {
    ((_mp_answered)) && return
    _mp_answered=1
    _mp_say "{\"id\":\"$_mp_id\",$1}"
}

# input_bytes: writes the input to stdout, whatever it is.
input_bytes() {
    if [[ -n $input_base64 ]]; then base64 -d <<<"$input_base64"; else printf %s "$input"; fi
}

# ---- The host --------------------------------------------------------------------------------------------------------

# log LEVEL MESSAGE [FIELDS]: a line of the log; LEVEL is trace, debug, info, warn or error, FIELDS a JSON object.
log() {
    local _m
    json_string _m "$2"
    _mp_say "{\"method\":\"log\",\"params\":{\"level\":\"$1\",\"message\":$_m${3:+,\"fields\":$3}}}"
}

# host FUNCTION [PARAMS]: asks the host. The answer is in $answer (text) or $answer_base64; where it is an error, status
# 1, $error_code and $error_message.
host() {
    local _id=b$((++_mp_asked)) _line _data
    answer='' answer_base64='' error_code='' error_message=''
    _mp_say "{\"id\":\"$_id\",\"method\":\"$1\",\"params\":${2:-{\}}}"
    while _mp_read; do
        if [[ $_line != "{\"id\":\"$_id\","* ]]; then
            _mp_queue+=("$_line" "$_data")
            continue
        fi
        if [[ $_line == "{\"id\":\"$_id\",\"error\":"* ]]; then
            json_get error_code "$_line" error code
            json_get error_message "$_line" error message
            return 1
        fi
        _mp_payload "${_line:0:${#_line}-1}" answer
        return 0
    done
    exit 0
}

# call_plugin ADDRESS [TEXT]: calls another plugin's action; the answer as with host.
call_plugin() {
    local _a _t
    json_string _a "$1"
    _mp_field _t "${2-}"
    host call "{\"address\":$_a,$_t}"
}
# state_get KEY, state_set KEY TEXT, state_delete KEY: the plugin's own state.
state_get() {
    local _k
    json_string _k "$1"
    host state.get "{\"key\":$_k}"
}
state_set() {
    local _k _t
    json_string _k "$1"
    _mp_field _t "$2"
    host state.set "{\"key\":$_k,$_t}"
}
state_delete() {
    local _k
    json_string _k "$1"
    host state.delete "{\"key\":$_k}"
}
# publish TOPIC TEXT: an event.
publish() {
    local _k _t
    json_string _k "$1"
    _mp_field _t "$2"
    host bus.publish "{\"topic\":$_k,$_t}"
}

# ---- Messages --------------------------------------------------------------------------------------------------------

# The next message in _line, what follows it in _data.
_mp_read() {
    _data=''
    IFS= read -r -u "$_mp_in" _line || return 1
    if [[ $_line == *',"attached'* && $_line =~ ,\"attached(_text)?\":([0-9]+)\}+$ ]]; then
        # Counted bytes are read many at a time, a line one by one.
        IFS= read -r -N "${BASH_REMATCH[2]}" -u "$_mp_in" _data && IFS= read -r -u "$_mp_in" _ || return 1
    fi
    [[ $_line != '{"method":"shutdown"'* ]] || exit 0
}

_mp_next() {
    if ((${#_mp_queue[@]})); then
        _line=${_mp_queue[0]} _data=${_mp_queue[1]}
        _mp_queue=("${_mp_queue[@]:2}")
    else
        _mp_read
    fi
}

# _mp_payload FIELDS NAME: the bytes of a message into NAME or NAME_base64. FIELDS has lost the message's last brace.
_mp_payload() {
    local _fields=$1
    printf -v "$2" %s ''
    printf -v "${2}_base64" %s ''
    case $_fields in
        # The names are this file's own.
        *',"attached_text":'*) eval "$2=\$_data" ;;
        *',"attached":'*) eval "${2}_base64=\$_data" ;;
        *',"text":"'*) json_text "$2" "\"${_fields#*,\"text\":\"}" ;;
        *',"base64":"'*)
            _fields=${_fields#*,\"base64\":\"}
            printf -v "${2}_base64" %s "${_fields%\"}" ;;
        # No bytes at all.
        *',"result":null') ;;
        *',"result":'*) printf -v "$2" %s "${_fields#*,\"result\":}" ;;
    esac
}

# Runs what a request asks for.
_mp_run() {
    local _function=$1 _status
    if ! declare -F "$_function" >/dev/null; then
        fail not_supported "unknown method: ${_function#*_}"
        return
    fi
    "$_function"
    _status=$?
    if ((_status != 0 && !_mp_answered)); then
        fail panicked "$_function ended with status $_status and did not say why"
    fi
    _mp_answer '"result":null'
}

_mp_request() {
    local _method=$1 _params=$2
    params=$_params input='' input_base64=''
    case $_method in
        call)
            [[ $_params =~ ^\{\"action\":\"([^\"]+)\" ]] || return
            action=${BASH_REMATCH[1]}
            _mp_payload "${_params:0:${#_params}-1}" input
            _mp_run "action_$action" ;;
        initialize | validate_config | config_changed)
            json_raw config "$_params" config
            if [[ $_method == initialize ]]; then _method=init; fi
            _mp_run "on_$_method" ;;
        health_check) _mp_run on_health ;;
        import_state | migrate | migrate_back)
            _mp_payload "${_params:0:${#_params}-1}" input
            _mp_run "on_$_method" ;;
        *) _mp_run "on_$_method" ;;
    esac
}

# _mp_list PREFIX: the names of the functions that begin so, as the inside of a JSON array.
_mp_list() {
    local _n
    while IFS= read -r _n; do printf ',"%s"' "${_n#"$1"}"; done < <(compgen -A function "$1")
}

# run: registers and serves, and does not return. From then on $plugin_id, $plugin_version and $generation say what the
# host calls this plugin.
run() {
    local _line _data _actions _hooks
    _actions=$(_mp_list action_) _hooks=$(_mp_list on_)
    _mp_say "{\"id\":\"r\",\"method\":\"register\",\"params\":{\"encoding\":\"text\",\"attach\":256,\
\"actions\":[${_actions#,}],\"hooks\":[${_hooks#,}]}}"
    while _mp_next; do
        if [[ $_line =~ ^\{\"id\":\"([0-9]+)\",\"method\":\"([a-z_]+)\",\"params\":(.*)\}$ ]]; then
            _mp_id=${BASH_REMATCH[1]} _mp_answered=0
            _mp_request "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
        elif [[ $_line == '{"id":"r",'* ]]; then
            json_get plugin_id "$_line" result plugin_id
            json_get plugin_version "$_line" result version
            json_get generation "$_line" result generation
        fi
    done
    exit 0
}
