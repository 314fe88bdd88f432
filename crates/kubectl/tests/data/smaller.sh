r() { echo "\$ kubectl $*"; kubectl "$@" </dev/null 2>&1; echo "rc=$?"; }
cat > csr.yaml <<'X'
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: bob}
spec:
  request: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQ1V6Q0NBVHNDQVFBd0RqRU1NQW9HQTFVRUF3d0RZbTlpTUlJQklqQU5CZ2txaGtpRzl3MEJBUUVGQUFPQwo=
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
X
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c5}\ndata: {a: "1"}\n' > c5.yaml; sed 's/"1"/"2"/' c5.yaml > c6.yaml; sed 's/c5/c55/' c5.yaml > c55.yaml
cat > rb.yaml <<'X'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: rr, namespace: default}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rrb, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: rr}
subjects: [{kind: User, name: bob, apiGroup: rbac.authorization.k8s.io}]
X
kubectl create deploy x --image=nginx >/dev/null; sleep 3; kubectl apply -f c5.yaml >/dev/null
r create token; r create token a b; r create token nope; r create token default --duration=1s; r create token default --bound-object-kind=Pod; r create token default --bound-object-name=x; r create token default --bound-object-kind=Foo --bound-object-name=x;  r create token default --bound-object-kind=Pod --bound-object-name=nope; r create token default --bound-object-uid=x;  r create token default --duration=-5s; r create token default --duration=x; r create token default -o name
r certificate; r certificate approve; r certificate approve nope; r certificate foo
r apply view-last-applied cm/c5; r apply view-last-applied cm c5 -o json; r apply view-last-applied -f c5.yaml; r apply view-last-applied deploy/x; r apply view-last-applied; r apply view-last-applied cm/c5 -o foo; r apply view-last-applied cm/nope; r apply view-last-applied cm; r apply view-last-applied deploy --all;  r apply view-last-applied cm -l a=b
r apply set-last-applied -f c6.yaml; r apply set-last-applied -f c6.yaml --dry-run=client; r apply set-last-applied -f c6.yaml; r apply view-last-applied cm/c5; kubectl get deploy x -o yaml > dx.yaml; r apply set-last-applied -f dx.yaml; r apply set-last-applied -f dx.yaml --create-annotation; r apply set-last-applied; r apply set-last-applied -f nope.yaml; r apply set-last-applied cm/c5; r apply set-last-applied -f c6.yaml -o yaml; r apply set-last-applied -f c55.yaml; r apply foo -f c5.yaml
r auth can-i; r auth can-i get; r auth can-i get pods; r auth can-i get pods --subresource=log; r auth can-i list pods -A; r auth can-i get pods -q; r auth can-i get foos; r auth can-i get /healthz; r auth can-i get nodes; r auth can-i get pods web x; r auth can-i --list;r auth can-i --list -n kube-system --no-headers; r auth can-i get pod/web; r auth can-i use psp; r auth can-i '*' '*'; r auth; r auth foo; r auth reconcile
r auth reconcile -f rb.yaml; r auth reconcile -f rb.yaml; sed -i 's/verbs: \[get\]/verbs: [list]/; s/name: bob/name: al/' rb.yaml; r auth reconcile -f rb.yaml --dry-run=client; r auth reconcile -f rb.yaml; r auth reconcile -f rb.yaml --remove-extra-permissions --remove-extra-subjects; r get role rr -o jsonpath='{.rules}'; r get rolebinding rrb -o jsonpath='{.subjects}'; r auth reconcile -f c5.yaml; sed -i 's/name: rr}/name: rr2}/' rb.yaml; r auth reconcile -f rb.yaml
r plugin; r plugin foo; r proxy --port=x; r top; r top nodes x y; r top pod x -l a=b; r top pods --sort-by=foo; r alpha; r kuberc
r edit; r edit nope/x; r edit pod web -o foo; r diff; r diff x; r diff -f nope.yaml; r diff -f c55.yaml --force-conflicts; r port-forward; r port-forward web; r port-forward web x; r port-forward nope 80; r cp; r cp a; r cp a b; r cp a b c; r cp nope:/a b; r cp a nope:/b; r cp a:b c:d; r cp :/a b; r debug; r debug nope; r debug nope --image=busybox; r debug deploy/x; r debug deploy/x --copy-to=y; r debug deploy/x --image=busybox --copy-to=y --set-image=a; r debug nope --image=busybox --share-processes; r debug nope --set-image=a=b; r debug nope --image=busybox --target=x --copy-to=y; r debug nope --image=busybox --profile=foo; r debug nope --image=b --replace; r debug nope --image=b --same-node;  r debug nope --image=BAD_; r debug a b; r debug nope --image=b -t; r debug nope --image=b --attach=false -- ls; r debug nope --copy-to=x --set-image=c; r attach; r attach nope; r attach a b; r attach deploy/x -c nope;
