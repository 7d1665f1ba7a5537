# Runs the program in $1 on a new database in memory, up to its first error. Arguments become rows of a table.
program=$(printf %s "$1" | sed "s/'/''/g")
shift
if [ $# -gt 0 ]; then
    rows=
    for argument in "$@"; do
        rows="$rows${rows:+,}('$(printf %s. "$argument" | sed "s/'/''/g")"
        # The dot kept what the shell would have cut: line feeds at its end.
        rows="${rows%.}')"
    done
    set -- -cmd "CREATE TEMP TABLE argument(value TEXT); INSERT INTO argument VALUES $rows;"
fi
exec /usr/bin/sqlite3 -batch -bail -init /dev/null "$@" :memory: ".read '$program'"
