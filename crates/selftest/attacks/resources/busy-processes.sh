# More hungry processes than the host has CPUs.
for _ in {1..100}; do while :; do :; done & done
wait
