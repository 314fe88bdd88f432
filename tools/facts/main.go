// Command facts writes what podlab knows about the fields of the Kubernetes API
// types: one line a field, in Go order, read by crates/api/src/schema.
//
// It reflects over the types registered by k8s.io/api, apiextensions-apiserver
// and kube-aggregator (names, order, tags) and reads their sources for what
// reflection cannot see (+enum, +listType, +default). Required fields and
// descriptions come from the OpenAPI documents of the same release:
//
//	go mod download k8s.io/kubernetes@v1.37.1
//	go run . -openapi $(go env GOMODCACHE)/k8s.io/kubernetes@v1.37.1/api/openapi-spec/v3 -out ../../crates/api/data \
//	  -protobuf ../../crates/serve/data/protobuf.txt
//
// The format of both files is described in crates/api/data/README.md.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

// Types that have their own JSON form; they are named in the table, not described.
var opaque = map[string]bool{
	"resource.Quantity": true, "intstr.IntOrString": true, "meta/v1.Time": true,
	"meta/v1.MicroTime": true, "meta/v1.Duration": true, "runtime.RawExtension": true,
	"meta/v1.FieldsV1": true, "apiextensions/v1.JSON": true,
	"apiextensions/v1.JSONSchemaPropsOrArray": true, "apiextensions/v1.JSONSchemaPropsOrBool": true,
	"apiextensions/v1.JSONSchemaPropsOrStringArray": true,
}

type groupVersion struct {
	gv  schema.GroupVersion
	add func(*runtime.Scheme) error
}

var served = []groupVersion{
	{corev1.SchemeGroupVersion, corev1.AddToScheme},
	{admissionregistrationv1.SchemeGroupVersion, admissionregistrationv1.AddToScheme},
	{apiextensionsv1.SchemeGroupVersion, apiextensionsv1.AddToScheme},
	{apiregistrationv1.SchemeGroupVersion, apiregistrationv1.AddToScheme},
	{appsv1.SchemeGroupVersion, appsv1.AddToScheme},
	{authenticationv1.SchemeGroupVersion, authenticationv1.AddToScheme},
	{authorizationv1.SchemeGroupVersion, authorizationv1.AddToScheme},
	{autoscalingv1.SchemeGroupVersion, autoscalingv1.AddToScheme},
	{autoscalingv2.SchemeGroupVersion, autoscalingv2.AddToScheme},
	{batchv1.SchemeGroupVersion, batchv1.AddToScheme},
	{certificatesv1.SchemeGroupVersion, certificatesv1.AddToScheme},
	{coordinationv1.SchemeGroupVersion, coordinationv1.AddToScheme},
	{discoveryv1.SchemeGroupVersion, discoveryv1.AddToScheme},
	{eventsv1.SchemeGroupVersion, eventsv1.AddToScheme},
	{flowcontrolv1.SchemeGroupVersion, flowcontrolv1.AddToScheme},
	{networkingv1.SchemeGroupVersion, networkingv1.AddToScheme},
	{nodev1.SchemeGroupVersion, nodev1.AddToScheme},
	{policyv1.SchemeGroupVersion, policyv1.AddToScheme},
	{rbacv1.SchemeGroupVersion, rbacv1.AddToScheme},
	{resourcev1.SchemeGroupVersion, resourcev1.AddToScheme},
	{schedulingv1.SchemeGroupVersion, schedulingv1.AddToScheme},
	{storagev1.SchemeGroupVersion, storagev1.AddToScheme},
	{storagemigrationv1.SchemeGroupVersion, storagemigrationv1.AddToScheme},
}

// collector walks from the registered kinds to every type they reach.
type collector struct {
	structs map[string]reflect.Type
	named   map[string]reflect.Type
	kinds   map[string]bool   // short name of a type that is a kind
	group   map[string]string // short package → group/version
	sources *sources
	openapi map[string]definition
	enumOf  map[string][]string
}

type definition struct {
	Description string                `json:"description"`
	Required    []string              `json:"required"`
	Properties  map[string]definition `json:"properties"`
}

