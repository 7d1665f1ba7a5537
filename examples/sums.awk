# For a language of one's own (docs/languages.md): llm-firecracker run sums.awk < numbers.txt
{ sum += $1 }
END { print sum }
