# Compiles the program in $1 and what it uses beside it into .classes, and notes which class is to be started: the one
# that 'main' stands in, or, where 'main' stands in none, the one that is called as the file. A public class of another
# name than its file's is compiled under its own.
program=$1
name=${program##*/}
# Prints: the package and a dot, the public type, the type of 'main' or else the first.
found=$(awk -v file="${name%.java}" '
    /^package[ \t]+[A-Za-z0-9_.]+[ \t]*;/ { sub(/^package[ \t]+/, ""); sub(/[ \t]*;.*/, ""); package = $0 "." }
    /^[A-Za-z@]/ && match($0, /(class|record|enum|interface)[ \t]+[A-Za-z0-9_$]+/) {
        split(substr($0, RSTART, RLENGTH), words, /[ \t]+/)
        last = words[2]
        if (first == "") first = last
        if ($1 == "public" && public == "") public = last
    }
    /^((public|static|final)[ \t]+)*void[ \t]+main[ \t]*\(/ && start == "" { start = file }
    /^[ \t].*void[ \t]+main[ \t]*\(/ && start == "" { start = last }
    END { print package "|" public "|" (start != "" ? start : first != "" ? first : "Main") }
' "$program")
package=${found%%|*}
public=${found#*|}
public=${public%|*}
mkdir -p .classes
printf '%s\n' "$package${found##*|}" > .classes/main
if [ -n "$public" ] && [ "$name" != "$public.java" ]; then
    mkdir -p /tmp/java && cp -- "$program" "/tmp/java/$public.java" && program=/tmp/java/$public.java
fi
exec /usr/bin/javac -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC -J-XX:-UsePerfData -encoding UTF-8 -proc:none \
    -sourcepath . -d .classes "$program"
