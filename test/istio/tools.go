//go:build tools

// Package tools names what is built besides the judge, so that `go mod tidy` keeps it.
package tools

import (
	_ "istio.io/istio/pilot/cmd/pilot-agent"
	_ "istio.io/istio/pilot/cmd/pilot-discovery"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
