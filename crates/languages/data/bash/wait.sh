# The waiting shell: bash runs this (BASH_ENV) before it opens main.sh, and goes on as if it had not.
unset BASH_ENV
printf 1 >&4
read -r <&3
exec 3<&- 4>&-
unset REPLY
# The clone's own randomness and time.
RANDOM=$SRANDOM
SECONDS=0
read -r HOSTNAME < /proc/sys/kernel/hostname
# What $_ says in a new shell.
: /bin/bash
