// Interfaces, embedding, closures, defer and panic, type switches, errors, a small interpreter.
package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
)

type Shape interface {
	Area() float64
	Name() string
}

type named string

func (n named) Name() string { return string(n) }

type Circle struct {
	named
	r float64
}

type Square struct {
	named
	side float64
}

func (c Circle) Area() float64  { return math.Pi * c.r * c.r }
func (s *Square) Area() float64 { return s.side * s.side }
func (s *Square) Grow(by float64) *Square {
	s.side += by
	return s
}

type rot13 struct{ io.Reader }

func (r rot13) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	for i, b := range p[:n] {
		switch {
		case b >= 'a' && b <= 'z':
			p[i] = 'a' + (b-'a'+13)%26
		case b >= 'A' && b <= 'Z':
			p[i] = 'A' + (b-'A'+13)%26
		}
	}
	return n, err
}

type stackError struct {
	at int
	op string
}

func (e *stackError) Error() string { return fmt.Sprintf("word %d: %q needs more values", e.at, e.op) }

// evaluate runs reverse Polish notation.
func evaluate(program string) (value float64, err error) {
	var stack []float64
	at, word := 0, ""
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("evaluating %q: %w", program, &stackError{at, word})
		}
	}()
	pop := func() float64 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		return top
	}
	binary := map[string]func(a, b float64) float64{
		"+": func(a, b float64) float64 { return a + b },
		"-": func(a, b float64) float64 { return a - b },
		"*": func(a, b float64) float64 { return a * b },
		"^": math.Pow,
	}
	for at, word = range strings.Fields(program) {
		if operate, ok := binary[word]; ok {
			b, a := pop(), pop()
			stack = append(stack, operate(a, b))
			continue
		}
		var number float64
		if _, err := fmt.Sscan(word, &number); err != nil {
			return 0, fmt.Errorf("word %d: %w", at, err)
		}
		stack = append(stack, number)
	}
	return pop(), nil
}

func describe(values ...any) {
	for _, value := range values {
		switch v := value.(type) {
		case nil:
			fmt.Print("nil; ")
		case error:
			fmt.Print("error ", v, "; ")
		case fmt.Stringer, func() int:
			fmt.Printf("%T; ", v)
		case []int:
			fmt.Print("ints ", len(v), cap(v), "; ")
		default:
			fmt.Printf("%v (%T); ", v, v)
		}
	}
	fmt.Println()
}

func main() {
	square := &Square{"square", 2}
	for _, shape := range []Shape{Circle{"circle", 1.5}, square.Grow(0.5), square.Grow(1)} {
		fmt.Printf("%s %.3f\n", shape.Name(), shape.Area())
	}
	io.Copy(os.Stdout, rot13{strings.NewReader("Uryyb, jbeyq!\n")})
	for _, program := range []string{"3 4 + 2 *", "2 10 ^ 1 -", "1 +", "1 x"} {
		value, err := evaluate(program)
		var missing *stackError
		fmt.Println(value, err, errors.As(err, &missing))
	}
	counter := func() func() int {
		n := 0
		return func() int { n++; return n }
	}()
	counter()
	slice := make([]int, 2, 5)
	describe(nil, io.EOF, counter, slice, append(slice, 1)[:1], map[string]bool{"k": true}, 'x', "s", 2+1i)
	fmt.Println(counter(), slice[:3], [...]string{2: "c"})
	for i := 0; i < 3; i++ {
		defer fmt.Print(i, " deferred\n")
	}
}