func main() {
	openapi := flag.String("openapi", "", "folder of the release's OpenAPI v3 documents")
	out := flag.String("out", ".", "folder to write facts.txt and descriptions.txt to")
	protobuf := flag.String("protobuf", "", "file to write the field numbers of protobuf to")
	flag.Parse()

	c := &collector{
		structs: map[string]reflect.Type{}, named: map[string]reflect.Type{},
		kinds: map[string]bool{}, group: map[string]string{},
		sources: newSources(), openapi: readOpenAPI(*openapi), enumOf: map[string][]string{},
	}
	for _, s := range served {
		scheme := runtime.NewScheme()
		check(s.add(scheme))
		for kind, typ := range scheme.KnownTypes(s.gv) {
			if strings.Contains(typ.PkgPath(), "apimachinery") || isList(typ) {
				continue
			}
			if kind != typ.Name() {
				log.Fatalf("kind %s has type %s", kind, typ)
			}
			c.kinds[short(typ)] = true
			c.group[pkg(typ)] = s.gv.String()
			c.visit(typ)
		}
	}
	for _, typ := range []any{metav1.Status{}, metav1.DeleteOptions{}, metav1.ListMeta{}} {
		c.visit(reflect.TypeOf(typ))
	}
	c.group["meta/v1"] = "meta/v1"
	if *protobuf != "" {
		c.writeProtobuf(*protobuf)
	}
	c.writeFacts(filepath.Join(*out, "facts.txt"))
	c.writeDescriptions(filepath.Join(*out, "descriptions.txt"))
}

func isList(t reflect.Type) bool {
	_, items := t.FieldByName("Items")
	_, meta := t.FieldByName("ListMeta")
	return items && meta
}

// pkg is the short path of a type's package: core/v1, meta/v1, intstr.
func pkg(t reflect.Type) string {
	p := t.PkgPath()
	for _, prefix := range []string{
		"k8s.io/apiextensions-apiserver/pkg/apis/", "k8s.io/kube-aggregator/pkg/apis/",
		"k8s.io/apimachinery/pkg/apis/", "k8s.io/api/",
	} {
		if strings.HasPrefix(p, prefix) {
			return strings.TrimPrefix(p, prefix)
		}
	}
	return p[strings.LastIndex(p, "/")+1:]
}

func short(t reflect.Type) string { return pkg(t) + "." + t.Name() }

func (c *collector) visit(t reflect.Type) {
	if t.PkgPath() != "" {
		name := short(t)
		if opaque[name] {
			// Their own (un)marshalers hide the fields; JSONSchemaProps is reached besides.
			return
		}
		if c.structs[name] != nil || c.named[name] != nil {
			return
		}
		if t.Kind() == reflect.Struct {
			c.structs[name] = t
			for _, f := range c.fields(t) {
				c.visit(f.typ)
			}
			return
		}
		c.named[name] = t
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		c.visit(t.Elem())
	case reflect.Map:
		c.visit(t.Key())
		c.visit(t.Elem())
	}
}

type field struct {
	json   string
	typ    reflect.Type
	flags  []string
	inline string // Go names of the embedded structs it was promoted from
}

// fields lists a struct's JSON fields in Go order, inlined structs opened up.
func (c *collector) fields(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" && f.Anonymous {
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			for _, fd := range c.fields(inner) {
				// encoding/json names the embedded struct in its errors' paths.
				fd.inline = strings.TrimSuffix(f.Name+"."+fd.inline, ".")
				// A struct that is only embedded has no OpenAPI definition of its own.
				if _, ok := c.definition(inner); !ok {
					fd.flags = append(fd.flags, c.required(t, fd.json)...)
				}
				out = append(out, fd)
			}
			continue
		}
		if name == "" {
			name = f.Name
		}
		fd := field{json: name, typ: f.Type}
		for _, o := range strings.Split(options, ",") {
			switch o {
			case "omitempty":
				fd.flags = append(fd.flags, "o")
			case "omitzero":
				fd.flags = append(fd.flags, "z")
			case "string":
				log.Fatalf("%s.%s: string option", t, name)
			}
		}
		if s := f.Tag.Get("patchStrategy"); s != "" {
			fd.flags = append(fd.flags, "p="+s)
		}
		if s := f.Tag.Get("patchMergeKey"); s != "" {
			fd.flags = append(fd.flags, "k="+s)
		}
		markers := c.sources.markers(t, f.Name)
		if l := markers["listType"]; len(l) > 0 {
			fd.flags = append(fd.flags, "l="+strings.Trim(l[0], `"`))
		}
		if l := markers["listMapKey"]; len(l) > 0 {
			fd.flags = append(fd.flags, "m="+strings.Join(l, ","))
		}
		if atomic(markers) {
			fd.flags = append(fd.flags, "a")
		}
		if l := markers["structType"]; len(l) > 0 && l[0] == "granular" {
			fd.flags = append(fd.flags, "g")
		}
		if l := markers["default"]; len(l) > 0 && !strings.HasPrefix(l[0], "ref(") {
			fd.flags = append(fd.flags, "d="+l[0])
		} else if len(l) > 0 {
			ref := strings.TrimSuffix(strings.TrimPrefix(l[0], "ref("), ")")
			fd.flags = append(fd.flags, "d="+c.sources.constant(t.PkgPath(), ref))
		}
		fd.flags = append(fd.flags, c.required(t, name)...)
		out = append(out, fd)
	}
	return out
}

