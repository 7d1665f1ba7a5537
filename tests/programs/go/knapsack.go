// Dynamic programming and search: knapsack, edit distance, eight queens, longest common subsequence, permutations.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
)

type item struct {
	name          string
	weight, value int
}

func knapsack(items []item, capacity int) (int, []string) {
	best := make([][]int, len(items)+1)
	best[0] = make([]int, capacity+1)
	for i, it := range items {
		best[i+1] = append([]int(nil), best[i]...)
		for room := it.weight; room <= capacity; room++ {
			if value := best[i][room-it.weight] + it.value; value > best[i+1][room] {
				best[i+1][room] = value
			}
		}
	}
	var chosen []string
	for i, room := len(items), capacity; i > 0; i-- {
		if best[i][room] != best[i-1][room] {
			chosen = append(chosen, items[i-1].name)
			room -= items[i-1].weight
		}
	}
	sort.Strings(chosen)
	return best[len(items)][capacity], chosen
}

func distance(a, b string) int {
	previous := make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range []byte(a) {
		current := []int{i + 1}
		for j := range []byte(b) {
			cost := previous[j]
			if a[i] != b[j] {
				cost++
			}
			if previous[j+1]+1 < cost {
				cost = previous[j+1] + 1
			}
			if current[j]+1 < cost {
				cost = current[j] + 1
			}
			current = append(current, cost)
		}
		previous = current
	}
	return previous[len(b)]
}

func queens(n int) (count int, first []int) {
	var place func(row []int, columns, left, right uint)
	place = func(row []int, columns, left, right uint) {
		if len(row) == n {
			if count++; first == nil {
				first = append([]int(nil), row...)
			}
			return
		}
		for c := 0; c < n; c++ {
			if bit := uint(1) << c; (columns|left|right)&bit == 0 {
				place(append(row, c), columns|bit, (left|bit)<<1, (right|bit)>>1)
			}
		}
	}
	place(nil, 0, 0, 0)
	return
}

func permute(letters []byte, visit func(string)) {
	if len(letters) < 2 {
		visit(string(letters))
		return
	}
	for i := range letters {
		rest := append(append([]byte(nil), letters[:i]...), letters[i+1:]...)
		permute(rest, func(tail string) { visit(string(letters[i]) + tail) })
	}
}

func main() {
	value, chosen := knapsack([]item{{"gold", 10, 60}, {"silver", 20, 100}, {"bronze", 30, 120}, {"map", 1, 5}}, 51)
	fmt.Println(value, chosen)
	fmt.Println(distance("kitten", "sitting"), distance("", "abc"), distance("intention", "execution"))
	count, first := queens(8)
	fmt.Println(count, first)
	for _, column := range first[:3] {
		fmt.Println(strings.Repeat(". ", column) + "Q" + strings.Repeat(" .", 7-column))
	}
	var all []string
	permute([]byte("gopher"), func(s string) { all = append(all, s) })
	digest := sha256.Sum256([]byte(strings.Join(all, ",")))
	fmt.Println(len(all), all[0], all[719], hex.EncodeToString(digest[:8]))
	var buffer bytes.Buffer
	dumper := hex.Dumper(&buffer)
	dumper.Write([]byte("throwaway microVM\n"))
	dumper.Close()
	fmt.Print(buffer.String())
}
