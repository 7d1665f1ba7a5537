(while :; do echo child; done) &
echo parent
