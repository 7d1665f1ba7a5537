package main

type a [1 << 30]int

var x = [...]a{{1}, {2}}

func main() { println(len(x)) }
