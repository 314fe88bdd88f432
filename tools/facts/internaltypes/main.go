// Command internaltypes writes how Kubernetes' internal types, which have no
// JSON tags, read when the API server marshals them into an error: Go names in
// Go order, every field written. Read by crates/api/src/validation/go_json.rs.
//
//	go run . -out ../../../crates/api/data/internal.txt
//
// The format is described in crates/api/data/README.md.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"os"
	"reflect"
	"sort"
	"strings"

	v1apps "k8s.io/api/apps/v1"
	v2autoscaling "k8s.io/api/autoscaling/v2"
	v1batch "k8s.io/api/batch/v1"
	v1core "k8s.io/api/core/v1"
	v1policy "k8s.io/api/policy/v1"
	v1rbac "k8s.io/api/rbac/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/kubernetes/pkg/apis/apps"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	"k8s.io/kubernetes/pkg/apis/batch"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/policy"
	"k8s.io/kubernetes/pkg/apis/rbac"
)

// roots are the types that errors show, each with its versioned counterpart.
var roots = [][2]any{
	{core.PodTemplateSpec{}, v1core.PodTemplateSpec{}},
	{core.Taint{}, v1core.Taint{}},
	{core.NodeAddress{}, v1core.NodeAddress{}},
	{core.ServicePort{}, v1core.ServicePort{}},
	{core.ScopeSelector{}, v1core.ScopeSelector{}},
	{core.PersistentVolumeClaimSpec{}, v1core.PersistentVolumeClaimSpec{}},
	{core.PersistentVolumeClaim{}, v1core.PersistentVolumeClaim{}},
	{core.PersistentVolumeSource{}, v1core.PersistentVolumeSource{}},
	{core.VolumeNodeAffinity{}, v1core.VolumeNodeAffinity{}},
	{apps.DeploymentStrategy{}, v1apps.DeploymentStrategy{}},
	{apps.DaemonSetUpdateStrategy{}, v1apps.DaemonSetUpdateStrategy{}},
	{apps.StatefulSetUpdateStrategy{}, v1apps.StatefulSetUpdateStrategy{}},
	{autoscaling.HorizontalPodAutoscalerBehavior{}, v2autoscaling.HorizontalPodAutoscalerBehavior{}},
	{batch.PodFailurePolicy{}, v1batch.PodFailurePolicy{}},
	{batch.SuccessPolicy{}, v1batch.SuccessPolicy{}},
	{batch.UncountedTerminatedPods{}, v1batch.UncountedTerminatedPods{}},
	{policy.PodDisruptionBudgetSpec{}, v1policy.PodDisruptionBudgetSpec{}},
	{rbac.RoleRef{}, v1rbac.RoleRef{}},
	{apiextensions.CustomResourceDefinitionVersion{}, v1apiextensions.CustomResourceDefinitionVersion{}},
}

type pair struct{ internal, versioned reflect.Type }

func main() {
	out := flag.String("out", "internal.txt", "file to write")
	flag.Parse()
	types := map[string]pair{}
	for _, r := range roots {
		visit(types, reflect.TypeOf(r[0]), reflect.TypeOf(r[1]))
	}
	file, err := os.Create(*out)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	defer w.Flush()
	fmt.Fprintln(w, "% How internal types read in errors, written by tools/facts/internaltypes. See README.md.")
	names := make([]string, 0, len(types))
	for n := range types {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(w, "#%s\n", n)
		for _, f := range fields(types[n].internal, types[n].versioned) {
			fmt.Fprintf(w, "%s %s %s\n", f.goName, f.json, spell(f.typ))
		}
	}
}

func isInternal(t reflect.Type) bool {
	return strings.HasPrefix(t.PkgPath(), "k8s.io/kubernetes/pkg/apis/") ||
		t.PkgPath() == "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
}

func visit(types map[string]pair, internal, versioned reflect.Type) {
	switch internal.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if versioned.Kind() == internal.Kind() {
			visit(types, internal.Elem(), versioned.Elem())
			return
		}
		// The versioned form may be a pointer where the internal one is none, and the other way round.
		if internal.Kind() == reflect.Pointer {
			visit(types, internal.Elem(), versioned)
			return
		}
	}
	if versioned.Kind() == reflect.Pointer {
		visit(types, internal, versioned.Elem())
		return
	}
	if internal.Kind() != reflect.Struct || !isInternal(internal) {
		return
	}
	name := shortName(internal)
	if _, ok := types[name]; ok {
		return
	}
	types[name] = pair{internal, versioned}
	for _, f := range fields(internal, versioned) {
		if f.versioned != nil {
			visit(types, f.typ, f.versioned)
		}
	}
}

type field struct {
	goName, json   string
	typ, versioned reflect.Type
}

// fields lists what encoding/json writes for an internal struct. A field
// without a versioned counterpart has the JSON name "-" and is always zero.
// Fields of embedded versioned structs (ObjectMeta) keep their JSON names and
// are marked with "?", since they are left out when empty.
func fields(internal, versioned reflect.Type) []field {
	var out []field
	for i := range internal.NumField() {
		f := internal.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			v := versioned
			base := ""
			if vf, ok := versioned.FieldByName(f.Name); ok && vf.Anonymous {
				tag, _, _ := strings.Cut(vf.Tag.Get("json"), ",")
				v, base = vf.Type, tag
			}
			if !isInternal(f.Type) {
				for j := range f.Type.NumField() {
					inner := f.Type.Field(j)
					tag, _, _ := strings.Cut(inner.Tag.Get("json"), ",")
					out = append(out, field{"?" + tag, base + "." + tag, inner.Type, nil})
				}
				continue
			}
			for _, inner := range fields(f.Type, v) {
				if base != "" && inner.json != "-" {
					inner.json = base + "." + inner.json
				}
				out = append(out, inner)
			}
			continue
		}
		if name == "" {
			name = f.Name
		}
		fd := field{goName: name, json: "-", typ: f.Type}
		if vf, ok := versioned.FieldByName(f.Name); ok {
			tag, _, _ := strings.Cut(vf.Tag.Get("json"), ",")
			fd.json, fd.versioned = tag, vf.Type
		} else {
			log.Printf("%s.%s has no counterpart", internal, f.Name)
		}
		out = append(out, fd)
	}
	return out
}

func shortName(t reflect.Type) string {
	return t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:] + "." + t.Name()
}

// spell gives the shape of a type: what its zero value is and how to go on.
func spell(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + spell(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[]" + spell(t.Elem())
	case reflect.Map:
		return "map:" + spell(t.Elem())
	case reflect.Struct:
		switch t.Name() {
		case "Quantity", "IntOrString", "Time":
			return t.Name()
		}
		if isInternal(t) {
			return shortName(t)
		}
		return "meta/v1." + t.Name()
	case reflect.Interface:
		return "any"
	case reflect.Bool:
		return "bool"
	case reflect.String:
		return "string"
	}
	return "int"
}
