#!/usr/bin/env bash
# Compares the plugin's answers with those of the programs that it asks. Needs no host.
cd "${BASH_SOURCE[0]%/*}" || exit 1
. ../../../sdk/bash/drive.sh
place=$(mktemp -d) failed=0
trap 'rm -rf "$place"' EXIT

check() { # what is, what should be, about what
    [[ $1 == "$2" ]] && return
    printf 'not as it should be: %s\n  is:        %s\n  should be: %s\n' "$3" "$1" "$2"
    failed=1
}

head -c 30000 /dev/zero > "$place/large \"one\""
head -c 2000 /dev/zero > "$place/small"
mkdir "$place/folder" && head -c 90000 /dev/zero > "$place/folder/inside"
: > "$place/"$'not\xfftext'

drive ../plugin.sh
call largest "{\"folder\":\"$place\",\"count\":2}"
check "$answer" "[{\"name\":\"folder\",\"bytes\":$(du -sb "$place/folder" | cut -f1)},{\"name\":\"large \\\"one\\\"\",\"bytes\":30000}]" \
    "the largest come first, with their sizes"
call largest "{\"folder\":\"$place/\"}"
json_get name "$answer" 3 name
check "$name" nottext "names that are no text lose what is none"
call largest '{"folder":"/no/such/folder"}'
check "$error_code" invalid_input "a folder that is not there is refused"
call disks
json_get bytes "$answer" 0 bytes
check "$bytes" "$(df --block-size=1 --output=size | sed -n 2p | tr -d ' ')" "the size is the file system's"
finish || failed=1

if ((failed)); then exit 1; else echo "all as it should be"; fi
