// Standard input through bufio, regexp, text/template, tabwriter and sort; flags from the arguments.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"text/tabwriter"
	"text/template"
	"unicode"
)

type entry struct {
	Name   string
	Amount float64
	Tags   []string
}

var line = regexp.MustCompile(`^\s*(?P<name>[\p{L} ]+?)\s*:\s*(?P<amount>-?\d+(?:\.\d+)?)\s*(?P<tags>(?:#\w+\s*)*)$`)

const report = `{{define "entry"}}{{printf "%-8s" .Name}} {{printf "%8.2f" .Amount}}{{range $i, $t := .Tags}}{{if $i}},{{end}} {{$t | upper}}{{else}} -{{end}}{{end -}}
{{.Title}}
{{range .Entries}}{{template "entry" .}}
{{end}}{{if gt .Total 0.0}}in the black: {{.Total}}{{else}}in the red: {{.Total}}{{end}}
`

func main() {
	title := flag.String("title", "untitled", "")
	descending := flag.Bool("desc", false, "")
	flag.Parse()

	var entries []entry
	var total float64
	scanner := bufio.NewScanner(os.Stdin)
	for number := 1; scanner.Scan(); number++ {
		match := line.FindStringSubmatch(scanner.Text())
		if match == nil {
			fmt.Printf("line %d: cannot read %q\n", number, scanner.Text())
			continue
		}
		amount, _ := strconv.ParseFloat(match[line.SubexpIndex("amount")], 64)
		total += amount
		entries = append(entries, entry{match[1], amount, strings.Fields(match[3])})
	}
	sort.SliceStable(entries, func(i, j int) bool {
		return entries[i].Amount < entries[j].Amount != *descending
	})
	functions := template.FuncMap{"upper": strings.ToUpper}
	shown := template.Must(template.New("report").Funcs(functions).Parse(report))
	if err := shown.Execute(os.Stdout, map[string]any{"Title": *title, "Entries": entries, "Total": total}); err != nil {
		fmt.Println(err)
	}

	tags := map[string]int{}
	for _, e := range entries {
		for _, tag := range e.Tags {
			tags[tag]++
		}
	}
	names := make([]string, 0, len(tags))
	for name := range tags {
		names = append(names, name)
	}
	sort.Strings(names)
	writer := tabwriter.NewWriter(os.Stdout, 0, 4, 1, '.', tabwriter.AlignRight)
	for _, name := range names {
		fmt.Fprintf(writer, "%s\t%d\t\n", name, tags[name])
	}
	writer.Flush()
	fmt.Println(flag.Args(), strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, "Straße Ñandú"), len("日本"), []rune("日本")[1], strings.EqualFold("ΣΊΣΥΦΟΣ", "σίσυφος"))
}
