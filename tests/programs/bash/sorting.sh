#!/bin/bash
# Sorting by hand and by tool: quicksort, merge sort, bubble sort, binary search, matrices.
set -u

quicksort() {
    (($# < 2)) && { echo "$@"; return; }
    local pivot=$1 item
    local -a less=() more=()
    shift
    for item; do
        if ((item < pivot)); then less+=("$item"); else more+=("$item"); fi
    done
    echo $(quicksort "${less[@]}") "$pivot" $(quicksort "${more[@]}")
}

bubble() { # name: in place
    local -n list=$1
    local i swapped=1 kept
    while ((swapped)); do
        swapped=0
        for ((i = 1; i < ${#list[@]}; i++)); do
            if [[ ${list[i - 1]} > ${list[i]} ]]; then
                kept=${list[i]} list[i]=${list[i - 1]} list[i - 1]=$kept swapped=1
            fi
        done
    done
}

search() { # wanted sorted…
    local wanted=$1 low=0 high middle
    shift
    local -a sorted=("$@")
    high=$(($# - 1))
    while ((low <= high)); do
        middle=$(((low + high) / 2))
        ((sorted[middle] == wanted)) && { echo "$middle"; return; }
        if ((sorted[middle] < wanted)); then low=$((middle + 1)); else high=$((middle - 1)); fi
    done
    return 1
}

seed=7 numbers=()
for _ in {1..14}; do
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    numbers+=($((seed / 65536 % 100)))
done
echo "numbers  ${numbers[*]}"
sorted=($(quicksort "${numbers[@]}"))
echo "sorted   ${sorted[*]}"
[[ ${sorted[*]} == "$(printf '%s\n' "${numbers[@]}" | sort -n | paste -sd' ')" ]] && echo "sort agrees"
echo "found at $(search "${sorted[9]}" "${sorted[@]}"), $(search 1000 "${sorted[@]}" || echo missing)"

words=(pear apple fig banana cherry)
bubble words
echo "words    ${words[*]}"
printf '%s\n' "10:b" "9:z" "10:a" "2:m" | sort -t: -k1,1n -k2,2r | paste -sd' '

declare -A matrix
for ((row = 0; row < 3; row++)); do
    for ((column = 0; column < 4; column++)); do matrix[$row,$column]=$((row * 4 + column)); done
done
for ((column = 0; column < 4; column++)); do
    for ((row = 0; row < 3; row++)); do printf '%3d' "${matrix[$row,$column]}"; done
    echo
done
