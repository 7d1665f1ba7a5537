#!/bin/bash
# Text work: CSV into a table, a caesar cipher, roman numerals, Unicode, printf formats, dates.
table() {
    local -a widths=() cells
    local line i
    local -a rows
    mapfile -t rows
    for line in "${rows[@]}"; do
        IFS=, read -ra cells <<< "$line"
        for i in "${!cells[@]}"; do
            ((${#cells[i]} > ${widths[i]:-0})) && widths[i]=${#cells[i]}
        done
    done
    for line in "${rows[@]}"; do
        IFS=, read -ra cells <<< "$line"
        for i in "${!widths[@]}"; do
            printf '| %s%*s ' "${cells[i]}" $((widths[i] - ${#cells[i]})) ''
        done
        echo '|'
    done
}
table <<'CSV'
city,river,people
Köln,Rhein,1073096
Zürich,Limmat,421878
Łódź,,670642
CSV

rotate() {
    local letters=ABCDEFGHIJKLMNOPQRSTUVWXYZ
    local shifted=${letters:$1}${letters:0:$1}
    tr "$letters${letters,,}" "$shifted${shifted,,}"
}
secret=$(rotate 13 <<< 'Attack at Dawn, 5 o'\''clock!')
echo "$secret -> $(rotate 13 <<< "$secret")"

roman() {
    local n=$1 out='' pair
    for pair in 1000:M 900:CM 500:D 400:CD 100:C 90:XC 50:L 40:XL 10:X 9:IX 5:V 4:IV 1:I; do
        for (( ; n >= ${pair%:*}; n -= ${pair%:*})); do out+=${pair#*:}; done
    done
    echo "$out"
}
for year in 4 1994 2024 3999; do printf '%d=%s ' "$year" "$(roman "$year")"; done
echo

text='naïve Ωmega 日本'
echo "${#text} characters, $(printf %s "$text" | wc -c) bytes, ${text:6:1}, ${text^^}"
printf '%05d|%-6s|%+.2e|%x|%o|%q|%b|%c\n' 42 ab 12345.678 255 8 "it's" 'a\tb' xyz
printf '%(%Y-%m-%d %H:%M:%S %j)T\n' 1700000000
for ((i = 0; i < 8; i++)); do printf '\\%03o ' $((64 + i)); done
echo
palindrome() { local s=${1,,}; s=${s//[^a-z]/}; [[ $s == "$(rev_string "$s")" ]]; }
rev_string() { local i out=; for ((i = ${#1} - 1; i >= 0; i--)); do out+=${1:i:1}; done; echo "$out"; }
for phrase in "A man, a plan, a canal: Panama" "No palindrome"; do
    if palindrome "$phrase"; then echo "yes: $phrase"; else echo "no: $phrase"; fi
done
set -f
echo '*' | { read -r glob; echo $glob "$(echo -e 'tab\there')" ${glob//\*/star}; }
