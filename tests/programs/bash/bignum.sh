#!/bin/bash
# Numbers beyond 64 bits in pure bash: digits in arrays, base 10000.
readonly BASE=10000

from_string() { # name digits
    local -n limbs=$1
    local digits=$2
    limbs=()
    while ((${#digits} > 4)); do
        limbs+=($((10#${digits: -4})))
        digits=${digits:0:-4}
    done
    limbs+=($((10#$digits)))
}

to_string() { # name
    local -n limbs_of=$1
    local i text=${limbs_of[-1]}
    for ((i = ${#limbs_of[@]} - 2; i >= 0; i--)); do
        printf -v text '%s%04d' "$text" "${limbs_of[i]}"
    done
    echo "$text"
}

multiply_small() { # name factor: in place
    local -n product=$1
    local i carry=0 factor=$2
    for i in "${!product[@]}"; do
        ((carry += product[i] * factor, product[i] = carry % BASE, carry /= BASE)) || :
    done
    for (( ; carry > 0; carry /= BASE)); do
        product+=($((carry % BASE)))
    done
}

add_to() { # name other: name += other
    local -n sum=$1 other=$2
    local i carry=0
    for ((i = 0; i < ${#other[@]} || carry; i++)); do
        ((carry += ${sum[i]:-0} + ${other[i]:-0}, sum[i] = carry % BASE, carry /= BASE)) || :
    done
}

from_string factorial 1
for ((n = 2; n <= 60; n++)); do
    multiply_small factorial "$n"
done
echo "60! = $(to_string factorial)"

from_string a 0
from_string b 1
for ((n = 0; n < 150; n++)); do
    add_to a b
    swap=("${a[@]}") a=("${b[@]}") b=("${swap[@]}")
done
echo "F(150) = $(to_string a)"

from_string power 1
for ((n = 0; n < 128; n++)); do
    multiply_small power 2
done
digits=$(to_string power)
echo "2^128 = $digits, ${#digits} digits"
for ((i = sum = 0; i < ${#digits}; i++)); do ((sum += ${digits:i:1})); done
echo "digit sum $sum, 64-bit wraps: $((2 ** 63)) and $((0x7fffffffffffffff + 1))"
