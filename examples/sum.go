// Adds the numbers of its standard input: llm-firecracker run sum.go --stdin numbers.txt -- --verbose
package main

import (
	"flag"
	"fmt"
)

func main() {
	verbose := flag.Bool("verbose", false, "say how many there were")
	flag.Parse()
	var sum, count, number int
	for {
		if _, err := fmt.Scan(&number); err != nil {
			break
		}
		sum, count = sum+number, count+1
	}
	if *verbose {
		fmt.Println(count, "numbers")
	}
	fmt.Println(sum)
}
