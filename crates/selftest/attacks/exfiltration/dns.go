package main

import (
	"fmt"
	"net"
	"time"
)

func main() {
	begun := time.Now()
	addresses, err := net.LookupHost("example.com")
	if err == nil {
		fmt.Println("BREACH: resolved", addresses)
	} else {
		fmt.Println("refused", err)
	}
	if time.Since(begun) > 3*time.Second {
		fmt.Println("BREACH: it hung")
	}
	fmt.Println("at once")
}
