SECONDS=0
for name in example.com metadata.google.internal; do
  if exec 9<> "/dev/tcp/$name/80"; then echo "BREACH: resolved $name"; fi
  if getent hosts "$name"; then echo "BREACH: getent $name"; fi
done 2>&1
[ "$SECONDS" -gt 3 ] && echo "BREACH: it hung"
echo "at once"
