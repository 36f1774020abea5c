#!/usr/bin/env bash
. "$MIDPLANE_SH"

action_disks() {
    local list='' size used free mount
    while read -r size used free mount; do
        json_string mount "$mount"
        list+=",{\"mount\":$mount,\"bytes\":$size,\"used\":$used,\"free\":$free}"
    done < <(df --block-size=1 --output=size,used,avail,target | tail -n +2)
    reply_json "[${list#,}]"
}

action_largest() {
    local list='' folder count size path
    json_get folder "${input:-null}" folder && [[ -d $folder ]] || fail invalid_input "folder: name one" || return
    json_get count "$input" count || count=10
    while IFS=$'\t' read -r -d '' size path; do
        json_string path "${path#"${folder%/}/"}"
        list+=",{\"name\":$path,\"bytes\":$size}"
    done < <(du -0 -ab -d1 -- "$folder" | sort -z -rn | head -z -n $((count + 1)) | tail -z -n +2 | iconv -c -t UTF-8)
    reply_json "[${list#,}]"
}

run
