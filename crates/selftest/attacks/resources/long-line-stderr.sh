head -c 300M /dev/zero >&2
echo "all written"
