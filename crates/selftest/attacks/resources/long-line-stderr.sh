head -c 40M /dev/zero >&2
echo "all written"
