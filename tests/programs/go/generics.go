// Generic containers and functions: a list, a heap, a set, map/filter/reduce, an LRU cache.
package main

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

type Ordered interface {
	~int | ~int64 | ~float64 | ~string
}

type Heap[T any] struct {
	items  []T
	before func(a, b T) bool
}

func (h *Heap[T]) Push(item T) {
	h.items = append(h.items, item)
	for at := len(h.items) - 1; at > 0; {
		up := (at - 1) / 2
		if !h.before(h.items[at], h.items[up]) {
			break
		}
		h.items[at], h.items[up] = h.items[up], h.items[at]
		at = up
	}
}

var errEmpty = errors.New("heap is empty")

func (h *Heap[T]) Pop() (top T, err error) {
	if len(h.items) == 0 {
		return top, fmt.Errorf("pop: %w", errEmpty)
	}
	last := len(h.items) - 1
	top, h.items[0] = h.items[0], h.items[last]
	h.items = h.items[:last]
	for at := 0; ; {
		child := 2*at + 1
		if child >= last {
			return top, nil
		}
		if child+1 < last && h.before(h.items[child+1], h.items[child]) {
			child++
		}
		if !h.before(h.items[child], h.items[at]) {
			return top, nil
		}
		h.items[at], h.items[child] = h.items[child], h.items[at]
		at = child
	}
}

func Map[T, U any](items []T, f func(T) U) []U {
	out := make([]U, 0, len(items))
	for _, item := range items {
		out = append(out, f(item))
	}
	return out
}

func Reduce[T, A any](items []T, start A, f func(A, T) A) A {
	for _, item := range items {
		start = f(start, item)
	}
	return start
}

func Max[T Ordered](first T, rest ...T) T {
	return Reduce(rest, first, func(a, b T) T {
		if b > a {
			return b
		}
		return a
	})
}

func Keys[K Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i] < keys[j] })
	return keys
}

type Celsius float64

func (c Celsius) String() string { return fmt.Sprintf("%.1f°C", float64(c)) }

func main() {
	words := strings.Fields("the quick brown fox jumps over the lazy dog")
	heap := &Heap[string]{before: func(a, b string) bool {
		return len(a) > len(b) || len(a) == len(b) && a < b
	}}
	for _, word := range words {
		heap.Push(word)
	}
	for word, err := heap.Pop(); ; word, err = heap.Pop() {
		if err != nil {
			fmt.Println("|", err, errors.Is(err, errEmpty))
			break
		}
		fmt.Print(word, " ")
	}
	lengths := Map(words, func(w string) int { return len(w) })
	fmt.Println(lengths, Reduce(lengths, 0, func(a, b int) int { return a + b }))
	fmt.Println(Max(3, 9, 4), Max("pear", "fig"), Max(Celsius(20.5), Celsius(-3)))
	count := map[string]int{}
	for _, word := range words {
		count[word]++
	}
	fmt.Println(Keys(count), count["the"], count)
	fmt.Printf("%T %v %+v %q\n", heap, Map([]int{1, 2}, func(i int) Celsius { return Celsius(i) }), struct{ A, B int }{1, 2}, words[:2])
}