// atomic says whether server-side apply replaces a struct or map as a whole.
func atomic(markers map[string][]string) bool {
	is := func(marker string) bool { return len(markers[marker]) > 0 && markers[marker][0] == "atomic" }
	return is("structType") || is("mapType")
}

// required gives the flag of a field that OpenAPI lists as required.
func (c *collector) required(t reflect.Type, name string) []string {
	if d, ok := c.definition(t); ok {
		for _, r := range d.Required {
			if r == name {
				return []string{"r"}
			}
		}
	}
	return nil
}

func (c *collector) definition(t reflect.Type) (definition, bool) {
	if m, ok := reflect.New(t).Interface().(interface{ OpenAPIModelName() string }); ok {
		d, ok := c.openapi[m.OpenAPIModelName()]
		return d, ok
	}
	return definition{}, false
}

// spell writes a type as the table has it: packages other than home are named.
func spell(t reflect.Type, home string) string {
	if t.PkgPath() != "" {
		if pkg(t) == home {
			return t.Name()
		}
		return short(t)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + spell(t.Elem(), home)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 && t.Elem().PkgPath() == "" {
			return "bytes"
		}
		return "[]" + spell(t.Elem(), home)
	case reflect.Map:
		return "map[" + spell(t.Key(), home) + "]" + spell(t.Elem(), home)
	}
	return t.Kind().String()
}

func (c *collector) writeFacts(path string) {
	file, err := os.Create(path)
	check(err)
	defer file.Close()
	w := bufio.NewWriter(file)
	defer w.Flush()
	fmt.Fprintln(w, "% Facts about the fields of the Kubernetes 1.37 API, written by tools/facts. See README.md.")
	byPackage := map[string][]string{}
	for n := range c.structs {
		p := n[:strings.LastIndex(n, ".")]
		byPackage[p] = append(byPackage[p], n)
	}
	for n := range c.named {
		p := n[:strings.LastIndex(n, ".")]
		byPackage[p] = append(byPackage[p], n)
	}
	for _, p := range sortedKeys(byPackage) {
		fmt.Fprintf(w, "@%s %s\n", p, c.group[p])
		names := byPackage[p]
		sort.Strings(names)
		for _, n := range names {
			local := n[len(p)+1:]
			if t := c.named[n]; t != nil {
				line := "=" + local + " " + underlying(t, p)
				if values := c.sources.enum(t); len(values) > 0 {
					line += " " + strings.Join(values, "|")
				}
				fmt.Fprintln(w, line)
				continue
			}
			mark := "#"
			if c.kinds[n] {
				mark = "!"
			}
			line := mark + local
			if atomic(c.sources.typeMarkers(c.structs[n])) {
				line += " a"
			}
			fmt.Fprintln(w, line)
			for _, f := range c.fields(c.structs[n]) {
				line := f.json + " " + spell(f.typ, p)
				if f.inline != "" {
					f.flags = append(f.flags, "i="+f.inline)
				}
				if len(f.flags) > 0 {
					line += " " + strings.Join(f.flags, " ")
				}
				fmt.Fprintln(w, line)
			}
		}
	}
}

