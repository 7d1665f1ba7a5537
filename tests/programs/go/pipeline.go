// Goroutines and channels: a pipeline, a worker pool, select, contexts, a race-free counter.
package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

func generate(ctx context.Context) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for n := 2; ; n++ {
			select {
			case out <- n:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func sieve(ctx context.Context, in <-chan int, prime int) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for n := range in {
			if n%prime == 0 {
				continue
			}
			select {
			case out <- n:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

type result struct{ n, divisors int }

func divisors(n int) (count int) {
	for d := 1; d <= n; d++ {
		if n%d == 0 {
			count++
		}
	}
	return
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	in := generate(ctx)
	var primes []int
	for len(primes) < 15 {
		prime := <-in
		primes = append(primes, prime)
		in = sieve(ctx, in, prime)
	}
	cancel()
	fmt.Println("primes:", primes)

	tasks, results := make(chan int), make(chan result, 4)
	var workers sync.WaitGroup
	for i := 0; i < 4; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for n := range tasks {
				results <- result{n, divisors(n)}
			}
		}()
	}
	go func() {
		for n := 1; n <= 360; n++ {
			tasks <- n
		}
		close(tasks)
		workers.Wait()
		close(results)
	}()
	var all []result
	for r := range results {
		all = append(all, r)
	}
	sort.Slice(all, func(i, j int) bool {
		return all[i].divisors > all[j].divisors || all[i].divisors == all[j].divisors && all[i].n < all[j].n
	})
	fmt.Println("most divisors:", all[:3], "of", len(all))

	var total atomic.Int64
	var once sync.Once
	var mutex sync.Mutex
	seen := map[int64]bool{}
	var group sync.WaitGroup
	for i := int64(1); i <= 100; i++ {
		group.Add(1)
		go func(i int64) {
			defer group.Done()
			once.Do(func() { fmt.Println("once") })
			value := total.Add(i)
			mutex.Lock()
			seen[value] = true
			mutex.Unlock()
		}(i)
	}
	group.Wait()
	fmt.Println("total:", total.Load(), "distinct sums:", len(seen))

	timed, stop := context.WithTimeout(context.WithValue(context.Background(), "who", "main"), 5*time.Millisecond)
	defer stop()
	select {
	case <-time.After(time.Minute):
		fmt.Println("too late")
	case <-timed.Done():
		fmt.Println(timed.Err(), errors.Is(timed.Err(), context.DeadlineExceeded), timed.Value("who"))
	}
}
