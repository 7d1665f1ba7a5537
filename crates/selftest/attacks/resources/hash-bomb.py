# Every key falls into the same slot: 2**61 - 1 is the modulus of int's hash.
table = {}
for n in range(10**7):
    table[n * (2**61 - 1)] = n
