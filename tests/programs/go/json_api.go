// JSON with struct tags, custom marshalling, unknown shapes, streams and errors.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

type Level int

const (
	Low Level = iota
	High
)

func (l Level) MarshalText() ([]byte, error) { return []byte([]string{"low", "high"}[l]), nil }

func (l *Level) UnmarshalText(text []byte) error {
	switch string(text) {
	case "low":
		*l = Low
	case "high":
		*l = High
	default:
		return fmt.Errorf("no level %q", text)
	}
	return nil
}

type Ticket struct {
	ID      int            `json:"id"`
	Title   string         `json:"title"`
	Level   Level          `json:"level"`
	Opened  time.Time      `json:"opened"`
	Labels  []string       `json:"labels,omitempty"`
	Meta    map[string]any `json:"meta,omitempty"`
	Parent  *int           `json:"parent"`
	secret  string
	Nested  `json:"nested"`
	Counts  map[Level]int   `json:"counts,omitempty"`
	Ignored string          `json:"-"`
	Extra   json.RawMessage `json:"extra,omitempty"`
}

type Nested struct {
	Ratio float64 `json:"ratio,string"`
}

const stream = `
{"id": 1, "title": "caf\u00e9 <b>", "level": "high", "opened": "2024-02-29T12:00:00+01:00", "nested": {"ratio": "0.25"}, "extra": [1,  2]}
{"id": 2, "title": "second", "level": "low", "opened": "2024-03-01T00:00:00Z", "labels": ["a", "b"],
 "meta": {"deep": {"list": [1, "two", null, true]}, "big": 12345678901}, "parent": 1, "nested": {"ratio": "-1e3"}}
{"id": "three"}`

func main() {
	decoder := json.NewDecoder(strings.NewReader(stream))
	encoder := json.NewEncoder(os.Stdout)
	for {
		var ticket Ticket
		err := decoder.Decode(&ticket)
		var wrongType *json.UnmarshalTypeError
		if errors.As(err, &wrongType) {
			fmt.Println("wrong type:", wrongType.Field, wrongType.Value, wrongType.Type)
			break
		} else if err != nil {
			fmt.Println("stopped:", err, err == io.EOF)
			break
		}
		ticket.Counts = map[Level]int{High: ticket.ID, Low: 0}
		ticket.secret = "never shown"
		if err := encoder.Encode(ticket); err != nil {
			fmt.Println(err)
		}
		fmt.Println(ticket.Opened.UTC().Format(time.RFC1123), ticket.Opened.YearDay(), ticket.Ratio*2, len(ticket.Extra))
	}

	var anything map[string]any
	for _, text := range []string{`{"a": [1, 2.5, "x", {"b": null}], "z": 1e3}`, `{"a": }`, `{"a": 1} trailing`} {
		if err := json.Unmarshal([]byte(text), &anything); err != nil {
			var syntax *json.SyntaxError
			fmt.Println(errors.As(err, &syntax), syntax.Offset, err)
			continue
		}
		list := anything["a"].([]any)
		fmt.Printf("%T %T %T %v\n", list[0], list[2], list[3], anything)
	}
	var ticket Ticket
	strict := json.NewDecoder(strings.NewReader(`{"id": 5, "surprise": 1}`))
	strict.DisallowUnknownFields()
	fmt.Println(strict.Decode(&ticket), "|", json.Unmarshal([]byte(`{"level": "mid"}`), &ticket))
	pretty, _ := json.MarshalIndent(map[string]any{"b": []int{1, 2}, "a": struct{}{}, "t": 1.0}, ">", "  ")
	fmt.Println(string(pretty))
}
