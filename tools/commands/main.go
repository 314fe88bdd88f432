// Writes kubectl's command tree as data: names, texts and flags of every command.
//
// The output is crates/kubectl/data/commands.json; run `go run . > ../../crates/kubectl/data/commands.json`.
package main

import (
	"encoding/json"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/cmd"
)

type flag struct {
	Name       string `json:"n"`
	Short      string `json:"s,omitempty"`
	Type       string `json:"t"`
	Default    string `json:"d,omitempty"`
	NoOpt      string `json:"o,omitempty"`
	Usage      string `json:"u"`
	Hidden     bool   `json:"h,omitempty"`
	Deprecated string `json:"x,omitempty"`
	Required   bool   `json:"r,omitempty"`
}

type command struct {
	Use      string    `json:"use"`
	Aliases  []string  `json:"aliases,omitempty"`
	Suggest  []string  `json:"suggest,omitempty"`
	Short    string    `json:"short,omitempty"`
	Long     string    `json:"long,omitempty"`
	Example  string    `json:"example,omitempty"`
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
		out = append(out, flag{f.Name, f.Shorthand, f.Value.Type(), f.DefValue, f.NoOptDefVal, f.Usage, f.Hidden, f.Deprecated, required})
	})
	return out
}

func walk(c *cobra.Command) command {
	c.InitDefaultHelpFlag()
	out := command{Use: c.Use, Line: c.UseLine(), Aliases: c.Aliases, Suggest: c.SuggestFor, Short: c.Short, Long: c.Long, Example: c.Example, Hidden: c.Hidden,
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
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "")
	if err := encoder.Encode(walk(root)); err != nil {
		panic(err)
	}
}
