//go:build tools

// Package controlplane pins the programs that the test control plane is built from. It is never compiled
// (the tag is set by nobody); its imports are what `go mod tidy` keeps in go.mod.
package controlplane

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
