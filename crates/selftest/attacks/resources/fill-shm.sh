for folder in /dev/shm /work; do
  for n in {1..100}; do
    head -c 60M /dev/zero > "$folder/$n" || { echo "refused file $n in $folder"; break; }
  done
  rm -f "$folder"/[0-9]*
done 2>&1
