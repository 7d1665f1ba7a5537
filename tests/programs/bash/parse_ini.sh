#!/bin/bash
# Parses configuration and arguments with regular expressions, case, getopts and here-documents.
declare -A config
section=global line_number=0

while IFS= read -r line || [[ -n $line ]]; do
    ((++line_number))
    line=${line%%[;#]*}
    line=${line%"${line##*[![:space:]]}"}
    if [[ -z $line ]]; then
        continue
    elif [[ $line =~ ^\[([a-z_]+)\]$ ]]; then
        section=${BASH_REMATCH[1]}
    elif [[ $line =~ ^[[:space:]]*([A-Za-z_][A-Za-z0-9_]*)[[:space:]]*=[[:space:]]*\"?([^\"]*)\"?$ ]]; then
        config[$section.${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
    else
        echo "line $line_number is no setting: $line"
    fi
done <<'INI'
color = always
[server]
host = "example.org"   ; the name
port=8080
what is this
[paths]
  root = /srv/data files
INI
for key in "${!config[@]}"; do echo "$key=${config[$key]}"; done | sort

usage() { cat <<- USAGE
	usage: demo [-v] [-o FILE] -- NAME...
	    pid is a number: $([[ $$ =~ ^[0-9]+$ ]] && echo yes)
	USAGE
}
verbose=0 output=-
while getopts ':vo:' option; do
    case $option in
        v) ((++verbose)) ;;
        o) output=$OPTARG ;;
        :) echo "-$OPTARG needs a value" ;;
        \?) echo "no option -$OPTARG" ;;
    esac
done
shift $((OPTIND - 1))
echo "verbose=$verbose output=$output names=$# first='$1' last='${!#}'"
usage

shopt -s extglob
for text in 12 -7 3.14 0x1F 1e9 "" 12a; do
    case $text in
        ?(-)+([0-9])) kind=integer ;;
        ?(-)+([0-9]).+([0-9])) kind=decimal ;;
        0[xX]+([0-9a-fA-F])) kind=hexadecimal:$((text)) ;;
        "") kind=empty ;;
        *) kind=other ;;
    esac
    printf '%-5s %s\n' "'$text'" "$kind"
done
