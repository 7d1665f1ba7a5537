#!/bin/bash
# Functions that take functions, recursion, namerefs, traps, subshells, exit codes.
map() { # function items…
    local function=$1 item
    shift
    for item; do "$function" "$item"; done
}
filter() {
    local test=$1 item
    shift
    for item; do if "$test" "$item"; then echo "$item"; fi; done
}
fold() { # function start items…
    local function=$1 value=$2 item
    shift 2
    for item; do value=$("$function" "$value" "$item"); done
    echo "$value"
}
square() { echo $(($1 * $1)); }
even() { (($1 % 2 == 0)); }
plus() { echo $(($1 + $2)); }

numbers=({1..10})
mapfile -t squares < <(map square "${numbers[@]}")
mapfile -t evens < <(filter even "${squares[@]}")
echo "squares: ${squares[*]}"
echo "even ones: ${evens[*]} sum: $(fold plus 0 "${evens[@]}")"

hanoi() { # n from to over
    (($1 == 0)) && return
    hanoi $(($1 - 1)) "$2" "$4" "$3"
    moves+=("$2$3")
    hanoi $(($1 - 1)) "$4" "$3" "$2"
}
moves=()
hanoi 4 A C B
echo "${#moves[@]} moves: ${moves[*]}"

counter() { # makes a function with a state of its own
    eval "$1() { echo \$((++$1_count)); }"
    printf -v "$1_count" %d "$2"
}
counter tick 10
counter tock 100
tick && tick && tock && echo "$tick_count $tock_count"

trap 'echo "trap: exit $?"' EXIT
(trap 'echo "inner trap"' EXIT; exit 3)
echo "subshell said $?"
false | true | (exit 4)
echo "pipe: ${PIPESTATUS[*]}"
die() { echo "at line ${BASH_LINENO[0]} in ${FUNCNAME[1]}: $1"; return 9; }
work() { die "no good" || return $?; echo "never"; }
work || echo "work said $?"
IFS=, read -r first _ last <<< "one,two,three"
echo "$first $last ${undefined:-default} ${first:+set} ${#last} ${last^^} ${last/e/E} ${last%e*} ${last#*h}"
(set -e; false; echo "set -e does not count before ||") || echo "never"
