trap '' TERM INT HUP QUIT XCPU PIPE
while :; do sleep 60; done