func underlying(t reflect.Type, home string) string {
	switch t.Kind() {
	case reflect.Slice:
		return "[]" + spell(t.Elem(), home)
	case reflect.Map:
		return "map[" + spell(t.Key(), home) + "]" + spell(t.Elem(), home)
	}
	return t.Kind().String()
}

// Types that write their JSON themselves, with their names in OpenAPI.
var special = map[string]string{
	"apiextensions/v1.JSON":                         "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
	"apiextensions/v1.JSONSchemaPropsOrArray":       "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray",
	"apiextensions/v1.JSONSchemaPropsOrBool":        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool",
	"apiextensions/v1.JSONSchemaPropsOrStringArray": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
	"intstr.IntOrString":                            "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
	"meta/v1.Duration":                              "io.k8s.apimachinery.pkg.apis.meta.v1.Duration",
	"meta/v1.FieldsV1":                              "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
	"meta/v1.MicroTime":                             "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
	"meta/v1.Time":                                  "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
	"resource.Quantity":                             "io.k8s.apimachinery.pkg.api.resource.Quantity",
	"runtime.RawExtension":                          "io.k8s.apimachinery.pkg.runtime.RawExtension",
}

func (c *collector) writeDescriptions(path string) {
	file, err := os.Create(path)
	check(err)
	defer file.Close()
	w := bufio.NewWriter(file)
	defer w.Flush()
	escape := func(s string) string {
		return strings.NewReplacer("\\", "\\\\", "\n", "\\n").Replace(s)
	}
	for _, n := range sortedKeys(c.structs) {
		d, ok := c.definition(c.structs[n])
		if !ok {
			log.Printf("no OpenAPI definition: %s", n)
			continue
		}
		fmt.Fprintf(w, "#%s %s\n", n, escape(d.Description))
		for _, f := range c.fields(c.structs[n]) {
			fmt.Fprintf(w, "%s %s\n", f.json, escape(d.Properties[f.json].Description))
		}
	}
	for _, n := range sortedKeys(special) {
		d, ok := c.openapi[special[n]]
		if !ok {
			log.Printf("no OpenAPI definition: %s", n)
			continue
		}
		fmt.Fprintf(w, "#%s %s\n", n, escape(d.Description))
	}
	for _, n := range sortedKeys(c.named) {
		t := c.named[n]
		if values := c.sources.enum(t); len(values) > 0 {
			fmt.Fprintf(w, "=%s\n", n)
			docs := c.sources.enumDocs[t.PkgPath()+"."+t.Name()]
			for _, v := range values {
				fmt.Fprintf(w, "%s %s\n", v, escape(docs[v]))
			}
		}
	}
}

