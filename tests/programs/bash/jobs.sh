#!/bin/bash
# Processes: background jobs, wait, pipes, coprocesses, signals, process substitution, a lock.
collatz() {
    local n=$1 steps=0
    while ((n != 1)); do
        ((n = n % 2 ? 3 * n + 1 : n / 2, ++steps))
    done
    echo "$1:$steps"
}

folder=$(mktemp -d) || exit
for n in 27 97 6 41; do
    collatz "$n" > "$folder/$n" &
done
wait
echo "in parallel: $(cat "$folder"/* | sort -n | tr '\n' ' ')"

(exit 7) &
wait $!
echo "background said $?"

coproc ECHO { while read -r line; do echo "<${line^^}>"; done; }
echo hello >&"${ECHO[1]}"
read -r answer <&"${ECHO[0]}"
echo "coprocess: $answer"
echo again >&"${ECHO[1]}"
read -r answer <&"${ECHO[0]}"
echo "coprocess: $answer"
pid=$ECHO_PID
exec {ECHO[1]}>&-
wait "$pid" 2> /dev/null

mkfifo "$folder/fifo"
for word in one two three; do echo "$word"; done > "$folder/fifo" &
paste -d- <(printf '%s\n' 1 2 3) "$folder/fifo"
wait

trap 'signals+=("usr1")' USR1
trap 'signals+=("term")' TERM
signals=()
kill -USR1 $$
kill -TERM $$
echo "signals: ${signals[*]}"

sleep 60 &
kill -KILL $!
wait $! 2> "$folder/notice"
echo "killed: $?"

echo 0 > "$folder/total"
for i in {1..5}; do
    (
        until mkdir "$folder/lock" 2> /dev/null; do :; done
        echo $(($(< "$folder/total") + i)) > "$folder/new" && mv "$folder/new" "$folder/total"
        rmdir "$folder/lock"
    ) &
done
wait
echo "total: $(< "$folder/total")"
rm -r "$folder"
[[ ! -e $folder ]] && echo "cleaned"
