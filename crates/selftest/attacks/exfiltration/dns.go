package main

import (
	"fmt"
	"net"
	"time"
)

func main() {
	begun := time.Now()
	addresses, err := net.LookupHost("example.com")
	if len(addresses) > 0 {
		fmt.Println("BREACH: resolved", addresses)
	}
	fmt.Println("refused", addresses, err)
	if time.Since(begun) > 3*time.Second {
		fmt.Println("BREACH: it hung")
	}
	fmt.Println("at once")
}
