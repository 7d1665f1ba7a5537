#!/bin/bash
# Word frequencies of standard input with the classic pipeline, and again with an associative array.
set -euo pipefail

stop_words=" $* "
text=$(cat)

echo "== pipeline"
tr -cs '[:alpha:]' '\n' <<< "$text" | tr '[:upper:]' '[:lower:]' | sort | uniq -c | sort -k1,1nr -k2 |
    while read -r count word; do
        [[ $stop_words == *" $word "* ]] || printf '%-8s %d\n' "$word" "$count"
    done | sed -n '1,4p'

echo "== associative array"
declare -A counts
for word in $text; do
    word=${word,,}
    word=${word//[^a-z]/}
    [[ -n $word && $stop_words != *" $word "* ]] || continue
    counts[$word]=$((${counts[$word]:-0} + 1))
done
for word in "${!counts[@]}"; do
    printf '%d\t%s\n' "${counts[$word]}" "$word"
done | sort -k1,1nr -k2 | while IFS=$'\t' read -r count word; do
    ((count > 1)) || break
    bar=$(printf '%*s' "$count" '')
    echo "$word ${bar// /*}"
done

echo "== lines"
mapfile -t lines <<< "$text"
echo "${#lines[@]} lines, ${#text} characters, $(wc -w <<< "$text") words"
for ((i = ${#lines[@]} - 1; i >= 0; i--)); do
    printf '%s|' "${lines[i]:0:9}"
done
echo
