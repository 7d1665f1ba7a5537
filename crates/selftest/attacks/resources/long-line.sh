head -c 1G /dev/zero
echo "all written" >&2