func readOpenAPI(folder string) map[string]definition {
	out := map[string]definition{}
	files, err := filepath.Glob(filepath.Join(folder, "*_openapi.json"))
	check(err)
	if len(files) == 0 {
		log.Fatal("no OpenAPI documents in ", folder)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		check(err)
		var doc struct {
			Components struct {
				Schemas map[string]definition `json:"schemas"`
			} `json:"components"`
		}
		check(json.Unmarshal(data, &doc))
		for name, d := range doc.Components.Schemas {
			out[name] = d
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// sources reads the Go files of the packages for what reflection cannot see.
type sources struct {
	loaded   map[string]bool
	fields   map[string]map[string][]string // package.Type.Field → marker → values
	types    map[string]map[string][]string // package.Type → marker → values
	consts   map[string][]string            // package.Type → values in order
	values   map[string]string              // package.Const → literal
	enumDocs map[string]map[string]string   // package.Type → value → comment
}

func newSources() *sources {
	return &sources{
		loaded: map[string]bool{}, fields: map[string]map[string][]string{},
		types: map[string]map[string][]string{}, consts: map[string][]string{},
		values: map[string]string{}, enumDocs: map[string]map[string]string{},
	}
}

func (s *sources) markers(t reflect.Type, field string) map[string][]string {
	s.load(t.PkgPath())
	return s.fields[t.PkgPath()+"."+t.Name()+"."+field]
}

func (s *sources) typeMarkers(t reflect.Type) map[string][]string {
	s.load(t.PkgPath())
	return s.types[t.PkgPath()+"."+t.Name()]
}

func (s *sources) enum(t reflect.Type) []string {
	s.load(t.PkgPath())
	key := t.PkgPath() + "." + t.Name()
	if _, ok := s.types[key]["enum"]; !ok {
		return nil
	}
	values := append([]string{}, s.consts[key]...)
	sort.Strings(values)
	return values
}

func (s *sources) constant(path, ref string) string {
	s.load(path)
	if i := strings.LastIndex(ref, "."); i > 0 {
		path, ref = ref[:i], ref[i+1:]
		s.load(path)
	}
	v, ok := s.values[path+"."+ref]
	if !ok {
		log.Fatalf("no constant %s in %s", ref, path)
	}
	return v
}

func (s *sources) load(path string) {
	if s.loaded[path] {
		return
	}
	s.loaded[path] = true
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", path).Output()
	check(err)
	packages, err := parser.ParseDir(token.NewFileSet(), strings.TrimSpace(string(dir)), nil, parser.ParseComments)
	check(err)
	for _, p := range packages {
		if strings.HasSuffix(p.Name, "_test") {
			continue
		}
		for _, name := range sortedKeys(p.Files) {
			s.loadFile(path, p.Files[name])
		}
	}
}

func (s *sources) loadFile(path string, file *ast.File) {
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				key := path + "." + spec.Name.Name
				s.types[key] = readMarkers(gen.Doc, spec.Doc)
				if st, ok := spec.Type.(*ast.StructType); ok {
					for _, f := range st.Fields.List {
						for _, name := range f.Names {
							s.fields[key+"."+name.Name] = readMarkers(f.Doc)
						}
					}
				}
			case *ast.ValueSpec:
				for i, name := range spec.Names {
					if i >= len(spec.Values) {
						continue
					}
					expr, typ := spec.Values[i], spec.Type
					// `AddressType("FQDN")`, `AddressType(v1.IPv4Protocol)`
					if call, ok := expr.(*ast.CallExpr); ok && len(call.Args) == 1 && typ == nil {
						expr, typ = call.Args[0], call.Fun
					}
					text, ok := s.literal(file, expr)
					if !ok {
						continue
					}
					s.values[path+"."+name.Name] = text
					id, ok := typ.(*ast.Ident)
					if !ok || !strings.HasPrefix(text, "\"") {
						continue
					}
					value, err := strconv.Unquote(text)
					check(err)
					key := path + "." + id.Name
					s.consts[key] = append(s.consts[key], value)
					if s.enumDocs[key] == nil {
						s.enumDocs[key] = map[string]string{}
					}
					// As kube-openapi's generators/enum.go tells it: without the constant's name, on one line.
					doc := strings.TrimPrefix(strings.TrimSpace(spec.Doc.Text()), name.Name)
					s.enumDocs[key][value] = strings.Join(strings.Fields(doc), " ")
				}
			}
		}
	}
}

// literal reads a constant's value: a literal, or another package's constant.
func (s *sources) literal(file *ast.File, expr ast.Expr) (string, bool) {
	switch expr := expr.(type) {
	case *ast.BasicLit:
		return expr.Value, true
	case *ast.SelectorExpr:
		local, ok := expr.X.(*ast.Ident)
		if !ok {
			return "", false
		}
		for _, i := range file.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			check(err)
			name := path[strings.LastIndex(path, "/")+1:]
			if i.Name != nil {
				name = i.Name.Name
			}
			if name == local.Name {
				s.load(path)
				value, ok := s.values[path+"."+expr.Sel.Name]
				return value, ok
			}
		}
	}
	return "", false
}

func readMarkers(groups ...*ast.CommentGroup) map[string][]string {
	out := map[string][]string{}
	for _, g := range groups {
		if g == nil {
			continue
		}
		for _, c := range g.List {
			text := strings.TrimSpace(strings.TrimPrefix(c.Text, "//"))
			if !strings.HasPrefix(text, "+") {
				continue
			}
			key, value, _ := strings.Cut(text[1:], "=")
			key = strings.TrimSpace(key)
			out[key] = append(out[key], strings.TrimSpace(value))
		}
	}
	return out
}
