// Big integers, rationals and floats of math/big; bits and integer overflow.
package main

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
)

func fibonacci(n int) *big.Int {
	a, b := big.NewInt(0), big.NewInt(1)
	for ; n > 0; n-- {
		a.Add(a, b)
		a, b = b, a
	}
	return a
}

// machin gives pi to that many digits: pi/4 = 4 arctan(1/5) - arctan(1/239).
func machin(digits int64) *big.Int {
	unity := new(big.Int).Exp(big.NewInt(10), big.NewInt(digits+10), nil)
	arctan := func(x int64) *big.Int {
		sum, power := new(big.Int), new(big.Int).Div(unity, big.NewInt(x))
		square := big.NewInt(x * x)
		for n, sign := int64(1), int64(1); power.Sign() != 0; n, sign = n+2, -sign {
			term := new(big.Int).Div(power, big.NewInt(n*sign))
			sum.Add(sum, term)
			power.Div(power, square)
		}
		return sum
	}
	pi := arctan(5)
	pi.Mul(pi, big.NewInt(4)).Sub(pi, arctan(239)).Mul(pi, big.NewInt(4))
	return pi.Div(pi, new(big.Int).Exp(big.NewInt(10), big.NewInt(10), nil))
}

func main() {
	fmt.Println("F(300) =", fibonacci(300))
	fmt.Println("pi =", machin(70))
	factorial := new(big.Int).MulRange(1, 50)
	fmt.Println("50! =", factorial, "bits:", factorial.BitLen(), "zeros:", factorial.TrailingZeroBits())
	for _, exponent := range []uint{61, 67, 89, 127} {
		mersenne := new(big.Int).Lsh(big.NewInt(1), exponent)
		mersenne.Sub(mersenne, big.NewInt(1))
		fmt.Printf("2^%d-1 prime: %t\n", exponent, mersenne.ProbablyPrime(20))
	}
	p, q, e := big.NewInt(1000000007), big.NewInt(998244353), big.NewInt(65537)
	n := new(big.Int).Mul(p, q)
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	d := new(big.Int).ModInverse(e, phi)
	message := new(big.Int).SetBytes([]byte("hello!"))
	cipher := new(big.Int).Exp(message, e, n)
	fmt.Printf("%x -> %s\n", cipher, new(big.Int).Exp(cipher, d, n).Bytes())

	sum := new(big.Rat)
	for k := int64(1); k <= 20; k++ {
		sum.Add(sum, big.NewRat(1, k))
	}
	fmt.Println("H(20) =", sum, sum.FloatString(15))
	root, _ := new(big.Float).SetPrec(200).SetString("2")
	fmt.Println("sqrt 2 =", root.Sqrt(root).Text('f', 50))

	var small uint8 = 250
	small += 10
	high, low := bits.Mul64(math.MaxUint64, 3)
	fmt.Println(small, int32(math.MaxInt32)+int32(small)-3, high, low, bits.OnesCount(255), bits.Reverse8(3), -7/2, -7%2, 7&^5)
	zero := 0.0
	fmt.Println(1/zero, -1/zero, zero/zero, math.Hypot(3, 4), math.Inf(1) > math.MaxFloat64, 0.1+0.2, float32(0.1))
	defer func() { fmt.Println("recovered:", recover()) }()
	fmt.Println(1 / int(zero))
}
