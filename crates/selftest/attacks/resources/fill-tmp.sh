for n in {1..100}; do
  head -c 60M /dev/zero > "/tmp/$n" || { echo "refused file $n"; break; }
done 2>&1
