package main

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"strings"
)

// writeProtobuf writes a line a message, read by crates/serve/src/protobuf: its
// name, then `number=field` for a field by its JSON name and `number+message`
// for a struct that JSON opens up.
func (c *collector) writeProtobuf(path string) {
	messages := map[string]string{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		if messages[short(t)] != "" {
			return
		}
		line := short(t)
		messages[short(t)] = line
		for i := range t.NumField() {
			f := t.Field(i)
			tag := strings.Split(f.Tag.Get("protobuf"), ",")
			if len(tag) < 2 {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			if name == "" && f.Anonymous {
				inner := f.Type
				if inner.Kind() == reflect.Pointer {
					inner = inner.Elem()
				}
				line += fmt.Sprintf(" %s+%s", tag[1], short(inner))
				visit(inner)
				continue
			}
			if name == "" {
				name = f.Name
			}
			line += fmt.Sprintf(" %s=%s", tag[1], name)
		}
		messages[short(t)] = line
	}
	for _, n := range sortedKeys(c.structs) {
		visit(c.structs[n])
	}
	file, err := os.Create(path)
	check(err)
	defer file.Close()
	w := bufio.NewWriter(file)
	defer w.Flush()
	fmt.Fprintln(w, "% Field numbers of the Kubernetes 1.37 API in protobuf, written by tools/facts.")
	for _, n := range sortedKeys(messages) {
		fmt.Fprintln(w, messages[n])
	}
}
