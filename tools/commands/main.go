// Writes kubectl's command tree as data: names, texts and flags of every command.
//
// The output is crates/kubectl/data/commands.json, in which the texts of help are numbers, and texts.json with those texts;
// run `go run . ../../crates/kubectl/data`.
package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/cmd"
)

// A text's place in the list of texts; the first one is empty.
type text int

var (
	texts  = []string{""}
	places = map[string]text{"": 0}
)

func place(s string) text {
	at, known := places[s]
	if !known {
		at = text(len(texts))
		places[s] = at
		texts = append(texts, s)
	}
	return at
}

func write(name string, value any) {
	file, err := os.Create(filepath.Join(os.Args[1], name))
	if err != nil {
		panic(err)
	}
	defer file.Close()
	encoder := json.NewEncoder(file)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
}

type flag struct {
	Name       string `json:"n"`
	Short      string `json:"s,omitempty"`
	Type       string `json:"t"`
	Default    string `json:"d,omitempty"`
	NoOpt      string `json:"o,omitempty"`
	Usage      text   `json:"u"`
	Hidden     bool   `json:"h,omitempty"`
	Deprecated string `json:"x,omitempty"`
	Required   bool   `json:"r,omitempty"`
}

type command struct {
	Use      string    `json:"use"`
	Aliases  []string  `json:"aliases,omitempty"`
	Suggest  []string  `json:"suggest,omitempty"`
	Short    text      `json:"short,omitempty"`
	Long     text      `json:"long,omitempty"`
	Example  text      `json:"example,omitempty"`
	Line     string    `json:"line,omitempty"`
	Hidden   bool      `json:"hidden,omitempty"`
	Runnable bool      `json:"run,omitempty"`
	Flags    []flag    `json:"flags,omitempty"`
	Global   []flag    `json:"global,omitempty"`
	Commands []command `json:"commands,omitempty"`
}

func flags(set *pflag.FlagSet) (out []flag) {
	set.VisitAll(func(f *pflag.Flag) {
		_, required := f.Annotations[cobra.BashCompOneRequiredFlag]
		out = append(out, flag{f.Name, f.Shorthand, f.Value.Type(), f.DefValue, f.NoOptDefVal, place(f.Usage), f.Hidden, f.Deprecated, required})
	})
	return out
}

func walk(c *cobra.Command) command {
	c.InitDefaultHelpFlag()
	out := command{Use: c.Use, Line: c.UseLine(), Aliases: c.Aliases, Suggest: c.SuggestFor, Short: place(c.Short), Long: place(c.Long), Example: place(c.Example), Hidden: c.Hidden,
		Runnable: c.Runnable(), Flags: flags(c.NonInheritedFlags())}
	if !c.HasParent() {
		out.Flags, out.Global = flags(c.LocalNonPersistentFlags()), flags(c.PersistentFlags())
	}
	for _, sub := range c.Commands() {
		out.Commands = append(out.Commands, walk(sub))
	}
	return out
}

func main() {
	cobra.EnableCommandSorting = false
	os.Setenv("HOME", "/root")
	root := cmd.NewKubectlCommand(cmd.KubectlOptions{
		PluginHandler: nil,
		Arguments:     []string{"kubectl"},
		ConfigFlags:   genericclioptions.NewConfigFlags(true).WithDeprecatedPasswordFlag().WithDiscoveryBurst(300).WithDiscoveryQPS(50.0).WithWarningPrinter(genericiooptions.IOStreams{}),
		IOStreams:     genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
	})
	root.InitDefaultCompletionCmd()
	write("commands.json", walk(root))
	write("texts.json", texts)
}
